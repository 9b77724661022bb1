//! `kill -9`, twice, in the middle of load on accounts that are locked, that have windows, and that are paid from a budget.
//! What the hub holds after the restarts is compared with the simulator's own log, which knows of no restart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::task::JoinSet;
use trivium::{engine::ports::LockKind, ops::ports::ReceiptLog, simulator::Entry};

use super::{
    client::Client,
    restart::store,
    support::{Hub, SOON, eventually},
};

const CLIENTS: usize = 12;

/// Requests that the two accounts with windows may be asked.
const DAY: usize = 240;
const FIRST_USE: usize = 160;

/// Dollars in all; each request that is answered costs one.
const BUDGET: usize = 700;

/// What a budget may count too much after a kill, beside what ran: a twentieth of it.
const SLICE: usize = BUDGET / 20;

/// What the hub may forget in a kill, in milliseconds: 100, and 50 for a busy machine.
const TAIL: u64 = 150;

/// The accounts in the order in which they are used up.
const ACCOUNTS: [(&str, &str, &str); 5] = [
    ("broke", "sim-402-after-3", ""),
    ("dry", "sim-429-retry-3600-after-5", ""),
    ("day", "sim-headers-60+pace-5", ", limits: [{per: day, requests: 240}]"),
    (
        "first-use",
        "sim-headers-60+pace-5",
        ", limits: [{per: 5h, requests: 160, reset: first-use}, {per: day, tokens: 100000000}]",
    ),
    ("rest", "sim-headers-60+pace-5", ""),
];

const SECTIONS: &str = "
routing: {default_strategy: exhaust}
resilience: {confirmations: 1}
prices: [{model: m, price: {input: 0, output: 0, request: 1}}]
budgets: [{id: house, for: all, limit: 700, window: month}]
";

async fn started() -> Hub {
    let hub = Hub::builder().section(SECTIONS).account("rest", "sim-headers-60+pace-5").start().await;
    let mut text = format!("{SECTIONS}providers:\n");
    for (id, key, more) in ACCOUNTS {
        text.push_str(&format!(
            "  - {{id: {id}, type: openai-compatible, base_url: 'http://{}/v1', api_key: {key}.{id}, models: [m]{more}}}\n",
            hub.provider.address,
        ));
    }
    hub.write_config(&text);
    hub.uses(&ACCOUNTS.map(|(id, ..)| id)).await;
    hub
}

/// The ids of answers that clients got to their end, in order.
#[derive(Clone, Default)]
struct Got(Arc<Mutex<Vec<String>>>);

impl Got {
    /// Asks until the hub is gone or the money is. One client in four leaves each stream as soon as it begins.
    async fn ask(self, client: Client, number: usize) {
        if number % 4 == 3 {
            while begin_and_leave(&client).await {}
            return;
        }
        while let Ok(answer) = client.chat("m").stream_if(number.is_multiple_of(2)).try_send().await {
            if answer.status != 200 {
                assert_eq!(answer.code(), "budget_exceeded", "{answer:?}");
                return;
            }
            answer.must_be_whole();
            self.0.lock().unwrap().push(answer.request_id());
        }
    }
}

/// Reads the beginning of a stream. False: there was none.
async fn begin_and_leave(client: &Client) -> bool {
    let body = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hello"}]});
    let opened = client.open(Method::POST, "/v1/chat/completions", Bytes::from(body.to_string())).await;
    match opened {
        Ok(mut response) if response.status() == 200 => {
            response.body_mut().frame().await.is_some_and(|frame| frame.is_ok())
        }
        _ => false,
    }
}

/// Loads the hub; `until` ends the load by a kill, `None` when the money is used up.
async fn load(hub: &mut Hub, got: &Got, until: Option<(&str, usize)>) {
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        clients.spawn(got.clone().ask(Client::new(hub.address, &hub.key), number));
    }
    if let Some((account, calls)) = until {
        let reached = || (hub.provider.calls(account).len() >= calls).then_some(());
        eventually("the load goes on", 2 * SOON, reached).await;
        hub.process.kill();
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
}

/// How often an account was asked, and how often in the last moment before the last call of all.
fn calls(hub: &Hub, account: &str) -> (usize, usize) {
    let calls = hub.provider.calls(account);
    let end = hub.provider.simulator.log().iter().map(|entry| entry.at_ms).max().unwrap_or_default();
    let last = calls.iter().filter(|entry| entry.at_ms + TAIL > end).count();
    (calls.len(), last)
}

/// What the requests cost that were sent: what is refused costs nothing.
fn dollars(hub: &Hub) -> usize {
    let log = hub.provider.simulator.log();
    log.iter().filter(|entry| entry.status.is_none_or(|status| status == 200)).count()
}

/// What the store knows after a kill of the account that was in use: its window is not used less than the simulator has
/// seen, the last moment apart, nor more than that and what may be written down ahead of it. And who is locked.
async fn check_store(hub: &Hub, account: &str, limit: usize) {
    let store = store(&hub.ground).await;
    let windows = store.load_windows(0).await.unwrap();
    let (asked, last) = calls(hub, account);
    let kept = windows.iter().find(|one| &*one.connection == account && one.name.starts_with("requests"));
    let used = kept.map_or(0, |window| usize::try_from(window.used).unwrap());
    let most = asked + limit.div_ceil(50) + CLIENTS;
    assert!(used + last >= asked && used <= most, "{account}: {used} kept, {asked} asked, {last} just now");
    let locks = store.load_cooldowns(0).await.unwrap();
    let locks: BTreeMap<_, _> = locks.iter().map(|lock| (&*lock.connection, lock.lock)).collect();
    assert_eq!(locks, BTreeMap::from([("broke", LockKind::Terminal), ("dry", LockKind::Cooldown)]));
    store.close().await.unwrap();
}

/// The locked accounts are left out with their reasons, and nobody asks them.
async fn check_locks(hub: &Hub) {
    let answer = hub.chat("m").send().await;
    answer.must_be_whole();
    // The receipt is written within 100 ms.
    tokio::time::sleep(Duration::from_millis(2 * TAIL)).await;
    let told = hub.get(&format!("/api/routing/explain/{}", answer.request_id())).await.json();
    let left_out = told["decision"]["left_out"].as_array().unwrap();
    for (account, reason) in [("broke", "payment_required:"), ("dry", "rate_limited:")] {
        let skip = left_out.iter().find(|skip| skip["connection"] == account);
        let said = skip.and_then(|skip| skip["reason"].as_str()).unwrap_or_default();
        assert!(said.starts_with(reason), "{told}");
    }
}

/// Every receipt is there once, and no more is charged than was done.
async fn check_receipts(hub: &Hub, got: &Got) {
    let store = store(&hub.ground).await;
    let receipts = store.receipts().recent(10_000).await.unwrap();
    let ids: BTreeSet<&str> = receipts.iter().map(|receipt| receipt.id.as_str()).collect();
    assert_eq!(ids.len(), receipts.len(), "an id twice");
    let got = got.0.lock().unwrap().clone();
    let whole: BTreeSet<&str> = got.iter().map(String::as_str).collect();
    assert_eq!(whole.len(), got.len(), "an id twice");
    let missing = whole.iter().filter(|id| !ids.contains(**id)).count();
    // `restart` is strict with the moment; here it is enough that hardly any are missing.
    assert!(10 * missing <= whole.len(), "{missing} of {}", whole.len());
    let charged: f64 = receipts.iter().filter_map(|receipt| receipt.cost).map(|cost| cost.dollars()).sum();
    assert!(charged <= dollars(hub) as f64, "{charged} of {}", dollars(hub));
    for (account, ..) in ACCOUNTS {
        let attempts = receipts.iter().flat_map(|receipt| &receipt.detail.attempts);
        let told = attempts.filter(|attempt| attempt.connection == account).count();
        assert!(told <= hub.provider.calls(account).len(), "{account}: {told}");
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn locks_windows_and_budgets_go_on_and_nothing_is_counted_twice() {
    let (mut hub, got) = (started().await, Got::default());
    let (mut last, mut locked) = (BTreeMap::new(), None);
    for (account, limit) in [("day", DAY), ("first-use", FIRST_USE)] {
        load(&mut hub, &got, Some((account, limit / 2))).await;
        let (asked, just_now) = calls(&hub, account);
        assert!(
            2 * just_now < asked,
            "too little load before the last moment to tell: {just_now} of {asked}"
        );
        last.insert(account, just_now);
        check_store(&hub, account, limit).await;
        let asked = ["broke", "dry"].map(|account| hub.provider.calls(account).len());
        assert_eq!(*locked.get_or_insert(asked), asked, "who is locked was asked after a restart");
        hub = hub.again().await;
        check_locks(&hub).await;
    }
    load(&mut hub, &got, None).await;

    let asked = ["broke", "dry"].map(|account| hub.provider.calls(account).len());
    assert_eq!(locked, Some(asked));
    // What is counted of a window outlives each kill, but for the last moment before it.
    for (account, limit) in [("day", DAY), ("first-use", FIRST_USE)] {
        let (calls, forgotten) = (hub.provider.calls(account).len(), last[account]);
        let least = limit - limit.div_ceil(50) - CLIENTS;
        assert!((least..=limit + forgotten).contains(&calls), "{account}: {calls}, {forgotten} forgotten");
    }
    // Money is written down before it is spent: there is no last moment. What a kill may cost is a slice, and what ran.
    let spent = dollars(&hub);
    assert!((BUDGET - 2 * (SLICE + CLIENTS)..=BUDGET).contains(&spent), "{spent}");
    let standing = hub.health().await["details"]["connections"].clone();
    let standing: Vec<_> = (0..5).map(|at| standing[at]["standing"].as_str().unwrap().to_owned()).collect();
    assert_eq!(standing, ["cooling", "cooling", "used_up", "used_up", "fit"]);
    assert!(hub.stop().await.success());
    check_receipts(&hub, &got).await;
    let refused = |entry: &Entry| entry.status.is_some_and(|status| status != 200);
    let refusals = hub.provider.simulator.log().iter().filter(|entry| refused(entry)).count();
    assert!(
        refusals <= 2 * CLIENTS,
        "only the two accounts refuse, and only before they are locked: {refusals}"
    );
}
