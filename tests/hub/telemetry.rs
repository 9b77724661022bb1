//! Spans of requests for a collector, and the trace that they belong to.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use tokio::time::sleep;
use trivium::simulator::{Behaviour, RetryAfter, Script};

use super::support::{TestHub, chat};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn traced(parent: &str) -> Request<Body> {
    let mut request = chat("m", false);
    request.headers_mut().insert("traceparent", parent.parse().unwrap());
    request
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[tokio::test(start_paused = true)]
async fn spans_go_to_the_collector_with_what_it_wants_to_know() {
    let yaml = "telemetry: {endpoint: 'http://collector.test:4318', headers: 'x-key=secret, x-b=c'}\n";
    let limited = Behaviour { retry_after: RetryAfter::None, ..Behaviour::limited(1, 300) };
    let script = Script::default().key("sim-ok.a", limited);
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok.a").account("b", "sim-ok.b").script(script);
    let hub = hub.exporting().build().await;
    hub.chat("m").await;
    let answer = hub.send(traced(PARENT)).await;
    hub.posted.answer(&[503, 429]);
    sleep(Duration::from_secs(10)).await;
    let messages = hub.posted.messages();
    assert_eq!(messages.len(), 3, "twice refused, then taken");
    assert_eq!(messages[0].url, "http://collector.test:4318/v1/traces");
    assert_eq!(messages[0].header("x-key"), Some("secret"));
    assert_eq!(messages[0].header("content-type"), Some("application/x-protobuf"));
    let body = &messages[2].body;
    assert_eq!(body, &messages[0].body);
    let trace = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    assert!(has(body, &trace) && has(body, &0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
    for word in
        ["gen_ai.usage.output_tokens", "rate_limited", "simulator.test", "openai-compatible", "chat m"]
    {
        assert!(has(body, word.as_bytes()), "{word}");
    }
    assert!(!has(body, b"hello"), "no prompts");
    let id = answer.header("x-request-id");
    let told = hub.get(&format!("/api/traces/{id}")).await.json();
    assert_eq!(told["trace_id"], TRACE);
    let metrics = hub.get("/metrics").await.text;
    assert!(metrics.contains("trivium_spans_total{result=\"sent\"} 5\n"), "{metrics}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_keeps_no_trace_gets_no_spans_and_a_refusing_collector_is_given_up() {
    let yaml = "telemetry: {endpoint: 'http://collector.test:4318/v1/traces'}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok.a").exporting().build().await;
    hub.send(traced(&PARENT.replace("-01", "-00"))).await;
    sleep(Duration::from_secs(5)).await;
    assert_eq!(hub.posted.messages().len(), 0);
    hub.posted.answer(&[400]);
    hub.chat("m").await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(hub.posted.messages().len(), 1, "not tried again");
    let metrics = hub.get("/metrics").await.text;
    assert!(metrics.contains("trivium_spans_total{result=\"dropped\"} 2\n"), "{metrics}");
    assert_eq!(hub.posted.messages()[0].url, "http://collector.test:4318/v1/traces");
}

#[tokio::test(start_paused = true)]
async fn providers_learn_of_the_trace_only_where_the_operator_wants_it() {
    for (yaml, told) in [("", false), ("telemetry: {propagate: on}\n", true)] {
        let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok.a").build().await;
        hub.send(traced(PARENT)).await;
        let sent = hub.upstream()[0].headers.clone();
        let sent = sent.iter().find(|(name, _)| *name == "traceparent").map(|(_, value)| value.clone());
        assert_eq!(sent.is_some(), told);
        if let Some(sent) = sent {
            assert!(sent.starts_with(&format!("00-{TRACE}-")) && sent.ends_with("-01"), "{sent}");
            assert!(!sent.contains("00f067aa0ba902b7"), "a span of its own: {sent}");
        }
    }
}
