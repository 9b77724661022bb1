//! Frames that are no requests, ids, and the example of the documentation.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use super::{
    super::support::{Hub, SOON, eventually},
    client::Socket,
    hub,
};

fn error(frame: &Value) -> (&Value, &str, u64) {
    let error = &frame["error"];
    (&frame["id"], error["code"].as_str().unwrap_or_default(), error["status"].as_u64().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_make_no_sense_are_told_and_the_socket_goes_on() {
    let hub = hub().await;
    let mut socket = Socket::of(&hub).await;
    let long = json!({"type": "cancel", "id": "x".repeat(129)}).to_string();
    let texts = [
        "",
        "{",
        "[]",
        "7",
        "{}",
        "{\"type\": 7}",
        "{\"type\": \"subscribe\", \"id\": \"1\"}",
        "{\"type\": \"request\", \"id\": \"1\"}",
        "{\"type\": \"request\", \"payload\": {}}",
        "{\"type\": \"request\", \"id\": 1, \"payload\": {}}",
        "{\"type\": \"cancel\", \"id\": \"\"}",
        "{\"type\": \"cancel\"}",
        &long,
    ];
    let messages = texts.into_iter().map(Message::text).chain([Message::binary(b"{}".to_vec())]);
    for message in messages {
        let shown = format!("{message:?}");
        socket.put(message).await;
        let frame = socket.next().await;
        assert_eq!(error(&frame), (&Value::Null, "ws_invalid_frame", 400), "{shown}: {frame}");
    }
    socket.send(&json!({"type": "ping"})).await;
    assert_eq!(socket.next().await, json!({"type": "pong"}));
    let longest = "x".repeat(128);
    socket.ask(&longest, json!({})).await;
    assert_eq!(socket.end_of(&longest).await.0["type"], "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_means_one_request_at_a_time() {
    let hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let mut socket = Socket::of(&hub).await;
    socket.ask("1", json!({"stream": true})).await;
    let first = socket.next().await;
    socket.ask("1", json!({"stream": true})).await;
    let refused = loop {
        let frame = socket.next().await;
        if frame["type"] == "error" {
            break frame;
        }
    };
    assert_eq!(error(&refused), (&json!("1"), "ws_id_in_use", 409));
    assert_ne!(refused["request_id"], first["request_id"]);
    for _ in 0..3 {
        socket.cancel("1").await;
        let (end, _) = socket.end_of("1").await;
        assert_eq!(end["type"], "cancelled", "the first one went on, and the id is free again");
        socket.cancel("1").await;
        socket.ask("1", json!({"stream": true})).await;
        assert_eq!(socket.next().await["type"], "chunk", "a cancel that comes too late means nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_takes_so_many_requests_and_no_more() {
    let hub = Hub::builder().account("a", "sim-hang").start().await;
    let mut socket = Socket::of(&hub).await;
    for number in 0..129 {
        socket.ask(&number.to_string(), json!({"stream": true})).await;
    }
    assert_eq!(error(&socket.next().await), (&json!("128"), "ws_too_many_requests", 429));
    for number in 0..128 {
        socket.cancel(&number.to_string()).await;
    }
    for _ in 0..128 {
        assert_eq!(socket.next().await["type"], "cancelled");
    }
    let gone = || (hub.provider.simulator.stats().in_flight == 0).then_some(());
    eventually("the provider is left alone", SOON, gone).await;
    socket.ask("128", json!({"stream": true})).await;
    eventually("there is room again", SOON, || (hub.provider.simulator.stats().in_flight == 1).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_protocol_forbids_closes_the_socket() {
    let hub = Hub::builder().account("a", "sim-stall-3").section("server: {body_limit_mb: 1}").start().await;
    let text = |bytes: &'static [u8]| {
        Message::Frame(Frame::message(Bytes::from_static(bytes), OpCode::Data(Data::Text), true))
    };
    let large = |bytes: usize| Message::text("x".repeat(bytes));
    let megabyte = 1024 * 1024;
    let cases = [(text(b"caf\xe9"), 1007), (large(megabyte + 1), 1009), (large(12 * megabyte), 1009)];
    for (message, code) in cases {
        let mut socket = Socket::of(&hub).await;
        socket.ask("runs", json!({"stream": true})).await;
        assert_eq!(socket.next().await["type"], "chunk");
        socket.put(message).await;
        assert_eq!(socket.close_code().await.1, code);
    }
    let gone = || (hub.provider.simulator.stats().client_left == 3).then_some(());
    eventually("what ran there is cancelled", SOON, gone).await;

    let mut socket = Socket::of(&hub).await;
    socket.put(large(megabyte)).await;
    assert_eq!(error(&socket.next().await), (&Value::Null, "ws_invalid_frame", 400), "as large as may be");
}

/// Whether `found` is what the page shows: `…` stands for any text.
fn as_shown(shown: &Value, found: &Value) -> bool {
    match (shown, found) {
        (Value::String(shown), Value::String(_)) if shown == "…" => true,
        (Value::Object(shown), Value::Object(found)) => {
            shown.iter().all(|(name, value)| found.get(name).is_some_and(|found| as_shown(value, found)))
        }
        (Value::Array(shown), Value::Array(found)) => {
            shown.len() == found.len() && shown.iter().zip(found).all(|(shown, found)| as_shown(shown, found))
        }
        _ => shown == found,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_of_the_documentation_is_true() {
    let page = include_str!("../../../../docs/websocket.md");
    let example = page.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let hub = Hub::builder().account("a", "sim-pace-20").start().await;
    let mut socket = Socket::of(&hub).await;
    let mut frames = 0;
    for line in example.lines() {
        frames += 1;
        let (direction, json) = line.split_once(' ').unwrap();
        let shown: Value = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {line}"));
        match direction {
            ">" => socket.send(&shown).await,
            "<" => {
                let found = socket.next().await;
                assert!(as_shown(&shown, &found), "the page shows {shown}\nbut there came {found}");
            }
            _ => panic!("{line}"),
        }
    }
    assert!(frames > 5);
}
