//! Streams: what they fold to, and that they come back.

use canon::{Answer, AnswerError, Asked, Delta, Event, Fold, Kind, Opening, Stop, sse::Splitter};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{fixture, fixtures};
use crate::responses::{Decoder, Encoder, decode_answer, encode_answer, failed, read_event};

/// The events in the bytes of a stream.
fn split(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::default();
    splitter.push(bytes::Bytes::copy_from_slice(stream));
    let mut events = Vec::new();
    while let Some(event) = splitter.next_event() {
        events.push(event.to_vec());
    }
    events
}

fn read(stream: &[u8]) -> (Vec<Event>, Result<(), AnswerError>) {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for event in split(stream) {
        if let Err(error) = decoder.push(&event, &mut events) {
            return (events, Err(error));
        }
    }
    let end = decoder.finish(&mut events);
    (events, end)
}

fn fold(events: impl IntoIterator<Item = Event>) -> Answer {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

fn write(events: impl IntoIterator<Item = Event>, asked: Asked) -> Vec<u8> {
    let (mut encoder, mut out) = (Encoder::new(asked), Vec::new());
    events.into_iter().for_each(|event| encoder.push(event, &mut out));
    out
}

fn data(stream: &[u8]) -> Vec<Value> {
    split(stream)
        .iter()
        .map(|event| serde_json::from_slice(&canon::sse::data(event).unwrap()).unwrap())
        .collect()
}

/// Openings, deltas and closings in the order that events promise.
fn assert_in_order(events: &[Event]) {
    let mut open: Vec<bool> = Vec::new();
    for event in events {
        match event {
            Event::Open { index, .. } => {
                assert_eq!(*index as usize, open.len());
                open.push(true);
            }
            Event::Delta { index, .. } => assert!(open[*index as usize]),
            Event::Close { index } => assert!(std::mem::take(&mut open[*index as usize])),
            Event::Stop { .. } | Event::End => assert!(open.iter().all(|open| !open)),
            Event::Start { .. } | Event::Usage(_) => {}
        }
    }
    assert!(matches!(events.first(), Some(Event::Start { .. })));
    assert_eq!(events.iter().filter(|event| matches!(event, Event::End)).count(), 1);
}

#[test]
fn every_stream_folds_to_its_answer_and_comes_back() {
    for (name, stream) in fixtures("streams") {
        let (events, end) = read(&stream);
        assert_eq!(end, Ok(()), "{name}");
        assert_in_order(&events);
        let answer = fold(events.clone());
        let again = write(events, Asked::default());
        let (events, end) = read(&again);
        assert_eq!(end, Ok(()), "{name}");
        assert_in_order(&events);
        assert_eq!(fold(events), answer, "{name}");
    }
}

#[test]
fn a_stream_folds_to_what_the_unary_answer_says() {
    for (name, stream) in fixtures("streams") {
        let unary =
            name.replace(".sse", ".json").replace("sparse", "tools").replace("counted_from_one", "tools");
        let Some((_, unary)) = fixtures("answers").into_iter().find(|(found, _)| *found == unary) else {
            continue;
        };
        let mut whole = decode_answer(&unary).unwrap();
        whole.rest = canon::Rest::default();
        for block in &mut whole.blocks {
            block.rest = canon::Rest::default();
        }
        assert_eq!(fold(read(&stream).0), whole, "{name}");
    }
}

#[test]
fn events_are_numbered_named_and_placed() {
    for (name, stream) in fixtures("streams") {
        let out = write(read(&stream).0, Asked::default());
        for (number, event) in split(&out).iter().enumerate() {
            let text = std::str::from_utf8(event).unwrap();
            let data: Value = serde_json::from_slice(&canon::sse::data(event).unwrap()).unwrap();
            assert_eq!(data["sequence_number"], number, "{name}");
            assert!(text.starts_with(&format!("event: {}\n", data["type"].as_str().unwrap())), "{name}");
        }
        let events = data(&out);
        let last = events.last().unwrap();
        let output = last["response"]["output"].as_array().unwrap();
        for event in &events {
            let Some(place) = event["output_index"].as_u64() else { continue };
            let id = event["item_id"].as_str().or(event["item"]["id"].as_str());
            assert_eq!(output[usize::try_from(place).unwrap()]["id"].as_str(), id, "{name}");
        }
    }
}

#[test]
fn the_events_of_a_text_are_all_there() {
    let out = write(read(&fixture("streams", "web_search.sse")).0, Asked::default());
    let mut kinds: Vec<String> =
        data(&out).iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect();
    kinds.dedup();
    let expected = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.annotation.added",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(kinds, expected);
}

#[test]
fn a_stream_ends_like_the_unary_answer() {
    // Of several texts with logprobs only a stream knows which is whose.
    for (name, stream) in fixtures("streams").into_iter().filter(|(name, _)| name != "logprobs.sse") {
        let events = read(&stream).0;
        let asked = Asked { id: "req".into(), ..Asked::default() };
        let last = data(&write(events.clone(), asked.clone())).pop().unwrap();
        let unary: Value = serde_json::from_slice(&encode_answer(fold(events), &asked).body).unwrap();
        assert_eq!(last["response"], unary, "{name}");
    }
}

#[test]
fn a_cut_stream_is_not_an_end() {
    assert_eq!(read(&fixture("errors", "cut.sse")).1, Err(AnswerError::Empty));
    let reported = |text: &str| Err(AnswerError::Reported(text.to_owned()));
    assert_eq!(read(&fixture("errors", "failed.sse")).1, reported("Too many tokens per minute."));
    assert_eq!(read(&fixture("errors", "error_event.sse")).1, reported("An error occurred."));
}

#[test]
fn a_failure_goes_on_counting() {
    let (mut encoder, mut out) = (Encoder::new(Asked::default()), Vec::new());
    let events = read(&fixture("errors", "cut.sse")).0;
    events.into_iter().for_each(|event| encoder.push(event, &mut out));
    encoder.fail("server_error", "gone", &mut out);
    encoder.push(Event::End, &mut out);
    let events = data(&out);
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.failed");
    assert_eq!(last["sequence_number"], events.len() - 1);
    assert_eq!(last["response"]["error"], json!({"code": "server_error", "message": "gone"}));
    let alone = failed(&Asked::default(), 7, "server_error", "gone");
    assert_eq!(data(&alone)[0]["sequence_number"], 7);
    assert_eq!(read_event(&alone), canon::Piece::Error("gone".to_owned()));
}

#[test]
fn blocks_side_by_side_are_written_in_a_row() {
    let events = read(&fixture("streams", "interleaved.sse")).0;
    let places: Vec<u64> = data(&write(events, Asked::default()))
        .iter()
        .filter_map(|event| event["output_index"].as_u64())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn a_wrapped_custom_tool_is_unwrapped() {
    let mut asked = Asked::default();
    let tool = canon::ToolName { name: "apply_patch".into(), namespace: Some("shell".into()), custom: true };
    asked.tools.insert("shell__apply_patch".into(), tool);
    let (id, name) = ("call_1".to_owned(), "shell__apply_patch".to_owned());
    let block = Opening::ToolCall { id, name, namespace: None, custom: false };
    let delta = |text: &str| Event::Delta { index: 0, delta: Delta::Text(text.into()) };
    let events = [
        Event::Open { index: 0, block },
        delta("{\"inp"),
        delta("ut\":\"a\\nb\"}"),
        Event::Close { index: 0 },
        Event::Stop { stop: Stop::ToolUse, sequence: None },
        Event::End,
    ];
    let answer = fold(read(&write(events, asked)).0);
    let Kind::ToolCall(call) = &answer.blocks[0].kind else { unreachable!() };
    assert_eq!((call.name.as_str(), call.arguments.as_str(), call.custom), ("apply_patch", "a\nb", true));
    assert_eq!(call.namespace.as_deref(), Some("shell"));
}

/// The events with every text cut into pieces.
fn in_pieces(events: Vec<Event>, size: usize) -> Vec<Event> {
    let mut cut = Vec::new();
    for event in events {
        match event {
            Event::Delta { index, delta: Delta::Text(text) } => {
                let letters: Vec<char> = text.chars().collect();
                let pieces = letters.chunks(size).map(|piece| piece.iter().collect::<String>());
                cut.extend(pieces.map(|text| Event::Delta { index, delta: Delta::Text(text) }));
            }
            other => cut.push(other),
        }
    }
    cut
}

/// An opening of each kind.
fn opening(kind: u8) -> Opening {
    let value = json!({"type": "web_search_call", "id": "ws_1"});
    let search = canon::Block::new(Kind::Opaque { dialect: canon::Dialect::Responses, value });
    match kind {
        0 => Opening::Text,
        1 => Opening::Refusal,
        2 => Opening::Thinking { id: None },
        3 => Opening::Whole(Box::new(search)),
        _ => Opening::ToolCall { id: String::new(), name: "t".into(), namespace: None, custom: kind == 4 },
    }
}

/// Any delta of a kind.
fn delta(kind: u8) -> Delta {
    let rest = canon::Rest::default();
    match kind {
        0 => Delta::Signature(canon::Signature::read("s")),
        1 => Delta::Citation(canon::Citation {
            url: Some("u".into()),
            title: None,
            quote: None,
            span: None,
            rest,
        }),
        2 => Delta::Logprobs(vec![json!({"token": "x"})]),
        3 => Delta::Text(String::new()),
        _ => Delta::Text("x".into()),
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_a_stream_in_order(
        blocks in proptest::collection::vec((0_u8..6, proptest::collection::vec(0_u8..6, 0..5), any::<bool>()), 0..6),
    ) {
        let mut events = Vec::new();
        for (index, (kind, deltas, closed)) in (0..).zip(blocks) {
            events.push(Event::Open { index, block: opening(kind) });
            events.extend(deltas.into_iter().map(|kind| Event::Delta { index, delta: delta(kind) }));
            events.extend(closed.then_some(Event::Close { index }));
        }
        events.push(Event::Stop { stop: Stop::End, sequence: None });
        events.push(Event::End);
        let events = data(&write(events, Asked::default()));
        let mut open = None;
        let mut next = 0;
        for (number, event) in events.iter().enumerate() {
            prop_assert_eq!(&event["sequence_number"], number);
            match event["type"].as_str().unwrap() {
                "response.output_item.added" => {
                    prop_assert_eq!(open.replace(next), None);
                    prop_assert_eq!(&event["output_index"], next);
                }
                "response.output_item.done" => {
                    prop_assert_eq!(open.take(), Some(next));
                    next += 1;
                }
                kind => prop_assert_eq!(open.is_some(), event["item_id"].is_string(), "{}", kind),
            }
        }
        let last = &events.last().unwrap()["response"];
        prop_assert_eq!(last["output"].as_array().unwrap().len(), next);
        prop_assert!(decode_answer(last.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn the_cutting_of_deltas_does_not_matter(size in 1_usize..9) {
        for (name, stream) in fixtures("streams") {
            let events = read(&stream).0;
            let whole = fold(events.clone());
            let again = read(&write(in_pieces(events, size), Asked::default())).0;
            prop_assert_eq!(fold(again), whole, "{}", name);
        }
    }

    #[test]
    fn any_bytes_can_be_pushed(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut event = b"data: ".to_vec();
        event.extend(bytes);
        let _ = Decoder::default().push(&event, &mut Vec::new());
    }

    #[test]
    fn events_left_out_break_nothing(left in proptest::collection::vec(any::<bool>(), 60)) {
        for (_, stream) in fixtures("streams") {
            let kept = split(&stream).into_iter().zip(left.iter().chain(std::iter::repeat(&true)));
            let kept: Vec<u8> = kept.filter(|(_, kept)| **kept).flat_map(|(event, _)| event).collect();
            let (events, end) = read(&kept);
            if end.is_ok() && !events.is_empty() {
                assert_in_order(&events);
            }
        }
    }
}
