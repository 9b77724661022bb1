//! A unary answer: whether it is one, and what it consumed. The bytes themselves are the client's.

use canon::{UnaryError, Usage};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{fault, usage};

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    choices: Option<Vec<IgnoredAny>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Checks a unary answer and reads its usage.
///
/// # Errors
/// When the body is not a completion.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(UnaryError::Empty);
    }
    let wire: Wire<'_> = serde_json::from_slice(body).map_err(|_| UnaryError::NotAnAnswer)?;
    if let Some(error) = wire.error.filter(|raw| raw.get() != "null") {
        return Err(UnaryError::Reported(fault::message_of(error.get().as_bytes())));
    }
    match wire.choices {
        Some(choices) if !choices.is_empty() => Ok(usage::read(wire.usage)),
        Some(_) | None => Err(UnaryError::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_completion_gives_its_usage() {
        let body = br#"{"id":"x","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":9,
            "completion_tokens":3,"prompt_tokens_details":{"cached_tokens":4},
            "completion_tokens_details":{"reasoning_tokens":1}}}"#;
        let usage = Usage { input: 9, output: 3, cached_input: 4, reasoning: 1, ..Usage::default() };
        assert_eq!(read_unary(body), Ok(Some(usage)));
        assert_eq!(read_unary(br#"{"choices":[{}],"usage":{"prompt_tokens":"?"}}"#), Ok(None));
    }

    #[test]
    fn what_is_no_completion_is_said() {
        assert_eq!(read_unary(b" \n"), Err(UnaryError::Empty));
        assert_eq!(read_unary(br#"{"choices":[]}"#), Err(UnaryError::Empty));
        assert_eq!(read_unary(b"<html>"), Err(UnaryError::NotAnAnswer));
        assert_eq!(read_unary(br#"{"choices":[{}]"#), Err(UnaryError::NotAnAnswer));
        let reported = read_unary(br#"{"error":{"message":"busy"}}"#);
        assert_eq!(reported, Err(UnaryError::Reported("busy".to_owned())));
    }
}
