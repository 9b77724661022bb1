//! The events of a streamed answer: what each means, without decoding more than that takes. The name of an event is
//! told by its data, which every provider sends; the `event:` line is for clients.

use std::borrow::Cow;

use canon::{Mark, Piece, Usage, sse};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{fault, usage};

/// Reads one event, blank line included or not.
#[must_use]
pub fn read_event(event: &[u8]) -> Piece {
    let Some(data) = sse::data(event) else { return Piece::Nothing };
    match data.trim_ascii() {
        // The end of another dialect, which some providers add behind their own.
        b"" | b"[DONE]" => Piece::Nothing,
        data => read_data(data),
    }
}

fn read_data(data: &[u8]) -> Piece {
    let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else {
        // Valid JSON in a shape that is not known here is the client's to judge; anything else is broken.
        return match serde_json::from_slice::<IgnoredAny>(data) {
            Ok(_) => chunk(Mark::Content, None, false),
            Err(_) => Piece::Garbage,
        };
    };
    match event.kind.as_deref() {
        Some("message_start") => {
            let usage = event.message.and_then(|message| usage::read(message.usage));
            chunk(Mark::Empty, usage, false)
        }
        Some("content_block_start") => {
            let kind = event.content_block.and_then(|block| block.kind);
            let empty = matches!(kind.as_deref(), Some("text" | "thinking"));
            chunk(if empty { Mark::Empty } else { Mark::Content }, None, false)
        }
        Some("content_block_stop" | "ping") => chunk(Mark::Empty, None, false),
        Some("message_delta") => {
            // Some providers report usage on the way; only a reason ends the answer.
            let finished = event.delta.is_some_and(|delta| delta.stop_reason.is_some());
            chunk(Mark::Content, usage::read(event.usage), finished)
        }
        Some("message_stop") => chunk(Mark::End, None, false),
        Some("error") => Piece::Error(fault::message_of(data)),
        None if event.error.is_some_and(|error| error.get() != "null") => {
            Piece::Error(fault::message_of(data))
        }
        _ => chunk(Mark::Content, None, false),
    }
}

fn chunk(mark: Mark, usage: Option<Usage>, finished: bool) -> Piece {
    Piece::Chunk { mark, usage, finished, usage_only: false }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Start<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Typed<'a>>,
    #[serde(default)]
    delta: Option<Ending>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Start<'a> {
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Typed<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Ending {
    #[serde(default)]
    stop_reason: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(data: &str) -> Piece {
        read_event(format!("event: x\ndata: {data}\n\n").as_bytes())
    }

    fn mark(data: &str) -> Mark {
        match piece(data) {
            Piece::Chunk { mark, .. } => mark,
            other => unreachable!("{other:?}"),
        }
    }

    #[test]
    fn what_a_person_would_see_is_content() {
        let start = |kind: &str| {
            mark(&format!(
                r#"{{"type":"content_block_start","index":0,"content_block":{{"type":"{kind}"}}}}"#
            ))
        };
        assert_eq!([start("text"), start("thinking")], [Mark::Empty; 2]);
        assert_eq!(
            [start("tool_use"), start("redacted_thinking"), start("web_search_tool_result")],
            [Mark::Content; 3]
        );
        assert_eq!(mark(r#"{"type":"content_block_delta","delta":{"type":"text_delta"}}"#), Mark::Content);
        assert_eq!(mark(r#"{"type":"ping"}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"content_block_stop","index":0}"#), Mark::Empty);
        assert_eq!(mark(r#"{"type":"message_stop"}"#), Mark::End);
        assert_eq!(mark(r#"{"type":"something_new"}"#), Mark::Content);
    }

    #[test]
    fn usage_stands_at_both_ends() {
        let start = piece(
            r#"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":1}}}"#,
        );
        let usage = Usage { input: 12, cached_input: 7, output: 1, ..Usage::default() };
        assert_eq!(start, chunk(Mark::Empty, Some(usage), false));
        let end = piece(
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":9}}"#,
        );
        let on_the_way =
            piece(r#"{"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":9}}"#);
        assert!(matches!(on_the_way, Piece::Chunk { finished: false, .. }));
        assert_eq!(end, chunk(Mark::Content, Some(Usage { output: 9, ..Usage::default() }), true));
    }

    #[test]
    fn errors_garbage_and_comments() {
        let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(piece(error), Piece::Error("Overloaded".to_owned()));
        assert_eq!(piece(r#"{"error":{"message":"boom"}}"#), Piece::Error("boom".to_owned()));
        assert_eq!(piece(r#"{"type":"#), Piece::Garbage);
        assert_eq!(piece("[DONE]"), Piece::Nothing);
        assert_eq!(read_event(b": keep-alive\n\n"), Piece::Nothing);
    }
}
