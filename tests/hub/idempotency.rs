//! Requests that are repeated under one idempotency key.

use axum::body::Body;
use canon::Dialect;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::support::{Answer, TestHub, chat};

fn keyed(mut request: Request<Body>, key: &str) -> Request<Body> {
    request.headers_mut().insert("idempotency-key", key.parse().unwrap());
    request
}

fn post(path: &str, body: &Value) -> Request<Body> {
    Request::post(path).body(Body::from(body.to_string())).unwrap()
}

async fn hub(key: &str) -> TestHub {
    TestHub::builder().account("a", key).build().await
}

fn mark(answer: &Answer) -> &str {
    answer.header("x-trivium-idempotent")
}

#[tokio::test(start_paused = true)]
async fn a_repeat_gets_the_same_answer_and_costs_nothing() {
    for stream in [false, true] {
        let hub = hub("sim-ok").await;
        let first = hub.send(keyed(chat("m", stream), "k1")).await;
        assert!(first.is_whole() && mark(&first).is_empty(), "{first:?}");
        let again = hub.send(keyed(chat("m", stream), "k1")).await;
        assert_eq!((again.status, &again.text, mark(&again)), (first.status, &first.text, "replayed"));
        for header in ["content-type", "x-gateway-provider", "x-gateway-route"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
        assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
        assert_eq!(hub.calls(["sim-ok"]), [1]);
        let receipts = hub.receipts().await;
        assert_eq!(receipts.len(), 2);
        let (replay, paid) = (&receipts[0], &receipts[1]);
        assert_eq!(replay.detail.reused.as_deref(), Some("replayed"));
        assert_eq!((replay.model.as_str(), replay.detail.stream), ("m", stream));
        assert_eq!((replay.status, replay.outcome.as_str()), (200, "completed"));
        assert!(replay.detail.attempts.is_empty() && replay.input_tokens.is_none());
        assert_eq!(replay.detail.bytes_out, first.text.len() as u64);
        assert!(paid.detail.reused.is_none() && paid.detail.attempts.len() == 1);
    }
}

#[tokio::test(start_paused = true)]
async fn every_dialect_has_it() {
    let hub = hub("sim-ok").await;
    let said = json!([{"role": "user", "content": "hello"}]);
    let table = [
        ("/v1/responses", json!({"model": "m", "input": "hello", "store": false})),
        ("/v1/messages", json!({"model": "m", "messages": said, "max_tokens": 20})),
        (
            "/v1beta/models/m:generateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}),
        ),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}),
        ),
        (
            "/v1beta/models/m:streamGenerateContent",
            json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}),
        ),
    ];
    for (path, body) in table {
        // The same text of a key: each route has its own.
        let key = if path.ends_with("alt=sse") { "events" } else { "k" };
        let first = hub.send(keyed(post(path, &body), key)).await;
        let again = hub.send(keyed(post(path, &body), key)).await;
        assert_eq!((first.status, mark(&first)), (StatusCode::OK, ""), "{path}: {first:?}");
        assert_eq!((&again.text, mark(&again)), (&first.text, "replayed"), "{path}");
    }
    assert_eq!(hub.calls(["sim-ok"]), [5]);
}

#[tokio::test(start_paused = true)]
async fn another_request_under_the_same_key_is_refused() {
    let hub = hub("sim-ok").await;
    hub.send(keyed(chat("m", false), "k")).await;
    let other = hub.send(keyed(chat("m", true), "k")).await;
    assert_eq!((other.status.as_u16(), other.code()), (422, "idempotency_key_reused".to_owned()));
    // While it is under way too.
    let (one, two) =
        tokio::join!(hub.send(keyed(chat("m", false), "l")), hub.send(keyed(chat("m", true), "l")));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 422));
    // And somebody else's key is another one.
    let mut request = keyed(chat("m", true), "k");
    let bearer = format!("Bearer {}", hub.other_key().await);
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    let theirs = hub.send(request).await;
    assert_eq!((theirs.status.as_u16(), mark(&theirs)), (200, ""));
}

#[tokio::test(start_paused = true)]
async fn twins_in_flight_are_answered_together() {
    for stream in [false, true] {
        let hub = hub("sim-slow-4000").await;
        let start = Instant::now();
        let late = async {
            sleep(Duration::from_secs(2)).await;
            hub.send(keyed(chat("m", stream), "k")).await
        };
        let (one, two) = tokio::join!(hub.send(keyed(chat("m", stream), "k")), late);
        assert!(one.is_whole() && start.elapsed() < Duration::from_secs(30), "{one:?}");
        assert_eq!((&two.text, mark(&two)), (&one.text, "joined"));
        assert_eq!(hub.calls(["sim-slow-4000"]), [1]);
        let reused: Vec<_> = hub.receipts().await.into_iter().map(|row| row.detail.reused).collect();
        assert!(reused.contains(&Some("joined".to_owned())) && reused.contains(&None), "{reused:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_comes_back_in_time_finds_the_work_going_on() {
    let hub = hub("sim-slow-4000").await;
    let gone = tokio::time::timeout(Duration::from_secs(1), hub.send(keyed(chat("m", false), "k"))).await;
    assert!(gone.is_err());
    sleep(Duration::from_secs(1)).await;
    let back = hub.send(keyed(chat("m", false), "k")).await;
    assert_eq!((back.status, mark(&back)), (StatusCode::OK, "joined"));
    assert_eq!(hub.calls(["sim-slow-4000"]), [1]);
}

#[tokio::test(start_paused = true)]
async fn work_that_nobody_waits_for_ends_and_its_key_is_free() {
    let builder = TestHub::builder().yaml("idempotency: {linger_seconds: 1}\n");
    let hub = builder.account("a", "sim-slow-30000").build().await;
    let gone = tokio::time::timeout(Duration::from_secs(1), hub.send(keyed(chat("m", false), "k"))).await;
    assert!(gone.is_err());
    sleep(Duration::from_secs(5)).await;
    assert_eq!(hub.receipts().await[0].outcome, "client_left");
    let back = hub.send(keyed(chat("m", false), "k")).await;
    assert_eq!((back.status, mark(&back)), (StatusCode::OK, ""));
    assert_eq!(hub.calls(["sim-slow-30000"]), [2]);
}

#[tokio::test(start_paused = true)]
async fn what_a_retry_may_mend_is_not_remembered() {
    // A 503 for each request; a stream that breaks after its first content.
    for (key, stream) in [("sim-503", false), ("sim-cut-3", true)] {
        let hub = hub(key).await;
        let first = hub.send(keyed(chat("m", stream), "k")).await;
        assert!(!first.is_whole(), "{first:?}");
        let calls = hub.calls([key])[0];
        let again = hub.send(keyed(chat("m", stream), "k")).await;
        assert_eq!(mark(&again), "", "{again:?}");
        assert!(hub.calls([key])[0] > calls || again.status.is_server_error(), "{again:?}");
    }
    // The request's own fault stays one.
    let hub = hub("sim-400").await;
    let first = hub.send(keyed(chat("m", false), "k")).await;
    let again = hub.send(keyed(chat("m", false), "k")).await;
    assert_eq!((first.status, mark(&again), &again.text), (StatusCode::BAD_REQUEST, "replayed", &first.text));
    assert_eq!(hub.calls(["sim-400"]), [1]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_forgotten_and_can_be_ignored() {
    let hub = hub("sim-ok").await;
    hub.send(keyed(chat("m", false), "k")).await;
    sleep(Duration::from_secs(24 * 60 * 60 - 60)).await;
    assert_eq!(mark(&hub.send(keyed(chat("m", false), "k")).await), "replayed");
    sleep(Duration::from_secs(61)).await;
    assert_eq!(mark(&hub.send(keyed(chat("m", true), "k")).await), "");

    let builder = TestHub::builder().yaml("idempotency: {enabled: off}\n");
    let off = builder.account("a", "sim-ok").build().await;
    off.send(keyed(chat("m", false), "k")).await;
    let again = off.send(keyed(chat("m", true), "k")).await;
    assert_eq!((again.status, mark(&again)), (StatusCode::OK, ""));
}

#[tokio::test(start_paused = true)]
async fn keys_are_checked_and_so_are_callers() {
    let hub = hub("sim-ok").await;
    for key in ["", " ", &"x".repeat(256)] {
        let answer = hub.send(keyed(chat("m", false), key)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, "invalid_parameter".to_owned()), "{key}");
    }
    let mut request = keyed(chat("m", false), "k");
    request.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
    assert_eq!(hub.send(request).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(hub.calls(["sim-ok"]), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_provider_of_another_dialect_makes_no_difference() {
    let hub = TestHub::builder().account_at(Dialect::Messages, "a", "sim-ok").build().await;
    let first = hub.send(keyed(chat("m", true), "k")).await;
    // Read in pieces, to see that the repeat is the same to the byte and comes to its end.
    let mut body = hub.open(keyed(chat("m", true), "k")).await.into_body();
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        text.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    assert_eq!(String::from_utf8(text).unwrap(), first.text);
}

#[tokio::test(start_paused = true)]
async fn of_a_large_answer_it_is_remembered_that_it_was_given() {
    let builder = TestHub::builder().yaml("idempotency: {max_item_mb: 1}\n");
    let hub = builder.account("a", "sim-ok").build().await;
    for (key, stream) in [("k", false), ("l", true)] {
        let said = format!("echo: {}", "abcdefgh ".repeat(130_000));
        let body = json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": said}]});
        let first = hub.send(keyed(post("/v1/chat/completions", &body), key)).await;
        assert!(first.is_whole() && first.text.len() > 1024 * 1024, "{}", first.text.len());
        let again = hub.send(keyed(post("/v1/chat/completions", &body), key)).await;
        assert_eq!((again.status.as_u16(), again.code()), (409, "idempotency_conflict".to_owned()));
    }
    assert_eq!(hub.calls(["sim-ok"]), [2]);
}
