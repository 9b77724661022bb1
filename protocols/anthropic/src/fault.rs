//! Anthropic's error object, written for clients and read from providers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body of an error answer, and the data of an error in a stream.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody<'a, Details: Serialize> {
    /// Always `error`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The error.
    pub error: ErrorObject<'a, Details>,
    /// The id of the request, for people who ask about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
}

/// Anthropic's two fields, and what the hub adds to them.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorObject<'a, Details: Serialize> {
    /// The class that SDKs look at; it agrees with the status.
    #[serde(rename = "type")]
    pub kind: &'a str,
    /// What happened, why, and what to do next.
    pub message: &'a str,
    /// The hub's own fields.
    #[serde(flatten)]
    pub details: Details,
}

impl<'a, Details: Serialize> ErrorBody<'a, Details> {
    /// The error that belongs to a status.
    pub const fn new(status: u16, message: &'a str, details: Details, request_id: Option<&'a str>) -> Self {
        Self { kind: "error", error: ErrorObject { kind: kind_of(status), message, details }, request_id }
    }

    /// The event that ends a stream with this error: clients take it for no normal end.
    #[must_use]
    pub fn event(&self) -> Vec<u8> {
        let mut event = b"event: error\ndata: ".to_vec();
        if serde_json::to_writer(&mut event, self).is_err() {
            // Only details that cannot be written get here; the class alone is still an error.
            event.truncate(b"event: error\ndata: ".len());
            event.extend_from_slice(br#"{"type":"error","error":{"type":"api_error","message":""}}"#);
        }
        event.extend_from_slice(b"\n\n");
        event
    }
}

/// The error class that belongs to a status. Clients retry by it, so the two must agree.
#[must_use]
pub const fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        // Claude Code recovers from an overload in the middle of a stream, and from no other class.
        503 | 529 => "overloaded_error",
        408 | 504 => "timeout_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    }
}

#[derive(Deserialize)]
struct Read {
    #[serde(rename = "type")]
    kind: String,
    error: Value,
}

/// Whether a body is an error object that a client of this dialect can read.
#[must_use]
pub fn is_error_body(body: &[u8]) -> bool {
    serde_json::from_slice::<Read>(body).is_ok_and(|read| read.kind == "error" && read.error.is_object())
}

/// What an error body says, for receipts and logs: the message of an error object in any of the shapes in which
/// providers of this dialect send it. Empty when the body says nothing readable. As long as the provider made it.
#[must_use]
pub fn message_of(body: &[u8]) -> String {
    serde_json::from_slice::<Value>(body).map(|value| message_in(&value)).unwrap_or_default()
}

/// The same for a body that was already read.
pub(crate) fn message_in(value: &Value) -> String {
    let error = value.get("error").unwrap_or(value);
    [error, value]
        .into_iter()
        .find_map(|at| at.get("message").and_then(Value::as_str))
        .or_else(|| error.as_str())
        .or_else(|| value.get("detail").and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[derive(Serialize)]
    struct Details {
        code: &'static str,
    }

    #[test]
    fn reads_the_shapes_that_providers_send() {
        assert_eq!(message_of(br#"{"type":"error","error":{"type":"api_error","message":"a"}}"#), "a");
        assert_eq!(message_of(br#"{"error":"b"}"#), "b");
        assert_eq!(message_of(br#"{"message":"c"}"#), "c");
        assert_eq!(message_of(br#"{"detail":"d"}"#), "d");
        assert_eq!(message_of(b"<html>"), "");
        assert!(is_error_body(br#"{"type":"error","error":{"message":"a"}}"#));
        assert!(!is_error_body(br#"{"error":{"message":"a"}}"#) && !is_error_body(b"no"));
    }

    #[test]
    fn writes_a_body_and_an_event() {
        let body = ErrorBody::new(529, "busy", Details { code: "overloaded" }, Some("req_1"));
        let expected = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy","code":"overloaded"},"request_id":"req_1"}"#;
        assert_eq!(serde_json::to_string(&body).unwrap(), expected);
        let event = String::from_utf8(body.event()).unwrap();
        assert_eq!(event, format!("event: error\ndata: {expected}\n\n"));
        assert!(is_error_body(expected.as_bytes()));
    }

    #[test]
    fn classes_agree_with_statuses() {
        let kinds = [400, 401, 402, 403, 404, 413, 422, 429, 500, 502, 504, 529].map(kind_of);
        let expected = [
            "invalid_request_error",
            "authentication_error",
            "billing_error",
            "permission_error",
            "not_found_error",
            "request_too_large",
            "invalid_request_error",
            "rate_limit_error",
            "api_error",
            "api_error",
            "timeout_error",
            "overloaded_error",
        ];
        assert_eq!(kinds, expected);
    }
}
