//! A unary answer: whether it is one, and what it consumed. The bytes themselves are the client's.

use std::borrow::Cow;

use canon::{UnaryError, Usage};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use super::usage;
use crate::fault;

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    output: Option<Vec<IgnoredAny>>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Checks a unary answer and reads its usage. A response that is still being made in the background is one, too.
///
/// # Errors
/// When the body is not a response, or one that failed.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(UnaryError::Empty);
    }
    let wire: Wire<'_> = serde_json::from_slice(body).map_err(|_| UnaryError::NotAnAnswer)?;
    if let Some(error) = wire.error.filter(|raw| raw.get() != "null") {
        return Err(UnaryError::Reported(fault::message_of(error.get().as_bytes())));
    }
    match wire.status.as_deref() {
        Some("failed") => Err(UnaryError::Reported(String::new())),
        Some("queued" | "in_progress") => Ok(usage::read(wire.usage)),
        _ if wire.output.is_some() => Ok(usage::read(wire.usage)),
        _ => Err(UnaryError::NotAnAnswer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_gives_its_usage() {
        let body = br#"{"object":"response","status":"completed","error":null,"output":[{"type":"message"}],
            "usage":{"input_tokens":9,"output_tokens":3,"input_tokens_details":{"cached_tokens":4},
            "output_tokens_details":{"reasoning_tokens":1}}}"#;
        let usage = Usage { input: 9, output: 3, cached_input: 4, reasoning: 1, ..Usage::default() };
        assert_eq!(read_unary(body), Ok(Some(usage)));
        assert_eq!(read_unary(br#"{"object":"response","status":"queued","output":[]}"#), Ok(None));
    }

    #[test]
    fn what_is_no_response_is_said() {
        assert_eq!(read_unary(b" \n"), Err(UnaryError::Empty));
        assert_eq!(read_unary(b"<html>"), Err(UnaryError::NotAnAnswer));
        assert_eq!(read_unary(br#"{"choices":[{}]}"#), Err(UnaryError::NotAnAnswer));
        let failed = br#"{"object":"response","status":"failed","output":[],"error":{"message":"busy"}}"#;
        assert_eq!(read_unary(failed), Err(UnaryError::Reported("busy".to_owned())));
        let silent = br#"{"object":"response","status":"failed","output":[]}"#;
        assert_eq!(read_unary(silent), Err(UnaryError::Reported(String::new())));
    }
}
