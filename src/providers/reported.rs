//! Errors that a provider reports inside of an answer with a good status: their class, and their own words for a client of
//! the same dialect.

use bytes::Bytes;
use canon::{Dialect, sse};
use http::StatusCode;
use serde_json::Value;

use super::{
    taxonomy::{self, Said},
    words,
};
use crate::engine::{
    fault::{FaultKind, PassedOn},
    settings::Connection,
};

/// What an error object in a stream says of whose fault it is. Where it names no class that is known, it is the
/// provider's, and passing.
pub(super) fn kind(data: &[u8]) -> FaultKind {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return FaultKind::InStream };
    if let Some(rule) = taxonomy::rule_for("", 0, &Said::read(data, "", 0)) {
        return rule.kind();
    }
    let places = ["/error", "/response/error", ""];
    let error = places.iter().find_map(|place| value.pointer(place).filter(|error| error.is_object()));
    let words = ["code", "type", "status"].iter().filter_map(|name| error?.get(*name)?.as_str());
    words.map(kind_of).find(|kind| *kind != FaultKind::InStream).unwrap_or(FaultKind::InStream)
}

fn kind_of(word: &str) -> FaultKind {
    match word {
        "invalid_prompt"
        | "invalid_request_error"
        | "INVALID_ARGUMENT"
        | "request_too_large"
        | "invalid_image"
        | "image_parse_error"
        | "string_above_max_length" => FaultKind::InvalidRequest,
        "rate_limit_exceeded" | "rate_limit_error" | "RESOURCE_EXHAUSTED" => FaultKind::RateLimited,
        "overloaded_error" | "overloaded" | "UNAVAILABLE" => FaultKind::Unavailable,
        _ => FaultKind::InStream,
    }
}

/// The event for a client of the same dialect, as its data; without the credential, if the provider quotes it.
pub(super) fn event(dialect: Dialect, event: &Bytes, connection: &Connection) -> Option<PassedOn> {
    let data = sse::data(event)?;
    let text = std::str::from_utf8(&data).ok()?;
    let is_error = match dialect {
        // Its errors have two forms, and one of them is a whole response.
        Dialect::Responses => {
            serde_json::from_str::<Value>(text).is_ok_and(|value| value.get("type").is_some())
        }
        _ => super::wire::is_error_body(dialect, data.as_ref()),
    };
    let body = words::without_secret(text, connection);
    // A credential may be written with escapes, and be found only where the text is read.
    let said = serde_json::from_str::<Value>(&body).map(|value| every_text(&value)).unwrap_or_default();
    let safe = words::without_secret(&said, connection) == said;
    (is_error && safe).then(|| PassedOn { status: StatusCode::OK, body: body.into() })
}

/// Every text in a value, one behind the other.
fn every_text(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(list) => list.iter().map(every_text).collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| format!("{name}\n{}", every_text(value))).collect()
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_vendors_words_have_their_class() {
        for (data, expected) in [
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                FaultKind::Unavailable,
            ),
            (
                r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded"}}}"#,
                FaultKind::RateLimited,
            ),
            (
                r#"{"type":"error","code":"context_length_exceeded","message":"long"}"#,
                FaultKind::ContextLength,
            ),
            (
                r#"{"error":{"message":"Your account has been suspended, or so it is said","type":"server_error"}}"#,
                FaultKind::InStream,
            ),
            (r#"{"error":{"code":"insufficient_quota"}}"#, FaultKind::PaymentRequired),
            (r#"{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}"#, FaultKind::RateLimited),
            (r#"{"error":{"message":"busy","type":"server_error"}}"#, FaultKind::InStream),
            ("no json", FaultKind::InStream),
        ] {
            assert_eq!(kind(data.as_bytes()), expected, "{data}");
        }
    }
}
