//! Each fault, on a stream and on an answer in one piece.

use std::time::Duration;

use super::*;
use crate::simulator::{Behaviour, ConnectionCut, Fault, Outcome, Rule};

async fn both(key: &str) -> (Read, Read) {
    let simulator = simulator();
    (chat(&simulator, key, &ask(true)).await, chat(&simulator, key, &ask(false)).await)
}

#[tokio::test(start_paused = true)]
async fn every_status_has_its_error_object() {
    for code in [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 529] {
        for stream in [true, false] {
            let read = chat(&simulator(), &format!("sim-{code}"), &ask(stream)).await;
            assert_eq!(read.status, code);
            assert_eq!(read.header("retry-after"), None);
            assert!(read.json()["error"]["message"].is_string());
            assert!(read.json()["error"].get("param").is_some());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_can_have_a_hint_and_a_body_of_its_own() {
    let page = Fault::Status { code: 502, retry_after: Some(9), body: Some(json!("<html>")) };
    let object = Fault::Status { code: 400, retry_after: None, body: Some(json!({"detail": 1})) };
    let script =
        Script::default().key("page", Behaviour::failing(page)).key("object", Behaviour::failing(object));
    let simulator = Simulator::new(script, 7);
    let page = chat(&simulator, "page", &ask(true)).await;
    assert_eq!((page.text().as_str(), page.header("retry-after")), ("<html>", Some("9")));
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(chat(&simulator, "object", &ask(true)).await.json(), json!({"detail": 1}));
}

#[tokio::test(start_paused = true)]
async fn silence_lasts_until_the_client_leaves() {
    let simulator = simulator();
    for stream in [true, false] {
        let asked = ask(stream);
        let hang = chat(&simulator, "sim-hang", &asked);
        assert!(tokio::time::timeout(Duration::from_secs(3_600), hang).await.is_err());
        assert_eq!(simulator.log().last().unwrap().status, None);
        for key in ["sim-mute", "sim-stall-2"] {
            let response = simulator.handle(request(key, &ask(stream))).await;
            assert_eq!(response.status(), 200);
            let rest = response.into_body().collect();
            assert!(tokio::time::timeout(Duration::from_secs(3_600), rest).await.is_err());
        }
        let stalled = simulator.log().last().unwrap().clone();
        assert_eq!((stalled.outcome, stalled.chunks), (Outcome::ClientLeft, if stream { 2 } else { 0 }));
    }
    assert_eq!(simulator.stats().client_left, 6);
}

#[tokio::test(start_paused = true)]
async fn cuts_break_the_body() {
    let (stream, whole) = both("sim-cut").await;
    assert!(stream.broken && whole.broken);
    assert_eq!((stream.chunks().len(), whole.body.len()), (1, 0));

    let (stream, whole) = both("sim-cut-3").await;
    assert!(stream.broken && whole.broken);
    assert_eq!(stream.said(), "one two three");
    let announced: usize = whole.header("content-length").unwrap().parse().unwrap();
    assert_eq!(announced / 2, whole.body.len());

    let late = chat(&simulator(), "sim-cut-99", &ask(true)).await;
    assert!(late.broken, "a cut after more than there is comes before the end");
    assert_eq!(late.chunks().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_closed_connection_has_no_response() {
    let simulator = simulator();
    assert_eq!(simulator.call(request("sim-close", &ask(true))).await.unwrap_err(), ConnectionCut);
    let response = simulator.handle(request("sim-close", &ask(true))).await;
    assert_eq!(response.extensions().get::<ConnectionCut>(), Some(&ConnectionCut));
    assert!(simulator.log().iter().all(|entry| entry.outcome == Outcome::Cut && entry.status.is_none()));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_none() {
    let (stream, whole) = both("sim-empty").await;
    assert_eq!((stream.status, stream.body.len(), whole.body.len()), (200, 0, 0));
    assert!(!stream.broken);

    let (stream, whole) = both("sim-html").await;
    for read in [stream, whole] {
        assert_eq!((read.status, read.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(read.text().starts_with("<!DOCTYPE html>"));
    }

    let (stream, whole) = both("sim-badjson").await;
    assert_eq!((stream.status, whole.status), (200, 200));
    let events = stream.events();
    assert!(serde_json::from_str::<Value>(&events[0]).is_ok());
    assert!(serde_json::from_str::<Value>(&events[1]).is_err());
    assert!(serde_json::from_slice::<Value>(&whole.body).is_err());

    let (stream, whole) = both("sim-wrongtype").await;
    assert_eq!(stream.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(whole.header("content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(stream.said(), "one two three four");
}

#[tokio::test(start_paused = true)]
async fn errors_inside_a_stream() {
    let (stream, whole) = both("sim-sse-error").await;
    assert_eq!((stream.status, stream.events().len()), (200, 1));
    assert_eq!(stream.chunks()[0]["error"]["type"], "server_error");
    assert_eq!(whole.json()["error"]["type"], "server_error");
    let later = chat(&simulator(), "sim-sse-error-2", &ask(true)).await;
    assert_eq!(later.said(), "one two");
    assert!(later.chunks().last().unwrap()["error"].is_object());
    assert!(!later.text().contains("[DONE]") && !later.broken);
}

#[tokio::test(start_paused = true)]
async fn endings_of_a_stream() {
    let count = |read: &Read| read.events().iter().filter(|event| *event == "[DONE]").count();
    assert_eq!(count(&chat(&simulator(), "sim-ok", &ask(true)).await), 1);
    assert_eq!(count(&chat(&simulator(), "sim-twodone", &ask(true)).await), 2);
    let without = chat(&simulator(), "sim-nodone", &ask(true)).await;
    assert_eq!((count(&without), without.broken), (0, false));
    assert_eq!(without.chunks().last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test(start_paused = true)]
async fn looks_change_no_content() {
    let plain = chat(&simulator(), "k", &ask(true)).await.text();
    let as_key = |behaviour| {
        Simulator::new(Script { epoch: Some(1_000_000), ..Script::default().key("k", behaviour) }, 7)
    };
    let tiny = as_key(Behaviour::failing(Fault::TinyFragments));
    let mut body = tiny.handle(request("k", &ask(true))).await.into_body();
    let mut joined = Vec::new();
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap();
        assert!(data.len() <= 7);
        joined.extend_from_slice(&data);
    }
    assert_eq!(String::from_utf8(joined).unwrap(), plain);
    assert_eq!(tiny.log()[0].chunks, 4);

    let crlf = chat(&as_key(Behaviour::failing(Fault::Crlf)), "k", &ask(true)).await.text();
    assert_eq!(crlf.matches("\r\n\r\n").count(), plain.matches("\n\n").count());
    assert_eq!(crlf.replace("\r\n", "\n"), plain);

    let slow = Behaviour::failing(Fault::Comments).rule(Rule::always(Fault::SlowFirstToken { ms: 900 }));
    let began = tokio::time::Instant::now();
    let comments = chat(&as_key(slow), "k", &ask(true)).await.text();
    assert_eq!(began.elapsed().as_millis(), 900);
    let (lines, events) = comments.split_at(comments.find("data: ").unwrap());
    assert_eq!(lines, ": SIMULATOR PROCESSING\n\n".repeat(3));
    assert_eq!(events, plain);

    let unsplit = chat(&as_key(Behaviour::failing(Fault::IgnoreStream)), "k", &ask(true)).await;
    assert_eq!(unsplit.json()["object"], "chat.completion");
}

#[tokio::test(start_paused = true)]
async fn faults_come_when_they_are_due() {
    let simulator = simulator();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(chat(&simulator, "sim-503-first-2", &ask(false)).await.status);
    }
    assert_eq!(statuses, [503, 503, 200, 200]);
    statuses.clear();
    for _ in 0..4 {
        statuses.push(chat(&simulator, "sim-429-after-3", &ask(false)).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
}
