//! The events of a streamed answer: what each means, without decoding more than that takes.

use std::fmt;

use canon::{Mark, Piece, sse};
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{fault, usage};

/// The event that ends a stream.
pub const DONE: &[u8] = b"data: [DONE]\n\n";

/// Reads one event, blank line included or not.
#[must_use]
pub fn read_event(event: &[u8]) -> Piece {
    let Some(data) = sse::data(event) else { return Piece::Nothing };
    match data.trim_ascii() {
        b"" => Piece::Nothing,
        b"[DONE]" => Piece::Done,
        data => read_chunk(data),
    }
}

fn read_chunk(data: &[u8]) -> Piece {
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
        // Valid JSON in a shape that is not known here is the client's to judge; anything else is broken.
        return match serde_json::from_slice::<IgnoredAny>(data) {
            Ok(_) => Piece::Chunk { mark: Mark::Content, usage: None, finished: false, usage_only: false },
            Err(_) => Piece::Garbage,
        };
    };
    if let Some(error) = chunk.error.filter(|raw| raw.get() != "null") {
        return Piece::Error(fault::message_of(error.get().as_bytes()));
    }
    let choices = chunk.choices.unwrap_or_default();
    let finished = choices.iter().any(|choice| choice.finish_reason.0);
    let content = finished || choices.iter().any(Choice::has_content);
    // Moonshot puts it into the choice.
    let usage = usage::read(chunk.usage.or_else(|| choices.iter().find_map(|choice| choice.usage)));
    Piece::Chunk {
        mark: if content { Mark::Content } else { Mark::Empty },
        usage,
        finished,
        usage_only: choices.is_empty() && usage.is_some(),
    }
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Filled,
}

impl Choice<'_> {
    fn has_content(&self) -> bool {
        self.delta.as_ref().is_some_and(|delta| {
            delta.content.0
                || delta.tool_calls.0
                || delta.reasoning_content.0
                || delta.reasoning.0
                || delta.refusal.0
                || delta.function_call.0
                || delta.audio.0
        })
    }
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Filled,
    #[serde(default)]
    tool_calls: Filled,
    #[serde(default)]
    reasoning_content: Filled,
    #[serde(default)]
    reasoning: Filled,
    #[serde(default)]
    refusal: Filled,
    #[serde(default)]
    function_call: Filled,
    #[serde(default)]
    audio: Filled,
}

/// Whether a value holds anything: neither null nor an empty string or array.
#[derive(Default, Clone, Copy)]
struct Filled(bool);

impl<'de> Deserialize<'de> for Filled {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FilledVisitor)
    }
}

struct FilledVisitor;

impl<'de> Visitor<'de> for FilledVisitor {
    type Value = Filled;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Filled, E> {
        Ok(Filled(false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Filled, E> {
        Ok(Filled(true))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Filled, E> {
        Ok(Filled(true))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Filled, E> {
        Ok(Filled(true))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Filled, E> {
        Ok(Filled(true))
    }

    fn visit_str<E>(self, text: &str) -> Result<Filled, E> {
        Ok(Filled(!text.is_empty()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Filled, A::Error> {
        let mut filled = false;
        while items.next_element::<IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Filled(filled))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Filled, A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Filled(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(data: &str) -> Mark {
        match read_event(format!("data: {data}\n\n").as_bytes()) {
            Piece::Chunk { mark, .. } => mark,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn a_role_is_not_content_and_text_is() {
        assert_eq!(
            mark(
                r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#
            ),
            Mark::Empty
        );
        assert_eq!(mark(r#"{"choices":[{"delta":{"content":"Hi"}}]}"#), Mark::Content);
        assert_eq!(mark(r#"{"choices":[{"delta":{"reasoning_content":"hm"}}]}"#), Mark::Content);
        assert_eq!(mark(r#"{"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}"#), Mark::Content);
        assert_eq!(mark(r#"{"choices":[{"delta":{"tool_calls":[]}}]}"#), Mark::Empty);
        assert_eq!(mark(r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#), Mark::Content);
        assert_eq!(mark(r#"{"choices":[],"prompt_filter_results":[]}"#), Mark::Empty);
    }

    #[test]
    fn the_usage_chunk_is_told_from_usage_on_a_chunk() {
        let extra = read_event(br#"data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#);
        assert!(matches!(extra, Piece::Chunk { usage_only: true, usage: Some(_), mark: Mark::Empty, .. }));
        let on_chunk = read_event(
            br#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#,
        );
        assert!(matches!(on_chunk, Piece::Chunk { usage_only: false, usage: Some(_), finished: true, .. }));
        let null = read_event(br#"data: {"choices":[{"delta":{"content":"x"}}],"usage":null}"#);
        assert!(matches!(null, Piece::Chunk { usage: None, .. }));
    }

    #[test]
    fn ends_errors_and_garbage() {
        assert_eq!(read_event(DONE), Piece::Done);
        assert_eq!(read_event(b": keep-alive\n\n"), Piece::Nothing);
        assert_eq!(read_event(b"data: {\"choices\":\n\n"), Piece::Garbage);
        assert_eq!(read_event(br#"data: {"error":{"message":"boom"}}"#), Piece::Error("boom".to_owned()));
        assert_eq!(
            read_event(br#"data: {"error":null,"choices":[]}"#),
            read_event(br#"data: {"choices":[]}"#)
        );
        assert_eq!(mark(r#"{"choices":{"not":"a list"}}"#), Mark::Content);
    }
}
