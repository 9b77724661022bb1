//! Combos through a running hub, the calls counted in the simulator's own log.

use http::StatusCode;
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::TestHub;

const ACCOUNTS: &str = "
providers:
  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: [big]}
  - {id: b, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [big]}
  - {id: c, type: openai-compatible, api_key: sim-ok.c, base_url: 'http://simulator.test/v1', models: [small]}
";
const KEYS: [&str; 3] = ["sim-ok.a", "sim-ok.b", "sim-ok.c"];

async fn hub(combos: &str) -> TestHub {
    TestHub::builder().yaml(&format!("{ACCOUNTS}combos:\n{combos}")).build().await
}

#[tokio::test(start_paused = true)]
async fn a_combo_chooses_among_steps_and_each_step_among_its_accounts() {
    let hub =
        hub("  - {id: both, strategy: round-robin, connections: round-robin, steps: [big, small]}").await;
    let mut served = Vec::new();
    for _ in 0..8 {
        served.push(hub.chat("both").await.route().to_owned());
    }
    assert_eq!(served, ["a", "c", "b", "c", "a", "c", "b", "c"]);
    assert_eq!(hub.chat("combo/both").await.route(), "a", "another name of the same");
    assert_eq!(hub.calls(KEYS), [3, 2, 4]);
}

#[tokio::test(start_paused = true)]
async fn weights_share_the_load() {
    let hub = hub("  - {id: mix, strategy: weighted, steps: [{model: big, connection: a, weight: 70}, {model: small, weight: 30}]}").await;
    for _ in 0..1_000 {
        assert_eq!(hub.chat("mix").await.status, StatusCode::OK);
    }
    let [a, b, c] = hub.calls(KEYS);
    // The standard deviation of 1,000 draws at 0.7 is 14.5; four of them are 58.
    assert!((642..=758).contains(&a) && b == 0 && a + c == 1_000, "{a} {b} {c}");
}

#[tokio::test(start_paused = true)]
async fn random_draws_each_alike_and_strict_random_deals_each_once_a_round() {
    let steps = "steps: [a/big, b/big, small]";
    let drawn = hub(&format!("  - {{id: mix, strategy: random, {steps}}}")).await;
    for _ in 0..900 {
        assert_eq!(drawn.chat("mix").await.status, StatusCode::OK);
    }
    // The standard deviation of 900 draws at a third is 14.1; four of them are 57.
    let calls = drawn.calls(KEYS);
    assert!(calls.iter().all(|calls| (243..=357).contains(calls)), "{calls:?}");

    let dealt = hub(&format!("  - {{id: mix, strategy: strict-random, {steps}}}")).await;
    let mut rounds = std::collections::BTreeSet::new();
    for round in 1..=30 {
        let mut served = String::new();
        for _ in 0..3 {
            served.push_str(dealt.chat("mix").await.route());
        }
        assert_eq!(dealt.calls(KEYS), [round; 3], "{served}");
        rounds.insert(served);
    }
    assert!(rounds.len() > 3, "the order changes from round to round: {rounds:?}");
}

#[tokio::test(start_paused = true)]
async fn a_combo_fails_over_from_step_to_step_and_within_combos() {
    let dry = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(1, 300) };
    let script = KEYS[..2].iter().fold(Script::default(), |script, key| script.key(*key, dry.clone()));
    let combos = "  - {id: outer, steps: [combo/inner, small]}\n  - {id: inner, steps: [a/*, {model: big, connection: b}]}";
    let hub = TestHub::builder().yaml(&format!("{ACCOUNTS}combos:\n{combos}")).script(script).build().await;
    let mut served = Vec::new();
    for _ in 0..4 {
        served.push(hub.chat("outer").await.route().to_owned());
    }
    assert_eq!(served, ["a", "b", "c", "c"]);
    let refused = hub.chat("inner").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(start_paused = true)]
async fn combos_are_listed_and_take_the_place_of_models() {
    let hub = hub("  - {id: big, steps: [small]}\n  - {id: coding, steps: [a/big]}").await;
    let listed = hub.get("/v1/models").await.json();
    let ids: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(&ids[..2], ["big", "coding"]);
    assert!(ids.contains(&"auto"));
    assert_eq!(hub.get("/v1/models/coding").await.json()["owned_by"], "trivium");
    assert_eq!(hub.chat("big").await.route(), "c");
    assert_eq!(hub.chat("b/big").await.route(), "b");
    let unknown = hub.chat("codin").await;
    assert!(unknown.json()["error"]["message"].as_str().unwrap().contains("`coding`"), "{unknown:?}");
}
