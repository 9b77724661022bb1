//! What a hub knows outlives it: after `kill -9` but for the receipts of the last moment, after an orderly stop
//! without exception.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Method;
use tokio::task::JoinSet;
use trivium::{
    app::SystemClock,
    ops::ports::ReceiptLog,
    store::{DataDir, RuntimeFile, Store, WriterLimits},
};

use super::{
    client::{Answer, Client},
    support::{Ground, Hub, SOON, eventually},
};

/// What `kill -9` may cost: 100 ms of receipts, and 50 ms for the test's own clock on a busy machine.
const MAY_BE_MISSING: Duration = Duration::from_millis(150);

/// The database of a hub that has ended.
pub(super) async fn store(ground: &Ground) -> Store {
    let data_dir = DataDir::lock(&ground.data_dir()).unwrap();
    Store::open(&data_dir, WriterLimits::default(), Arc::new(SystemClock)).await.unwrap()
}

/// The answers that clients got to their last byte, and when.
#[derive(Clone, Default)]
struct Got(Arc<Mutex<Vec<(String, Instant)>>>);

impl Got {
    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn all(&self) -> Vec<(String, Instant)> {
        self.0.lock().unwrap().clone()
    }

    /// Asks until the hub is gone.
    async fn ask_until_the_end(self, client: Client, stream: bool) {
        while let Ok(answer) = client.chat("m").stream_if(stream).try_send().await {
            answer.must_be_whole();
            self.0.lock().unwrap().push((answer.request_id(), answer.at));
        }
    }
}

/// A hub that was killed under load.
struct Killed {
    hub: Hub,
    key: String,
    revoked: String,
    /// Receipts of answers older than what a kill may cost that are not in the database.
    missing: usize,
    /// How many such answers there were.
    of: usize,
}

async fn killed_under_load() -> Killed {
    let mut hub = Hub::builder()
        .account("dry", "sim-429-retry-600-after-5")
        .account("broke", "sim-402-after-5")
        .account("good", "sim-ok")
        .start()
        .await;
    let key = hub.new_key("worker").await;
    let revoked = hub.new_key("gone").await;
    hub.ground.cli_ok(&["keys", "revoke", "gone"]).await;
    let got = Got::default();
    let mut clients = JoinSet::new();
    for number in 0..16 {
        let client = Client::new(hub.address, &key);
        clients.spawn(got.clone().ask_until_the_end(client, number % 2 == 0));
    }
    let enough = || (got.len() >= 300 && !hub.provider.calls("good").is_empty()).then_some(());
    eventually("there is load", SOON, enough).await;
    // The queue is written out every 100 ms at most: let some answers be older than that.
    let loaded = Instant::now();
    eventually("the load goes on", SOON, || (loaded.elapsed() > 2 * MAY_BE_MISSING).then_some(())).await;
    let killed = Instant::now();
    hub.process.kill();
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }

    let old = |at: &Instant| killed.saturating_duration_since(*at) > MAY_BE_MISSING;
    let answered = got.all();
    let must: Vec<_> = answered.iter().filter(|(_, at)| old(at)).collect();
    assert!(must.len() > 50, "too little load to tell: {} of {}", must.len(), answered.len());
    let store = store(&hub.ground).await;
    let mut missing = 0;
    for (id, _) in &must {
        let receipt = store.receipts().by_id(id.clone()).await.unwrap();
        missing += usize::from(receipt.is_none_or(|receipt| receipt.outcome != "completed"));
    }
    let of = must.len();
    let kept = store.load_cooldowns(0).await.unwrap();
    let mut cooling: Vec<_> = kept.iter().map(|record| &*record.connection).collect();
    cooling.sort_unstable();
    assert_eq!(cooling, ["broke", "dry"]);
    store.close().await.unwrap();
    drop(store);
    Killed { hub, key, revoked, missing, of }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9() {
    let mut killed = killed_under_load().await;
    // The bound is one of time, and other tests share the processors: a writer that is given none for a tenth of a
    // second misses it through no fault of its own. That does not happen three times in a row.
    for _ in 0..2 {
        if killed.missing > 0 {
            killed = killed_under_load().await;
        }
    }
    let Killed { hub, key, revoked, missing, of } = killed;
    assert_eq!(missing, 0, "of {of} receipts");

    hub.provider.simulator.clear_log();
    let hub = hub.again().await;
    let health = hub.health().await;
    let standing = |at: usize| health["details"]["connections"][at]["standing"].clone();
    assert_eq!([standing(0), standing(1), standing(2)], ["cooling", "cooling", "fit"], "{health}");
    let worker = hub.with_key(&key);
    for stream in [true, false] {
        let answer = worker.chat("m").stream_if(stream).send().await;
        answer.must_be_whole();
        assert_eq!((answer.header("x-gateway-route"), answer.header("x-gateway-attempts")), ("good", "1"));
    }
    assert_eq!(hub.with_key(&revoked).chat("m").send().await.code(), "invalid_api_key");
    assert!(hub.provider.calls("dry").is_empty() && hub.provider.calls("broke").is_empty());
    assert_eq!(hub.provider.calls("good").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_stop_lets_streams_finish_and_loses_nothing() {
    let mut hub = Hub::builder().account("a", "sim-pace-20+chunks-60").start().await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(hub.chat("m").stream().open().await);
    }
    assert_eq!(hub.provider.simulator.stats().in_flight, 20, "none has ended yet");
    hub.process.terminate();
    let mut ids = Vec::new();
    for stream in streams {
        let answer = Answer::read(stream).await.unwrap();
        answer.must_be_whole();
        ids.push(answer.request_id());
    }
    let status = hub.process.end().await;
    assert_eq!(status.code(), Some(0), "{}", hub.ground.said());
    assert!(!hub.ground.runtime_file().exists());
    let store = store(&hub.ground).await;
    for id in ids {
        let receipt = store.receipts().by_id(id).await.unwrap().expect("a receipt");
        assert_eq!(receipt.outcome, "completed");
    }
    assert_eq!(store.receipts().count().await.unwrap(), 20);
    store.close().await.unwrap();
    drop(store);
    let mut hub = hub.again().await;
    hub.chat("m").send().await.must_be_whole();
    assert_eq!(hub.stop().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_stops_a_hub_takes_nothing_new() {
    let mut hub = Hub::builder().account("a", "sim-pace-20+chunks-60").start().await;
    let stream = hub.chat("m").stream().open().await;
    hub.process.terminate();
    let end = Instant::now() + SOON;
    while Client::new(hub.address, &hub.key).try_send(Method::GET, "/livez", Bytes::new()).await.is_ok() {
        assert!(Instant::now() < end, "new connections are still taken");
    }
    assert_eq!(hub.provider.simulator.stats().in_flight, 1, "the stream still runs");
    Answer::read(stream).await.unwrap().must_be_whole();
    assert_eq!(hub.process.end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hubs_do_not_share_a_data_directory() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let second = hub.ground.cli(&["--port", "0"]).await;
    assert_eq!(second.status.code(), Some(1));
    let said = String::from_utf8(second.stderr).unwrap();
    let first = format!("the hub at http://{}", hub.address);
    let words = ["in use by", &first, &hub.process.id().to_string(), "DATA_DIR"];
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
    let file = RuntimeFile::of_running_hub(&hub.ground.data_dir()).unwrap().expect("the first one's file");
    assert_eq!(file.pid, hub.process.id());
    hub.chat("m").send().await.must_be_whole();
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_go_on_after_an_orderly_stop_and_after_kill_9() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let text = format!(
        "providers:\n  - {{id: q, type: openai-compatible, base_url: 'http://{}/v1', api_key: sim-ok.q, models: [m], limits: [{{per: day, requests: 40}}]}}\n",
        hub.provider.address,
    );
    hub.write_config(&text);
    hub.uses(&["q"]).await;
    for killed in [false, true] {
        for _ in 0..15 {
            hub.chat("m").send().await.must_be_whole();
        }
        if killed {
            tokio::time::sleep(2 * MAY_BE_MISSING).await;
            hub.process.kill();
            hub.process.end().await;
        } else {
            assert_eq!(hub.stop().await.code(), Some(0));
        }
        hub = hub.again().await;
    }
    let mut last = hub.chat("m").send().await;
    while last.header("x-gateway-route") == "q" {
        last = hub.chat("m").send().await;
    }
    assert_eq!(last.code(), "rate_limit_exceeded");
    // The store is ahead of the count by a fiftieth of the limit, and by one request at least.
    let calls = hub.provider.calls("q").len();
    assert!((39..=40).contains(&calls), "{calls}");
}

/// Every request costs a dollar, and there are forty.
const FORTY: &str = "
prices: [{model: m, price: {input: 0, output: 0, request: 1}}]
budgets: [{id: b, for: all, limit: 40, window: month}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_outlives_kill_9_and_is_exact_after_an_orderly_stop() {
    let mut hub = Hub::builder().section(FORTY).account("a", "sim-ok").start().await;
    for _ in 0..5 {
        hub.chat("m").send().await.must_be_whole();
    }
    assert_eq!(hub.stop().await.code(), Some(0));
    let mut hub = hub.again().await;
    let clients: Vec<_> = (0..4).map(|_| Client::new(hub.address, &hub.key)).collect();
    let asking = clients.into_iter().map(|client| {
        let served = |answer: Answer| answer.status.is_success();
        tokio::spawn(async move { while client.chat("m").try_send().await.is_ok_and(served) {} })
    });
    let asking: Vec<_> = asking.collect();
    eventually("some of it is spent", SOON, || (hub.provider.calls("a").len() >= 10).then_some(())).await;
    hub.process.kill();
    for client in asking {
        client.await.unwrap();
    }
    let before = hub.provider.calls("a").len();
    let hub = hub.again().await;
    let mut served = 0;
    loop {
        let answer = hub.chat("m").send().await;
        if !answer.status.is_success() {
            assert_eq!(answer.code(), "budget_exceeded");
            break;
        }
        served += 1;
    }
    let total = hub.provider.calls("a").len();
    assert_eq!(total, before + served);
    // The kill may cost a slice, $2, and one dollar for each of the four that were under way.
    assert!((34..=40).contains(&total), "{before} and {served}");
}
