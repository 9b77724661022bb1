//! Two hundred clients while the configuration file is rewritten under them and a key is revoked: no request that
//! was accepted is lost, and the revoked key is out from then on.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use trivium::simulator::Outcome;

use super::{
    client::{Answer, Client},
    support::{Hub, SOON, eventually},
};

const CLIENTS: usize = 200;
/// Of the clients, those that use the key that will be revoked. Each is refused once, which together stays below the
/// ten failures from which an address is throttled.
const WITH_REVOKED_KEY: usize = 8;

/// What all clients share.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    whole: AtomicUsize,
    refused: AtomicUsize,
    /// Set before the key is revoked, so that no refusal is too early for it.
    may_be_refused: AtomicBool,
    /// Set after the command that revoked the key has ended.
    must_be_refused: AtomicBool,
}

/// Asks until told to stop; every answer must be whole.
async fn ask(client: Client, stream: bool, shared: Arc<Shared>) -> usize {
    let mut asked = 0;
    while !shared.stop.load(SeqCst) {
        client.chat("m").stream_if(stream).send().await.must_be_whole();
        shared.whole.fetch_add(1, SeqCst);
        asked += 1;
    }
    asked
}

/// Asks with the key that is revoked on the way: whole answers before, a refusal after.
async fn ask_until_refused(client: Client, stream: bool, shared: Arc<Shared>) -> usize {
    let mut asked = 0;
    loop {
        let must_be_refused = shared.must_be_refused.load(SeqCst);
        let answer = client.chat("m").stream_if(stream).send().await;
        asked += 1;
        if answer.status == 401 {
            assert!(shared.may_be_refused.load(SeqCst), "refused before it was revoked");
            assert_eq!(answer.code(), "invalid_api_key");
            shared.refused.fetch_add(1, SeqCst);
            return asked;
        }
        assert!(!must_be_refused, "let in after it was revoked: {answer:?}");
        answer.must_be_whole();
        shared.whole.fetch_add(1, SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_accepted_request_is_lost() {
    let hub = Hub::builder().account("a", "sim-pace-5").account("b", "sim-pace-5").start().await;
    let staying = hub.new_key("staying").await;
    let leaving = hub.new_key("leaving").await;
    let shared = Arc::new(Shared::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (shared, stream) = (Arc::clone(&shared), number % 2 == 0);
        if number < WITH_REVOKED_KEY {
            clients.spawn(ask_until_refused(hub.with_key(&leaving), stream, shared));
        } else {
            clients.spawn(ask(hub.with_key(&staying), stream, shared));
        }
    }
    let at_least = |count: &AtomicUsize, more: usize| {
        let goal = count.load(SeqCst) + more;
        let shared = Arc::clone(&shared);
        async move {
            eventually("the load goes on", SOON, || (shared.whole.load(SeqCst) >= goal).then_some(())).await;
        }
    };
    at_least(&shared.whole, CLIENTS).await;
    assert!(!hub.provider.calls("a").is_empty() && hub.provider.calls("b").is_empty());

    // An account is added in front: it is used.
    hub.reconfigure(&[("c", "sim-pace-5"), ("a", "sim-pace-5"), ("b", "sim-pace-5")]);
    hub.uses(&["c", "a", "b"]).await;
    eventually("the new account is used", SOON, || hub.provider.calls("c").pop()).await;

    // The order changes, and the account that served is taken away while it serves.
    hub.reconfigure(&[("b", "sim-pace-5"), ("a", "sim-pace-5")]);
    hub.uses(&["b", "a"]).await;
    eventually("the first account is used", SOON, || hub.provider.calls("b").pop()).await;

    // An invalid file changes nothing.
    hub.write_config("providers:\n  - id: d\n    type: no-such-provider\n  broken: [\n");
    eventually("the invalid file is refused", SOON, || {
        hub.ground.said().contains("is refused; the running settings stay in use").then_some(())
    })
    .await;
    at_least(&shared.whole, CLIENTS).await;
    assert_eq!(hub.connections().await, ["b", "a"]);

    // A valid file after the invalid one.
    hub.reconfigure(&[("d", "sim-pace-5"), ("b", "sim-pace-5")]);
    hub.uses(&["d", "b"]).await;
    eventually("the newest account is used", SOON, || hub.provider.calls("d").pop()).await;
    at_least(&shared.whole, CLIENTS).await;

    // A key is revoked by the command line.
    shared.may_be_refused.store(true, SeqCst);
    hub.ground.cli_ok(&["keys", "revoke", "leaving"]).await;
    shared.must_be_refused.store(true, SeqCst);
    eventually("the revoked key is refused", SOON, || {
        (shared.refused.load(SeqCst) >= WITH_REVOKED_KEY).then_some(())
    })
    .await;

    shared.stop.store(true, SeqCst);
    while let Some(asked) = clients.join_next().await {
        assert!(asked.unwrap() > 1, "several requests each");
    }
    assert_eq!(hub.with_key(&leaving).chat("m").send().await.status, 401, "and it stays out");
    let served: BTreeSet<_> =
        hub.provider.simulator.log().into_iter().filter_map(|entry| entry.key).collect();
    let expected = ["sim-pace-5.a", "sim-pace-5.b", "sim-pace-5.c", "sim-pace-5.d"];
    assert!(served.iter().eq(expected), "{served:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_its_account() {
    let hub = Hub::builder().account("a", "sim-pace-20+chunks-120").start().await;
    let stream = hub.chat("m").stream().open().await;
    hub.reconfigure(&[("b", "sim-ok")]);
    hub.uses(&["b"]).await;
    assert_eq!(
        hub.provider.calls("a")[0].outcome,
        Outcome::Running,
        "it was to run on while its account went"
    );
    let answer = Answer::read(stream).await.unwrap();
    answer.must_be_whole();
    assert_eq!(answer.header("x-gateway-route"), "a");
    let next = hub.chat("m").send().await;
    assert_eq!(next.header("x-gateway-route"), "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_goes_away_changes_nothing() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    std::fs::remove_file(hub.ground.config()).unwrap();
    eventually("it is said", SOON, || hub.ground.said().contains("is gone").then_some(())).await;
    hub.chat("m").send().await.must_be_whole();
    hub.reconfigure(&[("b", "sim-ok")]);
    hub.uses(&["b"]).await;
}

/// A file with one account and these combos.
fn with_combos(hub: &Hub, combos: &str) -> String {
    format!(
        "providers:\n  - {{id: a, type: openai-compatible, base_url: 'http://{}/v1', api_key: sim-ok.a, models: [m]}}\ncombos:\n{combos}",
        hub.provider.address,
    )
}

/// Waits until a name is in use.
async fn serves(hub: &Hub, model: &str) {
    let end = Instant::now() + SOON;
    while hub.chat(model).send().await.status != 200 {
        assert!(Instant::now() < end, "`{model}` is not in use: {}", hub.ground.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn combos_that_cannot_be_are_refused_with_place_and_remedy_and_the_running_ones_stay() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let good = "  - {id: works, steps: [m]}\n";
    hub.write_config(&with_combos(&hub, good));
    serves(&hub, "works").await;
    // What is written, and what is said of it: the problem, the line, and what to do.
    let table = [
        (
            "  - {id: one, steps: [combo/two]}\n  - {id: two, steps: [combo/one]}\n",
            ["one → two → one", ":5:", "remove one of these steps"],
        ),
        (
            "  - {id: lost, steps: [mm]}\n",
            ["no connection serves a model named `mm`", ":5:", "did you mean `m`?"],
        ),
        (
            "  - {id: light, steps: [{model: m, weight: -1}]}\n",
            ["found the number `-1`", ":5:", "a whole number from 0 to 1000000"],
        ),
        (
            "  - {id: works, steps: [m]}\n",
            ["the combo `works` is given twice, in lines 4 and 5", ":5:", "give"],
        ),
        ("  - {id: odd, strategy: best, steps: [m]}\n", ["found the text `best`", ":5:", "strategy"]),
        ("  - {id: deep, steps: [combo/nobody]}\n", ["there is no combo `nobody`", ":5:", "help:"]),
    ];
    for (bad, words) in table {
        let before = hub.ground.said().len();
        hub.write_config(&with_combos(&hub, &format!("{good}{bad}")));
        let said = eventually("the file is refused", SOON, || {
            let said = hub.ground.said().get(before..)?.to_owned();
            (said.contains("is refused; the running settings stay in use") && said.contains("help"))
                .then_some(said)
        })
        .await;
        assert!(words.iter().all(|word| said.contains(word)), "{bad}{said}");
        let answer = hub.chat("works").send().await;
        answer.must_be_whole();
        assert_eq!(answer.header("x-gateway-route"), "a", "{bad}");
    }
    // Nothing of what was refused is in use, and the next good file is.
    assert_eq!(hub.chat("one").send().await.code(), "model_not_found");
    hub.write_config(&with_combos(&hub, "  - {id: later, steps: [m]}\n"));
    serves(&hub, "later").await;
    assert_eq!(hub.chat("works").send().await.code(), "model_not_found");
}
