//! OpenAI's error object, written for clients and read from providers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of an error answer: `{"error": {…}}`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody<'a, Details: Serialize> {
    /// The error.
    pub error: ErrorObject<'a, Details>,
}

/// OpenAI's four fields, and what the hub adds to them.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorObject<'a, Details: Serialize> {
    /// What happened, why, and what to do next.
    pub message: &'a str,
    /// The class that SDKs look at; it agrees with the status.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// The field at fault, or null.
    pub param: Option<&'a str>,
    /// A stable code.
    pub code: &'a str,
    /// The hub's own fields.
    #[serde(flatten)]
    pub details: Details,
}

/// The error class that belongs to a status. Clients retry by it, so the two must agree.
#[must_use]
pub const fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        402 => "insufficient_quota",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

/// An error as an event of a stream that already runs.
#[must_use]
pub fn event<Details: Serialize>(body: &ErrorBody<'_, Details>) -> Vec<u8> {
    let mut event = b"data: ".to_vec();
    // A body of texts cannot fail to serialise; without it the event would still end the stream as broken.
    let _ = serde_json::to_writer(&mut event, body);
    event.extend_from_slice(b"\n\n");
    event
}

#[derive(Deserialize)]
struct Read {
    error: Value,
}

/// Whether a body is an error object that a client of this dialect can read.
#[must_use]
pub fn is_error_body(body: &[u8]) -> bool {
    serde_json::from_slice::<Read>(body).is_ok_and(|read| read.error.is_object())
}

/// What an error body says, for receipts and logs: the message of an error object in any of the shapes in
/// which providers send it. Empty when the body says nothing readable. As long as the
/// provider made it.
#[must_use]
pub fn message_of(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let error = value.get("error").unwrap_or(&value);
    [error, &value]
        .into_iter()
        .find_map(|at| at.get("message").and_then(Value::as_str))
        .or_else(|| error.as_str())
        .or_else(|| value.get("detail").and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_the_error_that_it_is() {
        let kind = kind_of(503);
        let error = ErrorObject { message: "a\nb", kind, param: None, code: "busy", details: NoDetails {} };
        let event = event(&ErrorBody { error });
        assert!(event.ends_with(b"}\n\n"));
        assert_eq!(crate::chat::read_event(&event), canon::Piece::Error("a\nb".to_owned()));
    }

    #[derive(Serialize)]
    struct NoDetails {}

    #[test]
    fn reads_the_shapes_that_providers_send() {
        assert_eq!(message_of(br#"{"error":{"message":"a"}}"#), "a");
        assert_eq!(message_of(br#"{"error":"b"}"#), "b");
        assert_eq!(message_of(br#"{"message":"c"}"#), "c");
        assert_eq!(message_of(br#"{"detail":"d"}"#), "d");
        assert_eq!(message_of(b"<html>"), "");
        assert!(is_error_body(br#"{"error":{"message":"a"}}"#));
        assert!(!is_error_body(br#"{"error":"b"}"#) && !is_error_body(b"no"));
    }
}
