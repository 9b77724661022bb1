//! Nothing that arrives breaks a decoder.

use canon::Asked;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{fixtures, streamed};
use crate::{
    fault,
    messages::{Decoder, decode, decode_answer, read_event, read_unary, scan, without_foreign_thoughts},
};

fn everything(body: &[u8]) {
    let _ = (scan(body), read_event(body), read_unary(body), fault::message_of(body));
    let _ = without_foreign_thoughts(body, |_| false);
    for source in canon::Dialect::ALL {
        if let Ok(turn) = decode(body) {
            let _ = super::encode(&turn, &super::target("claude-opus-4-5", source));
        }
    }
    if let Ok(answer) = decode_answer(body) {
        let _ = super::super::encode_answer(answer, &Asked::default());
    }
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    let mut event = b"data: ".to_vec();
    event.extend_from_slice(body);
    let _ = decoder.push(&event, &mut out);
    let _ = decoder.push(&event, &mut out);
    let _ = decoder.finish(&mut out);
    streamed(out, Asked::default());
}

/// JSON of the words that mean something here, so that it gets far into the decoders.
fn values() -> impl Strategy<Value = Value> {
    let words = [
        "type",
        "role",
        "content",
        "messages",
        "model",
        "system",
        "tools",
        "name",
        "input",
        "text",
        "thinking",
        "signature",
        "data",
        "source",
        "media_type",
        "base64",
        "tool_use",
        "tool_result",
        "tool_use_id",
        "id",
        "image",
        "document",
        "redacted_thinking",
        "user",
        "assistant",
        "enabled",
        "budget_tokens",
        "citations",
        "message_start",
        "message",
        "usage",
        "index",
        "delta",
        "content_block_start",
        "content_block",
        "content_block_delta",
        "text_delta",
        "input_json_delta",
        "partial_json",
        "content_block_stop",
        "message_delta",
        "stop_reason",
        "message_stop",
        "output_config",
        "format",
        "json_schema",
        "tool_choice",
    ];
    let word = proptest::sample::select(words.to_vec());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        let fields = proptest::collection::vec((word.clone(), inner.clone()), 0..8);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::Array),
            fields.prop_map(|fields| {
                Value::Object(
                    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// A fixture in which one value was replaced.
fn spoiled(value: &mut Value, at: &mut usize, by: &Value) {
    if *at == 0 {
        *value = by.clone();
    }
    *at = at.wrapping_sub(1);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| spoiled(value, at, by)),
        Value::Object(map) => map.values_mut().for_each(|value| spoiled(value, at, by)),
        _ => {}
    }
}

proptest! {
    #[test]
    fn bytes(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        everything(&body);
    }

    #[test]
    fn any_json(value in values()) {
        everything(value.to_string().as_bytes());
    }

    #[test]
    fn spoiled_fixtures(at in 0_usize..90, by in values()) {
        for (_, body) in fixtures("requests").into_iter().chain(fixtures("answers")) {
            let mut value = super::json(&body);
            spoiled(&mut value, &mut at.clone(), &by);
            everything(value.to_string().as_bytes());
        }
    }

    #[test]
    fn streams_in_any_order(order in proptest::collection::vec(0_usize..200, 0..40)) {
        let events: Vec<Vec<u8>> =
            fixtures("streams").iter().flat_map(|(_, stream)| super::events_of(stream)).collect();
        let (mut decoder, mut out) = (Decoder::default(), Vec::new());
        for at in order {
            let _ = decoder.push(&events[at % events.len()], &mut out);
        }
        let whole = decoder.finish(&mut out).is_ok();
        let ends = out.iter().filter(|event| matches!(event, canon::Event::End)).count();
        prop_assert_eq!(ends, usize::from(whole));
        let mut open = std::collections::HashSet::new();
        let mut next = 0;
        let mut stopped = false;
        for event in &out {
            prop_assert!(!stopped || matches!(event, canon::Event::End));
            match event {
                canon::Event::Open { index, .. } => {
                    prop_assert_eq!(*index, next);
                    next += 1;
                    open.insert(*index);
                }
                canon::Event::Delta { index, .. } => prop_assert!(open.contains(index)),
                canon::Event::Close { index } => prop_assert!(open.remove(index)),
                canon::Event::Stop { .. } => {
                    prop_assert!(open.is_empty());
                    stopped = true;
                    continue;
                }
                canon::Event::End => prop_assert!(stopped),
                _ => {}
            }
        }
        streamed(out, Asked::default());
    }
}
