//! What an error body says, in the shapes of all vendors: its message and every code in it.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use super::super::retry;

/// Where an error has codes, from the outside in.
const PLACES: [&str; 7] =
    ["", "/error", "/response/error", "/error/metadata", "/error/innererror", "/detail", "/error/error"];

/// The fields that hold codes.
const FIELDS: [&str; 7] = ["code", "type", "status", "reason", "quotaId", "limit_source", "error_type"];

/// An error as it is matched.
#[derive(Debug, Default)]
pub(in crate::providers) struct Said {
    /// The message in lower case.
    pub(super) message: String,
    /// Every code, type, status word and reason.
    pub(super) codes: Vec<String>,
    /// When to come back, where the body says it.
    wait: Option<Duration>,
}

impl Said {
    /// Reads a body; `message` is what its dialect found in it. `now` is in milliseconds since the Unix epoch.
    pub(in crate::providers) fn read(body: &[u8], message: &str, now: i64) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            // A page or a plain text, which proxies send.
            let text = String::from_utf8_lossy(body.get(..body.len().min(2048)).unwrap_or(body));
            return Self { message: text.to_lowercase(), ..Self::default() };
        };
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(&value);
        let mut codes = Vec::new();
        for place in PLACES {
            codes.extend(value.pointer(place).into_iter().flat_map(codes_of));
        }
        let details = value.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
        for detail in details {
            codes.extend(codes_of(detail));
            let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
            codes.extend(violations.flat_map(codes_of));
        }
        let message = if message.is_empty() { any_message(value) } else { message };
        let wait = retry::in_words(message).or_else(|| headers_within(value, now));
        Self { message: message.to_lowercase(), codes, wait }
    }

    /// When to come back, where the body says it in words or in headers that it quotes.
    pub(in crate::providers) const fn wait(&self) -> Option<Duration> {
        self.wait
    }
}

fn codes_of(value: &Value) -> impl Iterator<Item = String> {
    FIELDS.iter().filter_map(|field| match value.get(*field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The message of a body in another shape than its dialect's.
fn any_message(value: &Value) -> &str {
    ["/error/message", "/message", "/error", "/detail", "/detail/message", "/msg"]
        .iter()
        .find_map(|place| value.pointer(place).and_then(Value::as_str))
        .unwrap_or_default()
}

/// The limits that OpenRouter quotes from the answer of who refused it.
fn headers_within(value: &Value, now: i64) -> Option<Duration> {
    let headers = value.pointer("/error/metadata/headers")?.as_object()?;
    let headers: HeaderMap = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::try_from(name.as_str()).ok()?;
            Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
        })
        .collect();
    retry::retry_after(&headers, now)
}
