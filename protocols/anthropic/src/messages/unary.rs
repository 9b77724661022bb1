//! A unary answer: whether it is one, and what it consumed. The bytes themselves are the client's.

use canon::{UnaryError, Usage};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{fault, usage};

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    content: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Checks a unary answer and reads its usage. One without content is an answer if it says why it ended.
///
/// # Errors
/// When the body is not a message.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(UnaryError::Empty);
    }
    let wire: Wire<'_> = serde_json::from_slice(body).map_err(|_| UnaryError::NotAnAnswer)?;
    let reports = wire.error.is_some_and(|raw| raw.get() != "null");
    if reports || wire.kind.as_deref() == Some("error") {
        return Err(UnaryError::Reported(fault::message_of(body)));
    }
    match wire.content {
        Some(content) if !content.is_empty() || wire.stop_reason.is_some() => Ok(usage::read(wire.usage)),
        Some(_) | None => Err(UnaryError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_gives_its_usage() {
        let body = br#"{"type":"message","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn",
            "usage":{"input_tokens":9,"output_tokens":3}}"#;
        assert_eq!(read_unary(body), Ok(Some(Usage { input: 9, output: 3, ..Usage::default() })));
        assert_eq!(read_unary(br#"{"type":"message","content":[],"stop_reason":"end_turn"}"#), Ok(None));
    }

    #[test]
    fn what_is_no_message_is_said() {
        assert_eq!(read_unary(b" \n"), Err(UnaryError::Empty));
        assert_eq!(
            read_unary(br#"{"type":"message","content":[],"stop_reason":null}"#),
            Err(UnaryError::Empty)
        );
        assert_eq!(read_unary(b"<html>"), Err(UnaryError::NotAnAnswer));
        let reported = read_unary(br#"{"type":"error","error":{"type":"api_error","message":"busy"}}"#);
        assert_eq!(reported, Err(UnaryError::Reported("busy".to_owned())));
    }
}
