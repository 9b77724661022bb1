//! Why an answer ended.

use canon::Stop;

use crate::generate::wire::is_reason;

/// Every word for it that is known here: others are not written, since SDKs read them as an enumeration.
const WORDS: [&str; 18] = [
    "STOP",
    "MAX_TOKENS",
    "SAFETY",
    "RECITATION",
    "LANGUAGE",
    "OTHER",
    "BLOCKLIST",
    "PROHIBITED_CONTENT",
    "SPII",
    "MALFORMED_FUNCTION_CALL",
    "IMAGE_SAFETY",
    "UNEXPECTED_TOOL_CALL",
    "TOO_MANY_TOOL_CALLS",
    "IMAGE_PROHIBITED_CONTENT",
    "NO_IMAGE",
    "IMAGE_RECITATION",
    "IMAGE_OTHER",
    "MISSING_THOUGHT_SIGNATURE",
];

/// The reason that a word names. With calls in the answer the wire says `STOP` all the same.
pub(super) fn read(word: &str, calls: bool) -> Option<Stop> {
    if !is_reason(word) {
        return None;
    }
    Some(match word {
        "STOP" if calls => Stop::ToolUse,
        "STOP" => Stop::End,
        "MAX_TOKENS" => Stop::MaxTokens,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "MODEL_ARMOR"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Stop::Refusal,
        other => Stop::Other(other.to_owned()),
    })
}

/// Whether a reason loses its meaning here.
pub(super) fn is_lost(stop: &Stop) -> bool {
    matches!(stop, Stop::Pause) || matches!(stop, Stop::Other(word) if !WORDS.contains(&word.as_str()))
}

/// The word for a reason.
pub(super) fn written(stop: &Stop) -> &str {
    match stop {
        Stop::End | Stop::Sequence | Stop::ToolUse | Stop::Pause => "STOP",
        Stop::MaxTokens | Stop::ContextFull => "MAX_TOKENS",
        Stop::Refusal => "SAFETY",
        Stop::Other(word) if WORDS.contains(&word.as_str()) => word,
        Stop::Other(_) => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_reasons_agree() {
        assert_eq!(read("STOP", true), Some(Stop::ToolUse));
        assert_eq!(read("FINISH_REASON_UNSPECIFIED", false), None);
        for word in ["STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL"] {
            assert_eq!(read(word, false).as_ref().map(written), Some(word));
        }
        assert_eq!(written(&Stop::Other("weird".into())), "OTHER");
    }
}
