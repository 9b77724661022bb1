//! What stands in for well-known models that nobody serves here: names that clients ask for by default, by family, and the
//! name below `auto` that comes nearest. Used only where the operator wants it, since another model answers.

use crate::engine::settings::fits;

/// Families by what their names have in common (`*` stands for any text), and what is nearest. The first that fits counts,
/// so that the narrower ones stand first. As clients ask for them in November 2026: Claude Code for Opus and Sonnet, and for
/// Haiku in the background; Codex for `gpt-5…`; Gemini CLI for `pro`, and for `flash` in the background.
const FAMILIES: [(&str, &str); 25] = [
    ("claude*haiku*", "auto/coding:fast"),
    ("claude*sonnet*", "auto/coding"),
    ("claude*", "auto/coding:pro"),
    ("gpt-*codex-mini*", "auto/coding:fast"),
    ("gpt-*codex*", "auto/coding:pro"),
    ("codex-mini*", "auto/coding:fast"),
    ("gpt-3.5*", "auto/chat:cheap"),
    ("gpt-*nano*", "auto/cheap"),
    ("gpt-*mini*", "auto/fast"),
    ("gpt-*", "auto/pro"),
    ("chatgpt-*", "auto/chat:pro"),
    ("o1-mini*", "auto/reasoning:fast"),
    ("o3-mini*", "auto/reasoning:fast"),
    ("o4-mini*", "auto/reasoning:fast"),
    ("o1*", "auto/reasoning"),
    ("o3*", "auto/reasoning"),
    ("gemini-*flash-lite*", "auto/cheap"),
    ("gemini-*flash*", "auto/fast"),
    ("gemini-*", "auto/pro"),
    ("grok-*fast*", "auto/coding:fast"),
    ("grok-*", "auto/pro"),
    ("deepseek-reasoner*", "auto/reasoning"),
    ("qwen*coder*", "auto/coding"),
    ("codestral*", "auto/coding:fast"),
    ("devstral*", "auto/coding"),
];

/// Parts of the names of models in these families that do not write text: nobody stands in for them.
const OTHERWISE: [&str; 7] = ["image", "audio", "realtime", "tts", "transcribe", "embed", "live"];

/// The name that stands in for a well-known one, whatever prefix it has.
pub(super) fn substitute(name: &str) -> Option<&'static str> {
    let model = name.rsplit('/').next().unwrap_or(name);
    if OTHERWISE.iter().any(|part| model.contains(part)) {
        return None;
    }
    FAMILIES.iter().find(|(pattern, _)| fits(pattern, model)).map(|(_, stand_in)| *stand_in)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::settings::is_below_auto;

    #[test]
    fn what_clients_ask_for_by_default_has_somebody_to_stand_in() {
        for (name, stand_in) in [
            ("claude-opus-4-8", Some("auto/coding:pro")),
            ("anthropic/claude-sonnet-4-5-20250929", Some("auto/coding")),
            ("claude-3-5-haiku-20241022", Some("auto/coding:fast")),
            ("gpt-5.1-codex-mini", Some("auto/coding:fast")),
            ("gpt-5.2-codex", Some("auto/coding:pro")),
            ("gpt-5", Some("auto/pro")),
            ("gemini-3.1-pro-preview", Some("auto/pro")),
            ("gemini-2.5-flash-lite", Some("auto/cheap")),
            ("gpt-image-1", None),
            ("text-embedding-3-small", None),
            ("my-model", None),
        ] {
            assert_eq!(substitute(name), stand_in, "{name}");
        }
    }

    #[test]
    fn every_row_can_be_reached_and_leads_somewhere() {
        for (at, (pattern, stand_in)) in FAMILIES.iter().enumerate() {
            assert!(is_below_auto(stand_in), "{stand_in}");
            let hidden = FAMILIES[..at].iter().find(|(earlier, _)| fits(earlier, pattern));
            assert_eq!(hidden, None, "{pattern} can never be reached");
        }
    }
}
