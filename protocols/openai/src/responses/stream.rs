//! The events of a streamed answer: what each means, without decoding more than that takes.

use std::borrow::Cow;

use canon::{Mark, Piece, sse};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::usage;
use crate::fault;

/// Reads one event, blank line included or not.
#[must_use]
pub fn read_event(event: &[u8]) -> Piece {
    let Some(data) = sse::data(event) else { return Piece::Nothing };
    match data.trim_ascii() {
        b"" => Piece::Nothing,
        b"[DONE]" => Piece::Done,
        data => read_typed(data),
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
}

fn read_typed(data: &[u8]) -> Piece {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else {
        // Valid JSON in a shape that is not known here is the client's to judge; anything else is broken.
        return match serde_json::from_slice::<IgnoredAny>(data) {
            Ok(_) => chunk(Mark::Content),
            Err(_) => Piece::Garbage,
        };
    };
    match event.kind.as_deref() {
        Some("error") => Piece::Error(fault::message_of(data)),
        Some("response.failed") => Piece::Error(failure(event.response)),
        Some("response.completed" | "response.incomplete") => ended(event.response),
        Some("response.output_item.added") => chunk(added(event.item)),
        Some(
            "response.created"
            | "response.in_progress"
            | "response.queued"
            | "response.content_part.added"
            | "response.reasoning_summary_part.added",
        ) => chunk(Mark::Empty),
        Some(kind) if kind.starts_with("response.") => {
            let nothing = event.delta.is_some_and(|delta| delta.get() == "\"\"");
            chunk(if nothing { Mark::Empty } else { Mark::Content })
        }
        None if event.error.is_some_and(|error| error.get() != "null") => {
            Piece::Error(fault::message_of(data))
        }
        // Keep-alives, rate limits and the like: not the answer.
        Some(_) => chunk(Mark::Empty),
        None => chunk(Mark::Content),
    }
}

const fn chunk(mark: Mark) -> Piece {
    Piece::Chunk { mark, usage: None, finished: false, usage_only: false }
}

/// What a new item means: a message and thoughts are filled later, a call is there at once.
fn added(item: Option<&RawValue>) -> Mark {
    #[derive(Deserialize)]
    struct Item<'a> {
        #[serde(borrow, default, rename = "type")]
        kind: Option<Cow<'a, str>>,
    }
    let kind = item.and_then(|item| serde_json::from_str::<Item<'_>>(item.get()).ok()?.kind);
    match kind.as_deref() {
        Some("message" | "reasoning") => Mark::Empty,
        _ => Mark::Content,
    }
}

/// The part of a response object that ends a stream.
#[derive(Deserialize)]
struct Last<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

fn ended(response: Option<&RawValue>) -> Piece {
    let last = response.and_then(|raw| serde_json::from_str::<Last<'_>>(raw.get()).ok());
    let usage = last.and_then(|last| usage::read(last.usage));
    Piece::Chunk { mark: Mark::End, usage, finished: true, usage_only: false }
}

fn failure(response: Option<&RawValue>) -> String {
    let last = response.and_then(|raw| serde_json::from_str::<Last<'_>>(raw.get()).ok());
    last.and_then(|last| last.error)
        .map(|error| fault::message_of(error.get().as_bytes()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use canon::Usage;
    use proptest::prelude::*;

    use super::*;

    fn mark(data: &str) -> Mark {
        match read_event(format!("event: x\ndata: {data}\n\n").as_bytes()) {
            Piece::Chunk { mark, .. } => mark,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn openings_are_not_content_and_deltas_are() {
        assert_eq!(mark(r#"{"type":"response.created","response":{"id":"resp_1"}}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"response.output_item.added","item":{"type":"message"}}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"response.output_item.added","item":{"type":"reasoning"}}"#), Mark::Empty);
        assert_eq!(
            mark(r#"{"type":"response.output_item.added","item":{"type":"function_call"}}"#),
            Mark::Content
        );
        assert_eq!(mark(r#"{"type":"response.content_part.added"}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"response.output_text.delta","delta":"Hi"}"#), Mark::Content);
        assert_eq!(mark(r#"{"type":"response.output_text.delta","delta":""}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"keepalive","sequence_number":3}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"response.something_new"}"#), Mark::Content);
    }

    #[test]
    fn the_end_carries_usage() {
        for kind in ["response.completed", "response.incomplete"] {
            let data = format!(
                r#"data: {{"type":"{kind}","response":{{"usage":{{"input_tokens":5,"output_tokens":2}}}}}}"#
            );
            let usage = Some(Usage { input: 5, output: 2, ..Usage::default() });
            let expected = Piece::Chunk { mark: Mark::End, usage, finished: true, usage_only: false };
            assert_eq!(read_event(data.as_bytes()), expected);
        }
        assert_eq!(read_event(b"data: [DONE]\n\n"), Piece::Done);
    }

    #[test]
    fn errors_of_each_kind_are_told() {
        let error = |data: &[u8]| match read_event(data) {
            Piece::Error(message) => message,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(error(br#"data: {"type":"error","code":"x","message":"boom"}"#), "boom");
        assert_eq!(error(br#"data: {"type":"error","error":{"message":"bang"}}"#), "bang");
        assert_eq!(error(br#"data: {"error":{"message":"bare"}}"#), "bare");
        let failed = br#"data: {"type":"response.failed","response":{"error":{"code":"c","message":"f"}}}"#;
        assert_eq!(error(failed), "f");
        assert_eq!(read_event(b": ping\n\n"), Piece::Nothing);
        assert_eq!(read_event(b"data: {\"type\":\n\n"), Piece::Garbage);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_event(&bytes);
        }
    }
}
