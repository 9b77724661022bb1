//! `trivium simulate-route` and `trivium explain` as they are typed: what they say is what the headers of a request say,
//! with the hub that served it and without.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Ground, Hub, SOON};

const COMBOS: &str = "combos:\n  - {id: first, strategy: priority, steps: [dry/m, good/m]}\n  - {id: other, strategy: priority, steps: [good/m, dry/m]}";

async fn simulated(ground: &Ground, model: &str) -> Value {
    serde_json::from_str(&ground.cli_ok(&["simulate-route", model, "--json"]).await).unwrap()
}

/// What is kept of a request; receipts are written a moment after the answer.
async fn explained(ground: &Ground, id: &str) -> Value {
    let end = Instant::now() + SOON;
    loop {
        let output = ground.cli(&["explain", id, "--json"]).await;
        if output.status.success() {
            return serde_json::from_slice(&output.stdout).unwrap();
        }
        assert!(Instant::now() < end, "{}", String::from_utf8_lossy(&output.stderr));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn connections(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one["connection"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_agrees_with_the_headers() {
    let mut hub = Hub::builder()
        .section(COMBOS)
        .account("dry", "sim-429-retry-600")
        .account("good", "sim-ok")
        .start()
        .await;
    for (model, route, attempts) in [("other", "good", "1"), ("first", "good", "2"), ("first", "good", "1")] {
        let said = simulated(&hub.ground, model).await;
        let answer = hub.chat(model).send().await;
        answer.must_be_whole();
        assert_eq!(answer.header("x-gateway-route"), route);
        assert_eq!(answer.header("x-gateway-attempts"), attempts);
        let tries: usize = attempts.parse().unwrap();
        let order = connections(&said["order"]);
        assert_eq!(order[tries - 1], route, "{model}: {said}");
        let told = explained(&hub.ground, &answer.request_id()).await;
        assert_eq!(told["decision"]["order"], said["order"], "{model}");
        assert_eq!(told["decision"]["strategy"], said["strategy"]);
        assert_eq!(connections(&told["attempts"]), order[..tries], "{model}");
        assert_eq!(told["attempts"][tries - 1]["model"], answer.header("x-gateway-model"));
        let text = hub.ground.cli_ok(&["explain", &answer.request_id()]).await;
        assert!(text.contains(route) && text.contains(&answer.request_id()), "{text}");
    }
    let last = hub.chat("first").send().await.request_id();
    let said = simulated(&hub.ground, "first").await;
    assert_eq!(connections(&said["left_out"]), ["dry"], "{said}");
    let told = explained(&hub.ground, &last).await;
    let text = hub.ground.cli_ok(&["simulate-route", "first"]).await;
    assert!(text.starts_with("first by priority") && text.contains("- dry m: rate_limited"), "{text}");

    assert!(hub.stop().await.success());
    assert_eq!(explained(&hub.ground, &last).await, told, "the same without the hub");
    let alone = simulated(&hub.ground, "first").await;
    assert_eq!(connections(&alone["order"]), connections(&said["order"]), "{alone}");
    assert_eq!(connections(&alone["left_out"]), ["dry"], "the cooldown outlives the hub: {alone}");
    let unknown = hub.ground.cli(&["explain", "req_nobody"]).await;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("req_nobody") && !unknown.status.success());
}
