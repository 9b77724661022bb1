//! A unary answer: whether it is one, and what it consumed. The bytes themselves are the client's.

use canon::{UnaryError, Usage};

use super::wire::Response;
use crate::fault;

/// Checks a unary answer and reads its usage.
///
/// # Errors
/// When the body holds neither a candidate nor the reason why there is none.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(UnaryError::Empty);
    }
    let Ok(response) = serde_json::from_slice::<Response<'_>>(body) else {
        return Err(if fault::is_error_body(body) {
            UnaryError::Reported(fault::message_of(body))
        } else {
            UnaryError::NotAnAnswer
        });
    };
    if let Some(message) = response.error() {
        return Err(UnaryError::Reported(message));
    }
    if response.has_candidates() || response.blocked() {
        Ok(response.usage())
    } else {
        Err(UnaryError::Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_gives_its_usage() {
        let body = br#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],
            "usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":3,"thoughtsTokenCount":2}}"#;
        let usage = Usage { input: 9, output: 5, reasoning: 2, ..Usage::default() };
        assert_eq!(read_unary(body), Ok(Some(usage)));
        assert_eq!(read_unary(br#"{"promptFeedback":{"blockReason":"OTHER"}}"#), Ok(None));
    }

    #[test]
    fn what_is_no_answer_is_said() {
        assert_eq!(read_unary(b" \n"), Err(UnaryError::Empty));
        assert_eq!(read_unary(br#"{"candidates":[]}"#), Err(UnaryError::Empty));
        assert_eq!(read_unary(b"<html>"), Err(UnaryError::NotAnAnswer));
        assert_eq!(
            read_unary(br#"[{"error":{"message":"busy"}}]"#),
            Err(UnaryError::Reported("busy".into()))
        );
    }
}
