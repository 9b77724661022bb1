//! Two hundred at once for what is enough for fifty, by clients of every kind: such that wait for an answer in one piece,
//! that read a stream, that leave before the answer begins, and that leave in its middle. The hub's ledgers are compared
//! with the simulator's own log.

use std::time::Duration;

use futures_util::future::join_all;
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};
use trivium::{
    engine::settings::Usd,
    simulator::{Behaviour, Entry, Fault, Rule, Script},
};

use super::support::{TestHub, chat};

/// The head comes after two seconds, and the rest takes another two.
fn slow() -> Behaviour {
    Behaviour { headers_delay_ms: 2_000, rate_headers: false, ..Behaviour::ok().paced(20, 100) }
}

/// One request of one of the four kinds. True: the client has got what it came for.
async fn one(hub: &TestHub, nth: usize) -> bool {
    match nth % 4 {
        0 => hub.chat("m").await.is_whole(),
        1 => hub.stream("m").await.is_whole(),
        2 => {
            timeout(Duration::from_millis(500 + nth as u64), hub.open(chat("m", nth % 8 == 2))).await.is_err()
        }
        _ => {
            let mut response = hub.open(chat("m", true)).await;
            // An error is told in one frame, and a stream is left after its third.
            let mut frames = 0;
            while frames < 3 && response.body_mut().frame().await.is_some_and(|frame| frame.is_ok()) {
                frames += 1;
            }
            response.status().is_success() && frames == 3
        }
    }
}

async fn two_hundred(hub: &TestHub) -> usize {
    let done = join_all((0..200).map(|nth| one(hub, nth))).await;
    // Those that left are settled by the drop of what they held; nothing may still be under way then.
    sleep(Duration::from_secs(10)).await;
    done.into_iter().filter(|done| *done).count()
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_window() {
    let account = |id: &str, more: &str| {
        format!(
            "  - {{id: {id}, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: {id}, models: [m]{more}}}\n"
        )
    };
    let limited = account("a", ", limits: [{per: day, requests: 50}, {per: day, tokens: 10000000}]");
    let yaml = format!("providers:\n{limited}{}", account("b", ""));
    let script = Script { default: slow(), ..Script::default() };
    let hub = TestHub::builder().yaml(&yaml).script(script).build().await;
    assert_eq!(two_hundred(&hub).await, 200, "each has got what it came for");
    assert_eq!(hub.calls(["a", "b"]), [50, 150]);
    hub.engine.quota().save();
    let kept = hub.windows();
    let requests = kept.iter().find(|window| &*window.name == "requests per day").map(|window| window.used);
    assert_eq!(requests, Some(50), "the ledger's sum is the simulator's count: {kept:?}");
    let snapshot = hub.engine.snapshot();
    let windows = hub.engine.quota().windows(&snapshot.settings.connections[0]);
    assert!(windows.len() == 2 && windows.iter().all(|window| window.reserved == 0.0), "{windows:?}");
    assert_eq!(hub.engine.admission().running(), 0);
}

/// Every request costs a dollar, and there are fifty.
const FIFTY: &str = "
budgets: [{id: b, for: all, limit: 50, window: day}]
providers:
  - {id: a, type: openai-compatible, base_url: 'http://simulator.test/v1', api_key: a, models: [{id: m, price: {input: 0, output: 0, request: 1}}]}
";

/// What the budget counts, what the receipts say, and what the simulator answered with 200 or was about to, in dollars.
async fn sums(hub: &TestHub) -> [Usd; 3] {
    let counted = hub.engine.budgets().spent(&hub.engine.snapshot().settings.budgets[0], "");
    let receipts = hub.last_receipts(10_000).await.iter().filter_map(|receipt| receipt.cost).sum();
    let costs = |entry: &Entry| entry.status.is_none_or(|status| status == 200);
    let answered = hub.upstream().iter().filter(|entry| costs(entry)).count();
    [counted, receipts, Usd::from_dollars(answered as f64).unwrap()]
}

#[tokio::test(start_paused = true)]
async fn dollars_of_a_budget() {
    let script = Script { default: slow(), ..Script::default() };
    let hub = TestHub::builder().yaml(FIFTY).script(script).build().await;
    two_hundred(&hub).await;
    let fifty = Usd::from_dollars(50.0).unwrap();
    assert_eq!(hub.upstream().len(), 50);
    assert_eq!(sums(&hub).await, [fifty; 3]);
    assert_eq!(hub.chat("m").await.code(), "budget_exceeded");
}

#[tokio::test(start_paused = true)]
async fn what_a_failure_gives_back_is_spent_by_others_and_never_twice() {
    // Every third request fails, and gives its dollar back; what is refused meanwhile comes again.
    let failing = slow().rule(Rule::sometimes(0.3, Fault::status(400)));
    let script = Script { default: failing, ..Script::default() };
    let hub = TestHub::builder().yaml(FIFTY).script(script).build().await;
    for round in 1..=8 {
        two_hundred(&hub).await;
        let [counted, receipts, answered] = sums(&hub).await;
        assert_eq!((counted, receipts), (answered, answered), "round {round}");
        assert!(answered <= Usd::from_dollars(50.0).unwrap(), "{answered} in round {round}");
    }
    let failed = hub.upstream().iter().filter(|entry| entry.status == Some(400)).count();
    let [counted, ..] = sums(&hub).await;
    assert!(failed > 10 && counted == Usd::from_dollars(50.0).unwrap(), "{failed} failed, {counted} spent");
}
