//! Why an answer ended: `finish_reason` and what it means.

use canon::Stop;

/// What a word means. `calls` says whether the answer calls tools: some providers then still say `stop`.
pub(super) fn read(word: &str, calls: bool) -> Stop {
    match word {
        "stop" | "end_turn" | "eos" if calls => Stop::ToolUse,
        "stop" => Stop::End,
        "length" => Stop::MaxTokens,
        "tool_calls" | "function_call" => Stop::ToolUse,
        "content_filter" => Stop::Refusal,
        other => Stop::Other(other.to_owned()),
    }
}

/// The word for it. An unknown reason of this dialect's own making stays; the SDKs of this dialect know no others.
pub(super) fn word(stop: &Stop, calls: bool) -> &str {
    match stop {
        Stop::End | Stop::Sequence | Stop::Pause | Stop::ToolUse if calls => "tool_calls",
        Stop::End | Stop::Sequence | Stop::Pause => "stop",
        Stop::ToolUse => "tool_calls",
        Stop::MaxTokens | Stop::ContextFull => "length",
        Stop::Refusal => "content_filter",
        Stop::Other(word) if is_own(word) => word,
        Stop::Other(_) => "stop",
    }
}

/// Whether the word loses its meaning.
pub(super) fn is_lost(stop: &Stop) -> bool {
    matches!(stop, Stop::Pause) || matches!(stop, Stop::Other(word) if !is_own(word))
}

fn is_own(word: &str) -> bool {
    // States of a Responses object, which say nothing of why an answer ended.
    if matches!(word, "queued" | "in_progress" | "cancelled") {
        return false;
    }
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_reasons_agree() {
        for said in ["stop", "length", "tool_calls", "content_filter", "insufficient_system_resource"] {
            assert_eq!(word(&read(said, false), false), said);
        }
        assert_eq!(read("stop", true), Stop::ToolUse);
        assert_eq!(read("length", true), Stop::MaxTokens);
        assert_eq!(word(&Stop::End, true), "tool_calls");
        assert_eq!(word(&Stop::Other("SAFETY".into()), false), "stop");
        assert!(is_lost(&Stop::Other("SAFETY".into())) && !is_lost(&Stop::ContextFull));
    }
}
