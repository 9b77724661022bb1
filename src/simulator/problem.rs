//! OpenAI's error object, and the object that belongs to each status.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

/// A refusal in OpenAI's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// HTTP status.
    pub(super) status: u16,
    /// The object under `error`.
    pub(super) error: ErrorObject,
}

/// The object under `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ErrorObject {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
}

/// The whole body.
#[derive(Serialize)]
struct Wrapped<'a> {
    error: &'a ErrorObject,
}

impl Problem {
    /// A request that cannot be served as it is (400).
    pub(super) fn bad(message: impl Into<String>, param: Option<&str>, code: Option<&'static str>) -> Self {
        Self::new(400, message, "invalid_request_error", param, code)
    }

    /// Any refusal.
    pub(super) fn new(
        status: u16,
        message: impl Into<String>,
        kind: &'static str,
        param: Option<&str>,
        code: Option<&'static str>,
    ) -> Self {
        let param = param.map(str::to_owned);
        Self { status, error: ErrorObject { message: message.into(), kind, param, code } }
    }

    /// The refusal that providers send with this status.
    pub(super) fn of_status(status: u16) -> Self {
        let (message, kind, code) = match status {
            401 => (
                "Incorrect API key provided: the key is not valid.",
                "invalid_request_error",
                Some("invalid_api_key"),
            ),
            402 => ("Insufficient balance.", "insufficient_quota", Some("insufficient_quota")),
            403 => (
                "Country, region, or territory not supported",
                "request_forbidden",
                Some("unsupported_country_region_territory"),
            ),
            404 => (
                "The model does not exist or you do not have access to it.",
                "invalid_request_error",
                Some("model_not_found"),
            ),
            408 => ("The request timed out.", "timeout", Some("request_timeout")),
            413 => ("The request is too large.", "invalid_request_error", Some("request_too_large")),
            422 => ("The request could not be processed.", "invalid_request_error", None),
            429 => ("Rate limit reached. Please try again later.", "requests", Some("rate_limit_exceeded")),
            503 => (
                "The engine is currently overloaded, please try again later.",
                "server_error",
                Some("overloaded"),
            ),
            529 => ("Overloaded", "overloaded_error", Some("overloaded")),
            _ if status < 500 => ("The request was refused.", "invalid_request_error", None),
            _ => (
                "The server had an error while processing your request. Sorry about that!",
                "server_error",
                Some("server_error"),
            ),
        };
        Self::new(status, message, kind, None, code)
    }

    /// `{"error": …}` as text.
    pub(super) fn json(&self) -> String {
        serde_json::to_string(&Wrapped { error: &self.error }).unwrap_or_default()
    }

    /// The response.
    pub(super) fn response(&self) -> Response<Body> {
        json_response(self.status, self.json())
    }
}

/// A response with a JSON body.
pub(super) fn json_response(status: u16, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_all_four_fields() {
        assert_eq!(
            Problem::bad("No.", Some("model"), None).json(),
            r#"{"error":{"message":"No.","type":"invalid_request_error","param":"model","code":null}}"#
        );
    }
}
