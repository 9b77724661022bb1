//! A refusal, and how each vendor writes it.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;
use serde_json::{Value, json};

/// Which vendor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// OpenAI, and the many who speak as it does.
    Openai,
    /// Anthropic.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
}

/// A refusal, in whatever shape it will be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// HTTP status.
    pub(super) status: u16,
    /// What is wrong, in words.
    pub(super) message: String,
    kind: &'static str,
    param: Option<String>,
    code: Option<&'static str>,
    details: Vec<Value>,
}

/// OpenAI's object under `error`.
#[derive(Serialize)]
struct ErrorObject<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: Option<&'static str>,
}

impl Problem {
    /// A request that cannot be served as it is (400).
    pub(super) fn bad(message: impl Into<String>, param: Option<&str>, code: Option<&'static str>) -> Self {
        Self::new(400, message, "invalid_request_error", param, code)
    }

    /// A request that cannot be served as it is (400), from a vendor that has only words for it.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::bad(message, None, None)
    }

    /// Any refusal. Type, parameter and code are those of OpenAI's object; other vendors go by the status.
    pub(super) fn new(
        status: u16,
        message: impl Into<String>,
        kind: &'static str,
        param: Option<&str>,
        code: Option<&'static str>,
    ) -> Self {
        let param = param.map(str::to_owned);
        Self { status, message: message.into(), kind, param, code, details: Vec::new() }
    }

    /// The same with details: Google has a list of them, Anthropic one object, OpenAI none.
    pub(super) fn detail(mut self, detail: Value) -> Self {
        self.details.push(detail);
        self
    }

    /// The refusal that providers send with this status.
    pub(super) fn of_status(status: u16, voice: Voice) -> Self {
        let mut problem = usual(status);
        match voice {
            Voice::Openai => {}
            Voice::Anthropic => anthropic_words(status).clone_into(&mut problem.message),
            Voice::Gemini => google_words(status).clone_into(&mut problem.message),
        }
        problem
    }

    /// The error object as text.
    pub(super) fn json(&self, voice: Voice) -> String {
        self.value(voice).to_string()
    }

    /// The error object.
    pub(super) fn value(&self, voice: Voice) -> Value {
        match voice {
            Voice::Openai => json!({"error": self.openai()}),
            Voice::Anthropic => {
                let mut error = json!({"type": anthropic_type(self.status), "message": self.message});
                if let Some(details) = self.details.first() {
                    error["details"] = details.clone();
                }
                json!({"type": "error", "error": error})
            }
            Voice::Gemini => {
                let mut error = json!({
                    "code": self.status,
                    "message": self.message,
                    "status": google_status(self.status),
                });
                if !self.details.is_empty() {
                    error["details"] = Value::Array(self.details.clone());
                }
                json!({"error": error})
            }
        }
    }

    /// OpenAI's object under `error`.
    pub(super) fn openai(&self) -> Value {
        let object = ErrorObject {
            message: &self.message,
            kind: self.kind,
            param: self.param.as_deref(),
            code: self.code,
        };
        serde_json::to_value(object).unwrap_or_default()
    }

    /// OpenAI's code, or its type where there is none.
    pub(super) fn code(&self) -> &'static str {
        self.code.unwrap_or(self.kind)
    }

    /// The response.
    pub(super) fn response(&self, voice: Voice) -> Response<Body> {
        json_response(self.status, self.json(voice))
    }
}

/// OpenAI's refusal with this status.
fn usual(status: u16) -> Problem {
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
    Problem::new(status, message, kind, None, code)
}

/// Anthropic's name of an error, which goes by the status.
pub(super) const fn anthropic_type(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        408 | 504 => "timeout_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 | 529 => "overloaded_error",
        400..500 => "invalid_request_error",
        _ => "api_error",
    }
}

const fn anthropic_words(status: u16) -> &'static str {
    match status {
        401 => "invalid x-api-key",
        402 => {
            "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to \
                upgrade or purchase credits."
        }
        403 => "Your API key does not have permission to use the specified resource.",
        404 => "model: not found",
        408 | 504 => "Request timed out",
        413 => "Request exceeds the maximum size",
        429 => "This request would exceed your organization's rate limit. Please try again later.",
        503 | 529 => "Overloaded",
        400..500 => "The request was refused.",
        _ => "Internal server error",
    }
}

/// Google's name of a status.
const fn google_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        402 => "FAILED_PRECONDITION",
        _ if status < 500 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

const fn google_words(status: u16) -> &'static str {
    match status {
        401 => {
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                other valid authentication credential."
        }
        402 => "User location or billing does not permit the use of the API.",
        403 => "The caller does not have permission",
        404 => "The model is not found for API version v1beta, or is not supported for generateContent.",
        408 | 504 => "Deadline expired before operation could complete.",
        413 => "Request payload size exceeds the limit: 20971520 bytes.",
        429 => "Resource has been exhausted (e.g. check quota).",
        502 | 503 | 529 => "The model is overloaded. Please try again later.",
        400..500 => "Request contains an invalid argument.",
        _ => {
            "An internal error has occurred. Please retry or report in \
              https://developers.generativeai.google/guide/troubleshooting"
        }
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
    fn each_vendor_has_its_own_object() {
        let problem = Problem::bad("No.", Some("model"), None);
        assert_eq!(
            problem.json(Voice::Openai),
            r#"{"error":{"message":"No.","type":"invalid_request_error","param":"model","code":null}}"#
        );
        assert_eq!(
            problem.json(Voice::Anthropic),
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"No."}}"#
        );
        assert_eq!(
            problem.json(Voice::Gemini),
            r#"{"error":{"code":400,"message":"No.","status":"INVALID_ARGUMENT"}}"#
        );
    }
}
