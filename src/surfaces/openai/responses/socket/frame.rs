//! The frames: what a client's are for, and how the hub's are written.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{front::Ids, render, socket::error_object},
};

/// The longest name of a lane, in bytes.
const LANE_LIMIT: usize = 256;

/// What a client's frame is for.
pub(super) enum Asked {
    /// A response. What belongs to it is to be marked with the lane.
    Response { lane: Option<String> },
    /// Nothing that needs an answer.
    Nothing,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    stream_id: Option<String>,
}

/// Reads what a client's frame is for.
///
/// # Errors
/// When it is for nothing that is known here.
pub(super) fn read(text: &str) -> Result<Asked, Refusal> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|error| {
        Refusal::new(Code::InvalidJson, format!("The frame is no JSON object with a `type`: {error}."))
    })?;
    if envelope.stream_id.as_ref().is_some_and(|lane| lane.len() > LANE_LIMIT) {
        let text = format!("The frame's `stream_id` is longer than {LANE_LIMIT} bytes.");
        return Err(Refusal::new(Code::InvalidParameter, text).about("stream_id"));
    }
    match &*envelope.kind {
        "response.create" => Ok(Asked::Response { lane: envelope.stream_id }),
        // The client has dealt with a response.
        "response.processed" => Ok(Asked::Nothing),
        _ => {
            let text = "The frame's `type` is none that is served here; `response.create` is.";
            Err(Refusal::new(Code::InvalidParameter, text).about("type"))
        }
    }
}

/// An event of a response. `data` is a JSON object.
pub(super) fn event(data: &str, lane: Option<&str>) -> Message {
    let Some((lane, rest)) = lane.zip(data.trim_start().strip_prefix('{')) else {
        return Message::text(data);
    };
    let between = if rest.trim_start().starts_with('}') { "" } else { "," };
    Message::text(format!("{{\"stream_id\":{}{between}{rest}", Value::from(lane)))
}

/// An error in place of a response, or of whatever a frame was for.
pub(super) fn error(refusal: &Refusal, ids: &Ids, topology: bool, lane: Option<&str>) -> Message {
    let mut error = error_object(refusal, ids, topology);
    let mut frame = Map::new();
    frame.insert("type".to_owned(), "error".into());
    frame.insert("status".to_owned(), refusal.status().into());
    if let Some(wait) = refusal.retry_after {
        // Some clients look for it beside the error, and some inside.
        let headers = json!({ "retry-after": render::whole_seconds(wait).to_string() });
        error.insert("headers".to_owned(), headers.clone());
        frame.insert("headers".to_owned(), headers);
    }
    frame.insert("error".to_owned(), Value::Object(error));
    frame.extend(lane.map(|lane| ("stream_id".to_owned(), lane.into())));
    Message::text(Value::Object(frame).to_string())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn events_are_marked_with_their_lane() {
        let of = |data: &str, lane| event(data, lane).into_text().unwrap().to_string();
        assert_eq!(of(r#"{"type":"x"}"#, None), r#"{"type":"x"}"#);
        assert_eq!(of(r#" {"type":"x"}"#, Some("a\"b")), r#"{"stream_id":"a\"b","type":"x"}"#);
        assert_eq!(of("{ }", Some("a")), r#"{"stream_id":"a" }"#);
    }

    #[test]
    fn only_what_is_served_is_taken() {
        let created = r#"{"type":"response.create","stream_id":"a","input":[{"type":"response.steer"}]}"#;
        assert!(matches!(read(created), Ok(Asked::Response { lane: Some(lane) }) if lane == "a"));
        assert!(matches!(read(r#"{"type":"response.processed"}"#), Ok(Asked::Nothing)));
        for (frame, code) in [
            (r#"{"type":"response.steer"}"#, Code::InvalidParameter),
            (r#"{"input":"x"}"#, Code::InvalidJson),
            ("[]", Code::InvalidJson),
            ("no", Code::InvalidJson),
        ] {
            assert_eq!(read(frame).err().unwrap().code, code, "{frame}");
        }
    }
}
