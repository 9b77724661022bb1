//! Google's error object, written for clients and read from providers.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

/// The body of an error answer: `{"error": {…}}`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody<'a, Details: Serialize> {
    /// The error.
    pub error: ErrorObject<'a, Details>,
}

/// The fields of a `google.rpc.Status`, and what the hub adds to them.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorObject<'a, Details: Serialize> {
    /// The HTTP status.
    pub code: u16,
    /// What happened, why, and what to do next.
    pub message: &'a str,
    /// The status word that SDKs look at; it agrees with the code.
    pub status: &'a str,
    /// The hub's own fields.
    #[serde(flatten)]
    pub details: Details,
}

/// The status word that belongs to an HTTP status. Clients retry by it, so the two must agree.
#[must_use]
pub const fn status_of(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        402 => "FAILED_PRECONDITION",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// The last event of a stream that failed: the error body as its data.
#[must_use]
pub fn event<Details: Serialize>(body: &ErrorBody<'_, Details>) -> Vec<u8> {
    let mut event = b"data: ".to_vec();
    // Writing to memory does not fail; details that cannot be serialised leave an error without fields.
    event.extend(serde_json::to_vec(body).unwrap_or_else(|_| br#"{"error":{}}"#.to_vec()));
    event.extend_from_slice(b"\n\n");
    event
}

/// The error object in a body. Streams without `alt=sse` put it into an array.
fn object(value: &Value) -> &Value {
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
    value.get("error").unwrap_or(value)
}

/// Whether a body is an error object that a client of this dialect can read.
#[must_use]
pub fn is_error_body(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let value = value.as_array().and_then(|list| list.first()).unwrap_or(&value);
    value.get("error").is_some_and(Value::is_object)
}

/// What an error body says, for receipts and logs. Empty when the body says nothing readable. As long as the provider
/// made it.
#[must_use]
pub fn message_of(body: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    said(&value)
}

/// The message in a decoded error.
pub(crate) fn said(value: &Value) -> String {
    let error = object(value);
    ["message", "detail"]
        .into_iter()
        .find_map(|name| error.get(name).and_then(Value::as_str))
        .or_else(|| error.as_str())
        .or_else(|| value.get("message").and_then(Value::as_str))
        .unwrap_or_default()
        .to_owned()
}

/// Whether an error says that the key is not valid, which Google tells with the status of a wrong request. Only the
/// reason among the details counts: messages quote what the client wrote.
#[must_use]
pub fn is_of_key(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return false };
    let details = object(&value).get("details").and_then(Value::as_array);
    details
        .into_iter()
        .flatten()
        .any(|detail| detail.get("reason").is_some_and(|reason| reason == "API_KEY_INVALID"))
}

/// How long the provider asks to wait, as a `google.rpc.RetryInfo` among the details says it.
#[must_use]
pub fn retry_delay(body: &[u8]) -> Option<Duration> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let details = object(&value).get("details")?.as_array()?;
    details.iter().find_map(|detail| duration(detail.get("retryDelay")?.as_str()?))
}

/// A protobuf duration: decimal seconds with an `s` behind them.
fn duration(text: &str) -> Option<Duration> {
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_the_shapes_that_providers_send() {
        assert_eq!(message_of(br#"{"error":{"code":400,"message":"a","status":"INVALID_ARGUMENT"}}"#), "a");
        assert_eq!(message_of(br#"[{"error":{"message":"b"}}]"#), "b");
        assert_eq!(message_of(br#"{"error":"c"}"#), "c");
        assert_eq!(message_of(br#"{"message":"d"}"#), "d");
        assert_eq!(message_of(b"<html>"), "");
        assert!(is_error_body(br#"[{"error":{"message":"a"}}]"#) && is_error_body(br#"{"error":{}}"#));
        assert!(!is_error_body(br#"{"error":"b"}"#) && !is_error_body(b"no"));
    }

    #[test]
    fn the_delay_stands_among_the_details() {
        let body = br#"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.Help"},
            {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.5s"}]}}"#;
        assert_eq!(retry_delay(body), Some(Duration::from_millis(37_500)));
        assert_eq!(retry_delay(br#"{"error":{"details":[{"retryDelay":"-1s"}]}}"#), None);
        assert_eq!(retry_delay(br#"{"error":{"details":[{"retryDelay":"soon"}]}}"#), None);
    }

    #[test]
    fn only_the_reason_tells_of_a_wrong_key() {
        assert!(is_of_key(br#"{"error":{"code":400,"details":[{"reason":"API_KEY_INVALID"}]}}"#));
        assert!(!is_of_key(br#"{"error":{"code":400,"message":"Unknown name \"API_KEY_INVALID\""}}"#));
    }

    #[test]
    fn code_and_status_agree_in_a_body_and_in_an_event() {
        let error = ErrorObject {
            code: 429,
            message: "slow down",
            status: status_of(429),
            details: json!({"request_id": "r1"}),
        };
        let event = event(&ErrorBody { error });
        let text = String::from_utf8_lossy(&event);
        assert_eq!(
            text,
            "data: {\"error\":{\"code\":429,\"message\":\"slow down\",\"status\":\"RESOURCE_EXHAUSTED\",\"request_id\":\"r1\"}}\n\n"
        );
        assert_eq!(
            (status_of(400), status_of(500), status_of(503)),
            ("INVALID_ARGUMENT", "INTERNAL", "UNAVAILABLE")
        );
    }
}
