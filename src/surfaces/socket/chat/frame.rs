//! The frames: what a client's say, and how the hub's are written. Chunks and answers are put in as the provider
//! wrote them, without being decoded.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::ID_LIMIT;
use crate::{
    engine::{code::Code, pipeline::Served, refusal::Refusal},
    surfaces::{front::Ids, socket::error_object},
};

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An answer to the payload, a chat body.
    Answer { id: String, payload: Bytes },
    /// The end of a request.
    Cancel { id: String },
    /// A pong.
    Ping,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    id: Option<Value>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

/// Reads a client's frame.
///
/// # Errors
/// When it is none that the protocol has.
pub(super) fn read(text: Utf8Bytes) -> Result<Asked, Refusal> {
    let bytes = Bytes::from(text);
    let envelope: Envelope<'_> = serde_json::from_slice(&bytes)
        .map_err(|error| invalid(format!("The frame is no JSON object with a `type`: {error}.")))?;
    match &*envelope.kind {
        "request" => {
            let payload = envelope.payload.ok_or_else(|| invalid("The frame lacks its `payload`."))?;
            // The payload is a part of the frame's own bytes: nothing is copied.
            let payload = bytes.slice_ref(payload.get().as_bytes());
            Ok(Asked::Answer { id: id_of(envelope.id)?, payload })
        }
        "cancel" => Ok(Asked::Cancel { id: id_of(envelope.id)? }),
        "ping" => Ok(Asked::Ping),
        _ => Err(invalid("The frame's `type` is none that the protocol has.")),
    }
}

fn id_of(id: Option<Value>) -> Result<String, Refusal> {
    match id {
        Some(Value::String(id)) if (1..=ID_LIMIT).contains(&id.len()) => Ok(id),
        _ => Err(invalid(format!("The frame's `id` must be a string of 1 to {ID_LIMIT} bytes."))),
    }
}

/// What is wrong with a frame.
pub(super) fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::WsInvalidFrame, message)
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Frame<'a> {
    Chunk {
        id: &'a str,
        request_id: &'a str,
        data: &'a RawValue,
    },
    Complete {
        id: &'a str,
        request_id: &'a str,
        data: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<&'a RawValue>,
        #[serde(skip_serializing_if = "Option::is_none")]
        served: Option<By<'a>>,
    },
    Error {
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        request_id: Option<&'a str>,
        error: Map<String, Value>,
    },
    Cancelled {
        id: &'a str,
        request_id: &'a str,
    },
    Pong,
}

/// Who served an answer: what the `x-gateway-…` headers say over HTTP, and what translation lost.
#[derive(Serialize)]
struct By<'a> {
    provider: &'a str,
    route: &'a str,
    model: &'a str,
    attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    translation_loss: Option<String>,
}

/// The two names of a request: the client's, and the hub's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) id: &'a str,
    pub(super) request_id: &'a str,
}

/// A chunk of a streamed answer.
pub(super) fn chunk(names: Names<'_>, data: &RawValue) -> Message {
    message(&Frame::Chunk { id: names.id, request_id: names.request_id, data })
}

/// The end of an answer: the whole of it, or nothing after its chunks.
pub(super) fn complete(
    names: Names<'_>,
    data: Option<&RawValue>,
    usage: Option<&RawValue>,
    served: Option<&Served>,
) -> Message {
    let served = served.map(|served| By {
        provider: &served.provider,
        route: &served.connection,
        model: &served.model,
        attempts: served.attempts,
        translation_loss: (!served.losses.is_empty()).then(|| served.losses.to_string()),
    });
    message(&Frame::Complete { id: names.id, request_id: names.request_id, data, usage, served })
}

/// An error that belongs to a request. `topology` says whether its caller may see which connections there are.
pub(super) fn error(names: Names<'_>, refusal: &Refusal, ids: &Ids, topology: bool) -> Message {
    let error = told(refusal, ids, topology);
    message(&Frame::Error { id: Some(names.id), request_id: Some(names.request_id), error })
}

/// An error that belongs to no request.
pub(super) fn complaint(refusal: &Refusal, ids: &Ids) -> Message {
    message(&Frame::Error { id: None, request_id: None, error: told(refusal, ids, false) })
}

/// A cancel is confirmed.
pub(super) fn cancelled(names: Names<'_>) -> Message {
    message(&Frame::Cancelled { id: names.id, request_id: names.request_id })
}

/// The answer to a client's ping.
pub(super) fn pong() -> Message {
    message(&Frame::Pong)
}

/// The error as it would stand in an HTTP body, with the status that it would have there.
fn told(refusal: &Refusal, ids: &Ids, topology: bool) -> Map<String, Value> {
    let mut object = error_object(refusal, ids, topology);
    object.insert("status".to_owned(), refusal.status().into());
    object
}

fn message(frame: &Frame<'_>) -> Message {
    // Strings, numbers and JSON that was read always serialise; the fallback is for the type's sake.
    Message::text(serde_json::to_string(frame).unwrap_or_default())
}

/// The token counts of a chunk or an answer, as the provider wrote them.
pub(super) fn usage(json: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow, default)]
        usage: Option<&'a RawValue>,
    }
    memchr::memmem::find(json.get().as_bytes(), b"\"usage\"")?;
    serde_json::from_str::<Peek<'_>>(json.get()).ok()?.usage.filter(|usage| usage.get() != "null")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_payload_is_what_stands_in_the_frame_to_the_byte() {
        let text = r#"{"payload" : { "model":"m\u0061", "x": [1.50 , 2]} , "id":"\u0031", "type":"requ\u0065st", "more": 1}"#;
        let asked = read(text.into()).unwrap();
        let payload = Bytes::from_static(br#"{ "model":"m\u0061", "x": [1.50 , 2]}"#);
        assert_eq!(asked, Asked::Answer { id: "1".to_owned(), payload });
    }

    #[test]
    fn a_providers_own_words_do_not_break_the_error() {
        let ids = Ids { own: "req_1".into(), client: None, dialect: canon::Dialect::Chat, broke: None };
        let mut refusal = Refusal::new(Code::UpstreamRefused, "The provider refused it.");
        refusal.upstream_status = Some(422);
        for (theirs, message) in [
            (r#"{"error": {"message": "theirs", "code": null}}"#, "theirs"),
            (r#"{"detail": "theirs"}"#, "The provider refused it. Correct the request."),
            (r#"{"error": "theirs"}"#, "The provider refused it. Correct the request."),
            ("<html>", "The provider refused it. Correct the request."),
        ] {
            let body = Bytes::from_static(theirs.as_bytes());
            let passed_on =
                crate::engine::fault::PassedOn { status: http::StatusCode::UNPROCESSABLE_ENTITY, body };
            refusal.passed_on = Some(Box::new(passed_on));
            let error = told(&refusal, &ids, false);
            assert_eq!((&error["message"], &error["status"]), (&message.into(), &422.into()), "{theirs}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange_to_be_refused(
            text in ".*",
            field in "(type|id|payload)",
            value in "(7|null|\"\"|\"request\"|\\[\\]|\\{\\}|\\{)",
        ) {
            drop(read(text.into()));
            let frame = format!(r#"{{"type": "request", "id": "1", "payload": {{}}, "{field}": {value}}}"#);
            prop_assert!(read(frame.into()).is_err(), "a field that comes twice");
        }
    }
}
