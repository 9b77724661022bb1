//! The events of a streamed answer: what each means, without decoding more than that takes.

use std::borrow::Cow;

use canon::{Mark, Piece, sse};
use serde::de::IgnoredAny;

use super::wire::Response;

/// Reads one event, blank line included or not. The dialect has no event that ends a stream: the end of the body after
/// a piece that is `finished` is its end.
#[must_use]
pub fn read_event(event: &[u8]) -> Piece {
    let Some(data) = data(event) else { return Piece::Nothing };
    match data.trim_ascii() {
        // Not Google's, but some that speak its dialect send it; its clients would take it for JSON.
        b"" | b"[DONE]" => Piece::Nothing,
        data => read_chunk(data),
    }
}

/// The JSON of an event. Google tells what breaks a stream as bare JSON between the events.
#[must_use]
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let bare = || event.trim_ascii().starts_with(b"{").then(|| Cow::Borrowed(event.trim_ascii()));
    sse::data(event).or_else(bare)
}

fn read_chunk(data: &[u8]) -> Piece {
    let Ok(response) = serde_json::from_slice::<Response<'_>>(data) else {
        if crate::fault::is_error_body(data) {
            return Piece::Error(crate::fault::message_of(data));
        }
        // Valid JSON in a shape that is not known here is the client's to judge; anything else is broken.
        return match serde_json::from_slice::<IgnoredAny>(data) {
            Ok(_) => Piece::Chunk { mark: Mark::Content, usage: None, finished: false, usage_only: false },
            Err(_) => Piece::Garbage,
        };
    };
    if let Some(message) = response.error() {
        return Piece::Error(message);
    }
    let finished = response.finished();
    let content = finished || response.has_content();
    let mark = if content { Mark::Content } else { Mark::Empty };
    Piece::Chunk { mark, usage: response.usage(), finished, usage_only: false }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn piece(data: &str) -> Piece {
        read_event(format!("data: {data}\r\n\r\n").as_bytes())
    }

    fn chunk(mark: Mark, finished: bool) -> Piece {
        Piece::Chunk { mark, usage: None, finished, usage_only: false }
    }

    #[test]
    fn a_part_that_says_something_is_content() {
        let part = |part: &str| {
            piece(&format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":[{part}]}},"index":0}}]}}"#
            ))
        };
        assert_eq!(part(r#"{"text":"Hi"}"#), chunk(Mark::Content, false));
        assert_eq!(part(r#"{"text":"hm","thought":true}"#), chunk(Mark::Content, false));
        assert_eq!(part(r#"{"functionCall":{"name":"f","args":{}}}"#), chunk(Mark::Content, false));
        assert_eq!(
            part(r#"{"inlineData":{"mimeType":"image/png","data":"AA=="}}"#),
            chunk(Mark::Content, false)
        );
        assert_eq!(part(r#"{"text":"","thoughtSignature":"AA=="}"#), chunk(Mark::Empty, false));
        assert_eq!(part(""), chunk(Mark::Empty, false));
    }

    #[test]
    fn a_reason_finishes_and_usage_may_stand_anywhere() {
        assert_eq!(piece(r#"{"candidates":[{"finishReason":"STOP"}]}"#), chunk(Mark::Content, true));
        assert_eq!(
            piece(r#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#),
            chunk(Mark::Empty, false)
        );
        assert_eq!(piece(r#"{"promptFeedback":{"blockReason":"SAFETY"}}"#), chunk(Mark::Content, true));
        assert_eq!(piece(r#"{"promptFeedback":{"safetyRatings":[]}}"#), chunk(Mark::Empty, false));
        let both = piece(
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":3}}"#,
        );
        assert!(matches!(both, Piece::Chunk { usage: Some(usage), finished: false, .. } if usage.input == 3));
    }

    #[test]
    fn errors_and_garbage() {
        assert_eq!(piece(r#"{"error":{"code":503,"message":"busy"}}"#), Piece::Error("busy".into()));
        assert_eq!(piece(r#"[{"error":{"code":503,"message":"busy"}}]"#), Piece::Error("busy".into()));
        assert_eq!(piece(r#"{"candidates":"#), Piece::Garbage);
        assert_eq!(piece(r#"{"candidates":{"x":1}}"#), chunk(Mark::Content, false));
        assert_eq!(read_event(b": ping\n\n"), Piece::Nothing);
        assert_eq!(piece("[DONE]"), Piece::Nothing);
    }

    #[test]
    fn an_event_gives_the_item_of_an_array() {
        assert_eq!(data(b"data: {\"a\":1}\n\n").as_deref(), Some(&b"{\"a\":1}"[..]));
        assert_eq!(data(b"\n\n"), None);
        let bare =
            b"{\n  \"error\": {\"code\": 503, \"message\": \"busy\", \"status\": \"UNAVAILABLE\"}\n}\n\n";
        assert!(matches!(read_event(bare), Piece::Error(_)), "an error stands bare");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[\\[\\]{}\",:a-z]{0,60}") {
            let _ = read_event(&bytes);
            let _ = piece(&text);
        }
    }
}
