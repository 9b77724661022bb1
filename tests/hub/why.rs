//! Why a request went where it did: what simulate and explain say is what the headers told, and what is kept of a plan gives
//! the same plan again.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use trivium::{
    engine::plan::{Made, decide},
    simulator::{Behaviour, RetryAfter, Script},
};

use super::support::TestHub;

const ACCOUNTS: &str = "
providers:
  - {id: a, type: openai-compatible, api_key: sim-ok.a, base_url: 'http://simulator.test/v1', models: [m, other]}
  - {id: b, type: openai-compatible, api_key: sim-ok.b, base_url: 'http://simulator.test/v1', models: [m]}
  - {id: c, type: openai-compatible, api_key: sim-ok.c, base_url: 'http://simulator.test/v1', models: [m]}
combos:
  - {id: drawn, strategy: random, connections: random, steps: [m, other]}
  - {id: spread, strategy: strict-random, connections: p2c, steps: [m, other]}
  - {id: share, strategy: weighted, sticky: 3, steps: [{model: m, weight: 3}, other]}
";

async fn simulated(hub: &TestHub, args: Value) -> Value {
    hub.json(Method::POST, "/api/routing/simulate", args).await.json()
}

async fn explained(hub: &TestHub, id: &str) -> Value {
    hub.get(&format!("/api/routing/explain/{id}")).await.json()
}

#[tokio::test(start_paused = true)]
async fn a_simulation_says_where_the_next_request_goes_and_takes_no_turn() {
    let hub = TestHub::builder().yaml(ACCOUNTS).build().await;
    for model in ["drawn", "spread", "share", "auto", "auto/coding:fast", "m"] {
        for _ in 0..20 {
            let said = simulated(&hub, json!({"model": model})).await;
            assert_eq!(said, simulated(&hub, json!({"model": model})).await);
            let answer = hub.chat(model).await;
            assert_eq!(said["order"][0]["connection"], answer.route(), "{model}");
            let told = explained(&hub, answer.header("x-request-id")).await;
            assert_eq!(told["decision"]["order"][0]["connection"], answer.route());
            assert_eq!(told["attempts"][0]["connection"], answer.route());
            assert_eq!(told["outcome"], "completed");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_explanation_tells_attempts_and_who_was_left_out() {
    let dry = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(1, 300) };
    let script = Script::default().key("sim-ok.a", dry);
    let hub = TestHub::builder().yaml(ACCOUNTS).script(script).build().await;
    assert_eq!(hub.chat("m").await.route(), "a");
    let answer = hub.chat("m").await;
    let told = explained(&hub, answer.header("x-request-id")).await;
    assert_eq!(told["attempts"][0]["fault"], "rate_limited");
    assert_eq!(told["attempts"][1]["connection"], "b");
    assert_eq!(told["decision"]["order"].as_array().map(Vec::len), Some(3));
    let answer = hub.chat("m").await;
    let told = explained(&hub, answer.header("x-request-id")).await;
    assert_eq!(told["decision"]["left_out"][0]["connection"], "a");
    assert!(told["decision"]["left_out"][0]["reason"].as_str().unwrap().starts_with("rate_limited:"));
    let said = simulated(&hub, json!({"model": "m"})).await;
    assert_eq!(said["left_out"][0]["connection"], "a");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_is_refused_with_a_reason() {
    let hub = TestHub::builder().yaml(ACCOUNTS).build().await;
    let unknown = hub.get("/api/routing/explain/req_1").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text.contains("receipt of the request `req_1`"), "{}", unknown.text);
    let unknown = hub.json(Method::POST, "/api/routing/simulate", json!({"model": "nobody"})).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    for (args, word) in [
        (json!({"model": " "}), "`model`"),
        (json!({"model": "m", "dialect": "klingon"}), "`dialect`"),
        (json!({"model": "m", "speed": 1}), "speed"),
    ] {
        let refused = hub.json(Method::POST, "/api/routing/simulate", args).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
        assert!(refused.text.contains(word), "{}", refused.text);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_receipts_give_their_order_again() {
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(40, 60) };
    let script = Script::default().key("sim-ok.b", limited);
    let hub = TestHub::builder().yaml(ACCOUNTS).script(script).build().await;
    let models = ["drawn", "spread", "share", "auto", "m"];
    for nth in 0..10_000_usize {
        hub.chat(models[nth % models.len()]).await;
        if nth % 50 == 0 {
            tokio::time::sleep(std::time::Duration::from_secs(7)).await;
        }
    }
    let mut orders = std::collections::BTreeSet::new();
    let receipts = hub.last_receipts(10_000).await;
    assert_eq!(receipts.len(), 10_000);
    for receipt in receipts {
        let kept = hub.plan_of(&receipt.id).await.unwrap();
        let made: Made = serde_json::from_str(&kept).unwrap();
        assert_eq!(decide(&made.inputs).order, made.order);
        let leaves: Vec<_> = made.inputs.root.leaves().collect();
        let tried = receipt.detail.attempts.iter().map(|attempt| (&*attempt.connection, &*attempt.model));
        let planned = made.order.iter().map(|&at| (&*leaves[at].connection, &*leaves[at].model));
        assert!(tried.eq(planned.take(receipt.detail.attempts.len())), "{receipt:?}");
        orders.insert(made.order);
    }
    assert!(orders.len() > 20, "{} different orders", orders.len());
}
