//! Programs that are told of budgets, quotas and accounts.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::sleep;
use trivium::simulator::{Behaviour, Fault, Rule, Script};

use super::{
    agents::{by, key},
    support::TestHub,
};

const ALL: &str =
    "webhooks: [{id: all, url: 'https://hooks.test/x?key=1', secret: 'a secret of some length'}]\n";

/// What was told, as (event, data), each message once.
fn told(hub: &TestHub) -> Vec<(String, Value)> {
    let mut ids = Vec::new();
    let mut told = Vec::new();
    for message in hub.posted.messages() {
        let mut body: Value = serde_json::from_slice(&message.body).unwrap();
        if !ids.contains(&body["id"]) {
            ids.push(body["id"].clone());
            told.push((body["type"].as_str().unwrap().to_owned(), body["data"].take()));
        }
    }
    told
}

fn names(hub: &TestHub) -> Vec<String> {
    told(hub).into_iter().map(|(name, _)| name).collect()
}

async fn seconds(count: u64) {
    sleep(Duration::from_millis(count * 1000 + 100)).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_locked_and_recovers_is_told_of_in_signed_messages() {
    let script = Script::default().key("sim-ok.a", Behaviour::limited(1, 300));
    let hub = TestHub::builder().yaml(ALL).account("a", "sim-ok.a").account("b", "sim-ok.b").script(script);
    let hub = hub.telling().build().await;
    seconds(2).await;
    hub.chat("m").await;
    seconds(2).await;
    assert_eq!(names(&hub), [""; 0], "nothing has happened yet");
    hub.chat("m").await;
    seconds(2).await;
    let events = told(&hub);
    assert_eq!(events.len(), 1, "{events:?}");
    let (name, data) = &events[0];
    assert_eq!(
        (name.as_str(), &data["connection"], &data["reason"]),
        ("connection.locked", &"a".into(), &"rate_limited".into())
    );
    assert!(data["until_at"].as_i64() > data["since_at"].as_i64(), "{data}");
    let message = &hub.posted.messages()[0];
    assert_eq!(message.url, "https://hooks.test/x?key=1");
    assert!(message.header("webhook-id").unwrap().starts_with("evt_"));
    assert!(message.header("webhook-timestamp").unwrap().starts_with("17672256"), "{message:?}");
    assert!(message.header("webhook-signature").unwrap().starts_with("v1,"), "{message:?}");
    seconds(400).await;
    assert_eq!(names(&hub), ["connection.locked", "connection.recovered"]);
}

#[tokio::test(start_paused = true)]
async fn a_message_is_tried_again_in_order_until_it_is_taken_or_given_up() {
    let script = Script::default().key("sim-ok.a", Behaviour::limited(1, 30));
    let hub = TestHub::builder().yaml(ALL).account("a", "sim-ok.a").script(script).telling().build().await;
    seconds(2).await;
    hub.posted.answer(&[500, 429, 302]);
    hub.chat("m").await;
    hub.chat("m").await;
    seconds(120).await;
    assert_eq!(names(&hub), ["connection.locked", "connection.recovered"]);
    let messages = hub.posted.messages();
    assert_eq!(messages.len(), 5, "three failures, and the second event waited for the first");
    assert!(messages[..4].iter().all(|one| one.body == messages[0].body));
    // Nobody takes it.
    hub.posted.answer(&[503; 10]);
    hub.chat("m").await;
    hub.chat("m").await;
    seconds(3000).await;
    let metrics = hub.get("/metrics").await.text;
    assert!(metrics.contains("trivium_webhooks_total{result=\"sent\"} 3\n"), "{metrics}");
    assert!(metrics.contains("trivium_webhooks_total{result=\"dropped\"} 1\n"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn breakers_are_told_of_to_those_who_want_it() {
    let yaml = "webhooks:\n  - {id: some, url: 'https://hooks.test/some', events: ['breaker.*']}\n  \
                - {id: none, url: 'https://hooks.test/none', events: [budget.warning]}\n";
    let behaviour =
        Behaviour { headers_delay_ms: 100, ..Behaviour::ok().rule(Rule::first(12, Fault::status(502))) };
    let script = Script::default().key("scripted", behaviour);
    let hub =
        TestHub::builder().yaml(yaml).account("only", "scripted").script(script).telling().build().await;
    seconds(2).await;
    for _ in 0..12 {
        hub.chat("m").await;
        seconds(1).await;
    }
    seconds(60).await;
    hub.chat("m").await;
    seconds(2).await;
    assert_eq!(names(&hub), ["breaker.opened", "breaker.closed"]);
    assert_eq!(told(&hub)[0].1["host"], "simulator.test");
    assert!(hub.posted.messages().iter().all(|one| one.url.ends_with("/some")));
    assert!(hub.posted.messages().iter().all(|one| one.header("webhook-signature").is_none()));
}

#[tokio::test(start_paused = true)]
async fn budgets_and_quotas_are_told_of_once_a_window() {
    let yaml = format!(
        "{ALL}budgets: [{{id: team, for: all, limit: 5, window: day, mode: soft, warn: 0.5}}]\n\
         providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    \
         api_key: sim-ok.a\n    models: [{{id: m, price: {{input: 0, output: 0, request: 1}}}}]\n    \
         limits: [{{per: day, requests: 5}}]\n"
    );
    let hub = TestHub::builder().yaml(&yaml).telling().build().await;
    seconds(2).await;
    for _ in 0..5 {
        hub.chat("m").await;
        seconds(2).await;
    }
    let events = told(&hub);
    let of = |kind: &str| -> Vec<&str> {
        events.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with(kind)).collect()
    };
    assert_eq!(of("quota."), ["quota.nearly_used", "quota.exhausted"], "{events:?}");
    assert_eq!(of("budget."), ["budget.warning", "budget.exceeded"], "{events:?}");
    let (_, data) = events.iter().find(|(name, _)| name == "budget.exceeded").unwrap();
    assert_eq!((&data["budget"], &data["holder"]), (&"team".into(), &"".into()));
    assert_eq!(data["key"], Value::Null, "it is nobody's alone");
    assert!(data["spent_usd"].as_f64() >= data["limit_usd"].as_f64(), "{data}");
    seconds(25 * 3600).await;
    hub.chat("m").await;
    seconds(2).await;
    assert!(names(&hub).contains(&"quota.reset".to_owned()), "{:?}", told(&hub));
}

#[tokio::test(start_paused = true)]
async fn budgets_of_keys_are_told_of_with_their_key() {
    let yaml = format!(
        "{ALL}providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    \
         api_key: sim-ok.a\n    models: [{{id: m, price: {{input: 0, output: 0, request: 1}}}}]\n"
    );
    let hub = TestHub::builder().yaml(&yaml).telling().build().await;
    let scopes = &["execute:completions"];
    let (id, secret) = key(&hub, "intern", scopes, json!({"usd_per_day": 5, "usd_per_month": 100})).await;
    let (_, free) = key(&hub, "free", scopes, json!({})).await;
    let chat = async |secret: &str| {
        let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
        by(&hub, secret, Method::POST, "/v1/chat/completions", body).await.status
    };
    seconds(2).await;
    for _ in 0..5 {
        assert_eq!((chat(&secret).await, chat(&free).await), (StatusCode::OK, StatusCode::OK));
        seconds(2).await;
    }
    assert_eq!(chat(&secret).await, StatusCode::TOO_MANY_REQUESTS);
    seconds(2).await;
    let events = told(&hub);
    assert_eq!(names(&hub), ["budget.warning", "budget.exceeded"], "{events:?}");
    for (name, data) in &events {
        assert_eq!(
            (&data["budget"], &data["holder"]),
            (&"key:day".into(), &id.as_str().into()),
            "{name}: {data}"
        );
        assert_eq!(data["key"], json!({"id": id, "name": "intern"}), "{name}");
        assert_eq!(data["limit_usd"], 5.0, "{name}: {data}");
    }
    assert_eq!(events[1].1["spent_usd"], 5.0, "{events:?}");
    // The next request finds another limit.
    let policy = json!({"policy": {"usd_per_day": 10}});
    let changed = hub.json(Method::PATCH, &format!("/api/keys/{id}"), policy).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(chat(&secret).await, StatusCode::OK);
    seconds(2).await;
    assert_eq!(names(&hub).len(), 2, "once a window");
    seconds(25 * 3600).await;
    for _ in 0..8 {
        assert_eq!(chat(&secret).await, StatusCode::OK);
        seconds(2).await;
    }
    let events = told(&hub);
    assert_eq!(events.len(), 3, "{events:?}");
    let (name, data) = &events[2];
    assert_eq!((name.as_str(), &data["limit_usd"]), ("budget.warning", &10.0.into()), "{data}");
}

#[tokio::test(start_paused = true)]
async fn a_webhook_is_tested_by_one_signed_message() {
    let hub = TestHub::builder().yaml(ALL).account("a", "sim-ok").build().await;
    let test = async |id: &str| {
        hub.json(http::Method::POST, &format!("/api/webhooks/{id}/test"), serde_json::json!({})).await
    };
    let taken = test("all").await.json();
    let told = ["taken", "status", "signed"].map(|name| taken[name].clone());
    assert_eq!(told, serde_json::json!([true, 200, true]).as_array().unwrap()[..], "{taken}");
    let message = hub.posted.messages().remove(0);
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["webhook"]), (&"test".into(), &"all".into()));
    assert_eq!(
        (body["id"].as_str(), taken["message"].as_str()),
        (message.header("webhook-id"), body["id"].as_str())
    );
    assert!(message.header("webhook-signature").unwrap().starts_with("v1,"));
    hub.posted.answer(&[503]);
    let refused = test("all").await.json();
    assert_eq!((&refused["taken"], &refused["status"]), (&false.into(), &503.into()), "{refused}");
    assert_eq!(hub.posted.messages().len(), 2, "it is not tried again");
    assert!(!refused.to_string().contains("key=1"), "the URL stays secret: {refused}");
    assert_eq!(test("nobody").await.status, 404);
}
