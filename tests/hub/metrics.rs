//! What Prometheus reads: that it counts what happened, and who may read it.

use axum::body::Body;
use http::{Request, StatusCode};
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::TestHub;

/// The value of a sample, by the beginning of its line.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.starts_with(&format!("{sample} ")));
    let line = line.unwrap_or_else(|| panic!("no {sample} in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_happened_is_counted() {
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(2, 300) };
    let script = Script::default().key("sim-ok.a", limited);
    let hub =
        TestHub::builder().account("a", "sim-ok.a").account("b", "sim-ok.b").script(script).build().await;
    for _ in 0..2 {
        hub.chat("m").await;
    }
    hub.stream("m").await;
    hub.chat("nobody").await;
    let answer = hub.get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let text = answer.text;
    let requests = |outcome: &str, status: &str| {
        let labels = format!(r#"surface="openai",dialect="chat",outcome="{outcome}",status="{status}""#);
        value(&text, &format!("trivium_requests_total{{{labels}}}"))
    };
    assert_eq!((requests("completed", "2xx"), requests("failed", "4xx")), (3.0, 1.0));
    let attempts = |connection: &str, result: &str| {
        let labels = format!(r#"connection="{connection}",provider="openai-compatible",result="{result}""#);
        value(&text, &format!("trivium_attempts_total{{{labels}}}"))
    };
    assert_eq!((attempts("a", "ok"), attempts("a", "rate_limited"), attempts("b", "ok")), (2.0, 1.0, 1.0));
    let of_a = r#"connection="a",provider="openai-compatible""#;
    assert!(value(&text, &format!(r#"trivium_tokens_total{{{of_a},model="m",type="output"}}"#)) > 0.0);
    assert_eq!(value(&text, &format!(r#"trivium_cost_unknown_total{{{of_a},model="m"}}"#)), 2.0);
    assert_eq!(value(&text, &format!("trivium_first_content_seconds_count{{{of_a}}}")), 2.0);
    assert_eq!(value(&text, &format!(r#"trivium_connection_state{{{of_a},state="cooling"}}"#)), 1.0);
    assert_eq!(value(&text, r#"trivium_locks{connection="a",lock="cooldown"}"#), 1.0);
    let of_chat = r#"surface="openai",dialect="chat""#;
    let count = value(&text, &format!("trivium_request_duration_seconds_count{{{of_chat}}}"));
    assert_eq!(
        count,
        value(&text, &format!(r#"trivium_request_duration_seconds_bucket{{{of_chat},le="+Inf"}}"#))
    );
    assert_eq!((count, value(&text, "trivium_requests_in_flight")), (4.0, 0.0));
    assert_eq!(value(&text, "process_start_time_seconds"), 1_767_225_600.0);
}

#[tokio::test(start_paused = true)]
async fn only_those_read_it_who_may_see_how_the_hub_stands() {
    let hub = TestHub::builder().account("a", "sim-ok.a").build().await;
    let key = hub.other_key().await;
    let with =
        |token: String| Request::get("/metrics").header("authorization", token).body(Body::empty()).unwrap();
    assert_eq!(hub.send(with(format!("Bearer {key}"))).await.status, StatusCode::FORBIDDEN);
    assert_eq!(hub.send(with("Bearer nonsense".to_owned())).await.status, StatusCode::UNAUTHORIZED);
    let off = TestHub::builder().yaml("metrics: {enabled: off}\n").account("a", "sim-ok.a").build().await;
    assert_eq!(off.get("/metrics").await.status, StatusCode::NOT_FOUND);
}
