//! Tests over whole bodies: what is read and written again is the same, and nothing breaks a decoder.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod answers;
mod identity;
mod requests;
mod streams;

use std::path::PathBuf;

use canon::{Answer, AnswerError, Asked, Dialect, Event, Fold, Quirks, Target, sse::Splitter};
use proptest::prelude::*;
use serde_json::Value;

use super::{Decoder, Encoder, decode, decode_answer, encode, encode_answer};

/// The bodies of a folder of fixtures, with their names.
fn fixtures(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fixtures", "chat", folder].iter().collect();
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<(String, Vec<u8>)> =
        files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect();
    found.sort();
    assert!(found.len() > 2);
    found
}

fn target(source: Dialect) -> Target<'static> {
    Target { model: "m", source, maker: "maker", quirks: Quirks::default(), max_output: None }
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// The events of a whole stream.
fn decoded(stream: &[u8]) -> Result<Vec<Event>, AnswerError> {
    let (mut splitter, mut decoder, mut events) = (Splitter::default(), Decoder::default(), Vec::new());
    splitter.push(bytes::Bytes::copy_from_slice(stream));
    while let Some(event) = splitter.next_event() {
        decoder.push(&event, &mut events)?;
    }
    decoder.finish(&mut events)?;
    Ok(events)
}

fn encoded(events: Vec<Event>, asked: Asked) -> String {
    let (mut encoder, mut out) = (Encoder::new(asked), Vec::new());
    events.into_iter().for_each(|event| encoder.push(event, &mut out));
    String::from_utf8(out).unwrap()
}

fn folded(events: &[Event]) -> Answer {
    let mut fold = Fold::default();
    events.iter().cloned().for_each(|event| fold.push(event));
    fold.finish()
}

/// Panics unless the events keep the order that they promise.
fn check_order(events: &[Event]) {
    let mut open = Vec::new();
    assert!(matches!(events.first(), Some(Event::Start { .. })), "{events:?}");
    assert!(matches!(events.last(), Some(Event::End)), "{events:?}");
    let (mut stops, mut ends) = (0, 0);
    for event in events {
        match event {
            Event::Open { index, .. } => {
                assert_eq!(*index as usize, open.len());
                assert_eq!(stops, 0);
                open.push(true);
            }
            Event::Delta { index, .. } => assert!(open[*index as usize], "{events:?}"),
            Event::Close { index } => assert!(std::mem::replace(&mut open[*index as usize], false)),
            Event::Stop { .. } => {
                stops += 1;
                assert!(open.iter().all(|open| !open), "{events:?}");
            }
            Event::End => ends += 1,
            Event::Start { .. } | Event::Usage(_) => {}
        }
    }
    assert_eq!((stops, ends), (1, 1));
}

#[test]
fn every_request_comes_back_the_same() {
    for (name, body) in fixtures("requests") {
        let turn = decode(&body).unwrap();
        let target = Target { model: &turn.model, ..target(Dialect::Chat) };
        let encoded = encode(&turn, &target);
        assert_eq!(json(&encoded.body), json(&body), "{name}");
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
    }
}

#[test]
fn every_answer_comes_back_the_same() {
    for (name, body) in fixtures("answers") {
        let answer = decode_answer(&body).unwrap();
        let encoded = encode_answer(answer, &Asked { id: "req_1".into(), ..Asked::default() });
        assert_eq!(json(&encoded.body), json(&body), "{name}");
        assert!(encoded.losses.is_empty(), "{name}: {}", encoded.losses);
    }
}

#[test]
fn every_stream_comes_back_with_the_same_meaning() {
    for (name, body) in fixtures("streams") {
        let events = decoded(&body).unwrap();
        check_order(&events);
        let answer = folded(&events);
        let again = encoded(events, Asked { include_usage: true, ..Asked::default() });
        let once_more = decoded(again.as_bytes()).unwrap();
        check_order(&once_more);
        assert_eq!(folded(&once_more), answer, "{name}: {again}");
        assert!(again.ends_with("data: [DONE]\n\n"));
    }
}

#[test]
fn the_native_readers_agree_on_the_fixtures() {
    for (name, body) in fixtures("requests") {
        assert_eq!(super::scan(&body).unwrap().stream, decode(&body).unwrap().stream, "{name}");
    }
    for (name, body) in fixtures("answers") {
        assert_eq!(super::read_unary(&body).unwrap(), decode_answer(&body).unwrap().usage, "{name}");
    }
}

/// JSON that has the words of this dialect in places where they may or may not belong.
fn arbitrary() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "id",
        "index",
        "delta",
        "message",
        "choices",
        "finish_reason",
        "usage",
        "custom",
        "input",
        "image_url",
        "url",
        "reasoning_details",
        "reasoning_content",
        "reasoning",
        "signature",
        "data",
        "audio",
        "annotations",
        "images",
        "refusal",
        "file",
        "tools",
        "functions",
        "tool_choice",
        "stop",
        "stream",
        "stream_options",
        "response_format",
        "json_schema",
        "extra_content",
        "google",
        "thought_signature",
        "logprobs",
        "format",
        "grammar",
        "$silent",
        "$empty",
        "$list",
        "user",
        "assistant",
        "tool",
        "tool_call_id",
        "reasoning.text",
        "reasoning.encrypted",
        "<think>x</think>",
        "data:image/png;base64,AA",
        "function_call",
        "web_search_options",
        "input_audio",
        "file_data",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn feed(body: &[u8]) {
    if let Ok(turn) = decode(body) {
        for source in Dialect::ALL {
            let body = encode(&turn, &target(source)).body;
            assert!(json(&body).is_object());
        }
    }
    if let Ok(answer) = decode_answer(body) {
        assert!(json(&encode_answer(answer, &Asked::default()).body).is_object());
    }
}

proptest! {
    #[test]
    fn no_bytes_break_a_decoder(body in prop::collection::vec(any::<u8>(), 0..200)) {
        feed(&body);
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        let _ = decoder.push(&body, &mut events);
        let _ = decoder.finish(&mut events);
    }

    #[test]
    fn no_json_breaks_a_decoder(message in arbitrary(), tool in arbitrary(), other in arbitrary()) {
        let request = serde_json::json!({"model": "m", "messages": [message], "tools": [tool], "tool_choice": other});
        feed(request.to_string().as_bytes());
        let mut role = message.clone();
        if let Some(map) = role.as_object_mut() {
            map.insert("role".into(), "assistant".into());
        }
        feed(serde_json::json!({"model": "m", "messages": [role]}).to_string().as_bytes());
        feed(serde_json::json!({"choices": [{"message": message, "finish_reason": other}]}).to_string().as_bytes());
    }

    #[test]
    fn no_stream_breaks_the_order(deltas in prop::collection::vec((arbitrary(), any::<bool>()), 1..6)) {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        for (delta, finish) in deltas {
            let reason = finish.then_some("stop");
            let chunk = serde_json::json!({"choices": [{"delta": delta, "finish_reason": reason}]});
            let _ = decoder.push(format!("data: {chunk}\n\n").as_bytes(), &mut events);
        }
        let _ = decoder.push(b"data: [DONE]\n\n", &mut events);
        check_order(&events);
        let again = encoded(events, Asked::default());
        check_order(&decoded(again.as_bytes()).unwrap());
    }
}
