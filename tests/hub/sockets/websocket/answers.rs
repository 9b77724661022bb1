//! Answers: whole ones and streams, many at a time, and those that do not come.

use std::collections::HashSet;

use serde_json::{Value, json};
use trivium::ops::ports::ReceiptLog;

use super::{
    super::{restart::store, support::Hub},
    client::{Socket, text_of},
};

const MANY: usize = 100;

fn words(number: usize) -> String {
    format!("answer {number} of many, which are told apart by it")
}

fn asking(number: usize) -> Value {
    let content = format!("echo: {}", words(number));
    json!({"stream": !number.is_multiple_of(3), "messages": [{"role": "user", "content": content}]})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_at_a_time_each_get_their_own_answer() {
    let mut hub = Hub::builder().account("a", "sim-pace-5").start().await;
    let mut socket = Socket::of(&hub).await;
    for number in 0..MANY {
        socket.ask(&format!("r{number}"), asking(number)).await;
    }
    let mut texts = vec![String::new(); MANY];
    let mut request_ids = vec![HashSet::new(); MANY];
    let (mut ended, mut changes, mut last) = (0, 0, MANY);
    while ended < MANY {
        let frame = socket.next().await;
        let number: usize = frame["id"].as_str().unwrap()[1..].parse().unwrap();
        changes += usize::from(number != last);
        last = number;
        request_ids[number].insert(frame["request_id"].as_str().unwrap().to_owned());
        match frame["type"].as_str().unwrap() {
            "chunk" => {
                assert_eq!(frame["data"]["object"], "chat.completion.chunk");
                texts[number].push_str(&text_of(&[frame["data"].clone()]));
            }
            "complete" => {
                ended += 1;
                assert_eq!(frame["served"]["route"], "a");
                if frame["data"].is_null() {
                    assert!(!number.is_multiple_of(3));
                } else {
                    assert_eq!(frame["data"]["object"], "chat.completion");
                    assert_eq!(frame["usage"], frame["data"]["usage"]);
                    texts[number] =
                        frame["data"]["choices"][0]["message"]["content"].as_str().unwrap().into();
                }
            }
            _ => panic!("{frame}"),
        }
    }
    for (number, text) in texts.iter().enumerate() {
        assert_eq!(*text, words(number));
    }
    assert!(changes > 2 * MANY, "they did not run at the same time: {changes}");
    assert_eq!(socket.leave().await, 1005, "nothing more came");
    assert!(request_ids.iter().all(|ids| ids.len() == 1));
    assert!(hub.stop().await.success());
    let store = store(&hub.ground).await;
    assert_eq!(store.receipts().count().await.unwrap(), MANY as u64);
    for (number, id) in request_ids.iter().flatten().enumerate() {
        let receipt = store.receipts().by_id(id.clone()).await.unwrap().expect("a receipt");
        assert_eq!(receipt.outcome, "completed");
        assert_eq!(receipt.detail.client_request_id, Some(format!("r{number}")));
    }
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_carries_what_it_carries_over_http() {
    let hub = Hub::builder().account("a", "sim-crlf+comments").start().await;
    let mut socket = Socket::of(&hub).await;
    socket.ask("s", json!({"stream": true, "stream_options": {"include_usage": true}})).await;
    let (end, chunks) = socket.end_of("s").await;
    assert_eq!(chunks.last().unwrap()["usage"], end["usage"]);
    assert!(end["usage"]["total_tokens"].is_u64(), "{end}");
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    socket.ask("s", json!({"stream": true})).await;
    let (end, chunks) = socket.end_of("s").await;
    assert!(end.get("usage").is_none() && end["data"].is_null(), "{end}");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_never_looks_like_a_whole_one() {
    let hub = Hub::builder().account("a", "sim-cut-3").start().await;
    let mut socket = Socket::of(&hub).await;
    socket.ask("s", json!({"stream": true})).await;
    let (end, chunks) = socket.end_of("s").await;
    assert!(!text_of(&chunks).is_empty());
    assert_eq!((&end["type"], &end["error"]["code"]), (&json!("error"), &json!("stream_interrupted")));
    assert_eq!(end["error"]["status"], 502);
    assert_eq!(end["error"]["request_id"], end["request_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_those_of_http() {
    let hub = Hub::builder().account("a", "sim-400").start().await;
    let mut socket = Socket::of(&hub).await;
    let cases = [
        (json!({}), 400, None),
        (json!({"model": "nobody-has-it"}), 404, Some("model_not_found")),
        (json!({"model": 7}), 400, Some("invalid_parameter")),
        (json!({"messages": "x"}), 400, Some("invalid_parameter")),
    ];
    for (number, (more, status, code)) in cases.into_iter().enumerate() {
        let id = number.to_string();
        socket.ask(&id, more).await;
        let (end, _) = socket.end_of(&id).await;
        assert_eq!((&end["type"], &end["error"]["status"]), (&json!("error"), &json!(status)), "{end}");
        assert!(code.is_none_or(|code| end["error"]["code"] == code), "{end}");
        assert!(end["error"]["message"].is_string() && end["request_id"].is_string(), "{end}");
    }
    for payload in [json!(7), json!(null), json!([]), json!({})] {
        socket.send(&json!({"type": "request", "id": "p", "payload": payload})).await;
        let frame = socket.next().await;
        assert_eq!((&frame["type"], &frame["error"]["status"]), (&json!("error"), &json!(400)), "{frame}");
    }
}
