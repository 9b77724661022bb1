//! Messages that are kept word for word, where the operator wants it.

use std::time::Duration;

use axum::body::Body;
use canon::Dialect;
use http::Request;
use serde_json::{Value, json};
use tokio::time::sleep;
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::{Answer, TestHub, chat};

const ON: &str = "capture: {enabled: on, payload_kb: 1}\n";

/// The messages of a request, as (stage, attempt, status, body).
async fn payloads(hub: &TestHub, answer: &Answer) -> Vec<Value> {
    sleep(Duration::from_millis(1)).await;
    let told = hub.get(&format!("/api/traces/{}", answer.header("x-request-id"))).await.json();
    assert!(told["request_id"].is_string(), "{told}");
    told["payloads"].as_array().cloned().unwrap_or_default()
}

fn said(text: &str, stream: bool) -> Request<Body> {
    let messages = json!([{"role": "user", "content": text}]);
    let body = json!({"model": "m", "stream": stream, "messages": messages}).to_string();
    Request::post("/v1/chat/completions").body(Body::from(body)).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_stage_of_every_attempt_is_kept_without_credentials() {
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(0, 300) };
    let script = Script::default().key("sim-ok.first", limited);
    let hub = TestHub::builder().yaml(ON).account("a", "sim-ok.first").account("b", "sim-ok.second");
    let hub = hub.script(script).build().await;
    let answer = hub.send(said("my key is sk-proj-0123456789abcdef and sim-ok.second", false)).await;
    let kept = payloads(&hub, &answer).await;
    let told: Vec<_> = kept
        .iter()
        .map(|one| (one["stage"].as_str().unwrap(), one["attempt"].as_u64(), one["status"].as_u64()))
        .collect();
    assert_eq!(
        told,
        [
            ("client_request", None, None),
            ("sent_request", Some(1), None),
            ("upstream_answer", Some(1), Some(429)),
            ("sent_request", Some(2), None),
            ("upstream_answer", Some(2), Some(200)),
            ("client_answer", None, Some(200)),
        ]
    );
    assert_eq!(kept[1]["url"], "http://simulator.test/v1/chat/completions");
    let headers = kept[3]["headers"].as_array().unwrap();
    assert!(headers.contains(&json!({"name": "authorization", "value": "[redacted]"})), "{headers:?}");
    for one in &kept {
        let text = one.to_string();
        assert!(!text.contains("sk-proj") && !text.contains("sim-ok.second"), "{text}");
    }
    assert!(kept[0]["body"].as_str().unwrap().contains("my key is [redacted] and [redacted]"), "{}", kept[0]);
    assert!(kept[2]["body"].as_str().unwrap().contains("error"), "{}", kept[2]);
    assert_eq!(kept[5]["body"], answer.text.as_str());
    let listed = hub.get("/api/traces").await;
    assert!(!listed.text.contains("my key"), "pages show no messages");
    let metrics = hub.get("/metrics").await.text;
    assert!(metrics.contains("trivium_captures_total{result=\"kept\"} 1\n"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn streams_are_kept_up_to_the_bound_and_translated_ones_in_both_dialects() {
    let hub = TestHub::builder().yaml(ON).account_at(Dialect::Messages, "a", "sim-ok.a").build().await;
    let long = "many words of no meaning ".repeat(100);
    let answer = hub.send(said(&long, true)).await;
    let kept = payloads(&hub, &answer).await;
    assert_eq!(kept.len(), 4, "{kept:?}");
    assert_eq!(kept[0]["cut"], true);
    assert!(kept[0]["bytes"].as_u64().unwrap() > 2500);
    let body = kept[0]["body"].as_str().unwrap();
    assert!((1000..=1024).contains(&body.len()) && body.ends_with(' '), "{body}");
    assert!(kept[1]["url"].as_str().unwrap().ends_with("/messages"), "{}", kept[1]);
    assert!(kept[2]["body"].as_str().unwrap().starts_with("event: message_start"), "{}", kept[2]);
    assert!(kept[3]["body"].as_str().unwrap().starts_with("data: {"), "{}", kept[3]);
    assert!(answer.text.starts_with(kept[3]["body"].as_str().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_kept_too_and_old_messages_go() {
    let yaml = "capture: {enabled: on, days: 1}\n";
    let script = Script::default().key("sim-ok.a", Behaviour::limited(0, 300));
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok.a").script(script).build().await;
    let answer = hub.chat("m").await;
    let kept = payloads(&hub, &answer).await;
    assert_eq!(kept.last().unwrap()["status"].as_u64(), Some(u64::from(answer.status.as_u16())));
    assert!(!kept.last().unwrap()["body"].as_str().unwrap().is_empty());
    sleep(Duration::from_secs(25 * 3600)).await;
    assert_eq!(payloads(&hub, &answer).await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_kept_unless_the_operator_wants_it() {
    let hub = TestHub::builder().account("a", "sim-ok.a").build().await;
    let answer = hub.send(chat("m", false)).await;
    assert_eq!(payloads(&hub, &answer).await, Vec::<Value>::new());
}
