//! `trivium --mcp` without a hub, and with hubs that go: somebody becomes the hub, and no client has to do anything.

use std::fs;

use serde_json::{Value, json};

use super::{
    super::{
        client::Client,
        support::{Ground, Hub, SOON, eventually},
    },
    call,
    process::{Talker, signal},
    request, tools,
};

/// The hub of the ground: its process and address.
fn hub_of(ground: &Ground) -> Option<(u32, String)> {
    let file: Value = serde_json::from_slice(&fs::read(ground.runtime_file()).ok()?).ok()?;
    let pid = u32::try_from(file["pid"].as_u64()?).ok()?;
    Some((pid, file["base_url"].as_str()?.strip_prefix("http://")?.to_owned()))
}

fn ground() -> Ground {
    let ground = Ground::new();
    fs::write(ground.config(), "auth: {required: true}\n").unwrap();
    ground
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_becomes_the_hub_and_the_next_when_it_leaves() {
    let ground = ground();
    let mut first = Talker::open(&ground, &[]).await;
    let mut second = Talker::open(&ground, &[]).await;
    let (pid, address) = hub_of(&ground).unwrap();
    assert_eq!(pid, first.id());
    let key = fs::read_to_string(ground.data_dir().join("first-key.txt")).unwrap();
    let client = Client::new(address.parse().unwrap(), key.trim());
    assert_eq!(client.get("/health").await.status, 200, "it is a hub like any other");
    for talker in [&mut first, &mut second] {
        assert!(tools(&talker.ask("tools/list", json!({})).await).contains(&"get_health".to_owned()));
    }
    first.leave();
    assert_eq!(first.end().await.code(), Some(0), "{}", ground.said());
    let health = second.ask("tools/call", json!({"name": "get_health", "arguments": {}})).await;
    assert_eq!(health["result"]["isError"], false, "{health}");
    assert_eq!(hub_of(&ground).unwrap().0, second.id());
    second.signal("TERM");
    assert_eq!(second.end().await.code(), Some(0), "{}", ground.said());
    assert!(!ground.runtime_file().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn several_that_start_at_once_share_one_hub() {
    let ground = ground();
    let mut talkers: Vec<Talker> = (0..4).map(|_| Talker::start(&ground, &[])).collect();
    for talker in &mut talkers {
        talker.say(&super::initialize(0));
    }
    for talker in &mut talkers {
        assert_eq!(talker.answer(0).await["result"]["serverInfo"]["name"], "trivium");
    }
    let (hub, _) = hub_of(&ground).unwrap();
    assert_eq!(talkers.iter().filter(|talker| talker.id() == hub).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_hub_costs_calls_under_way_and_nothing_else() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let mut talkers = Vec::new();
    for _ in 0..3 {
        talkers.push(Talker::open(&hub.ground, &["--scopes", "*"]).await);
    }
    // It takes what is sent, and does nothing any more.
    signal(hub.process.id(), "STOP");
    for talker in &mut talkers {
        talker.say(&call(1, "create_key", json!({"name": "once"})));
        talker.say(&request(2, "tools/list", json!({})));
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    hub.process.kill();
    for talker in &mut talkers {
        let lost = talker.answer(1).await;
        assert_eq!(lost["error"]["data"]["reason"], "hub_gone", "{lost}");
        assert!(tools(&talker.answer(2).await).contains(&"get_health".to_owned()));
        let listed = talker.ask("tools/call", json!({"name": "list_keys", "arguments": {}})).await;
        assert!(!listed["result"].to_string().contains("once"), "nothing is done twice, or later: {listed}");
    }
    let (pid, _) = hub_of(&hub.ground).unwrap();
    assert_eq!(talkers.iter().filter(|talker| talker.id() == pid).count(), 1, "one of them is the hub");

    // And once more: the one that took over is killed.
    let at = talkers.iter().position(|talker| talker.id() == pid).unwrap();
    let gone = talkers.remove(at);
    gone.signal("KILL");
    for talker in &mut talkers {
        assert_eq!(talker.ask("ping", json!({})).await["result"], json!({}), "{}", hub.ground.said());
    }
    let next =
        eventually("another is the hub", SOON, || hub_of(&hub.ground).filter(|one| one.0 != pid)).await;
    assert_eq!(talkers.iter().filter(|talker| talker.id() == next.0).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_started_again_is_found_again() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let mut talker = Talker::open(&hub.ground, &[]).await;
    assert_eq!(hub.stop().await.code(), Some(0));
    assert_eq!(talker.ask("ping", json!({})).await["result"], json!({}));
    assert_eq!(hub_of(&hub.ground).unwrap().0, talker.id());
}
