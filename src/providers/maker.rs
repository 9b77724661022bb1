//! Who makes a target's signatures, and how the target deviates from its dialect.

use canon::{Dialect, Quirks};

use crate::engine::{ports::Target, settings::Quirk};

/// The name of the one who can read a target's signatures: the provider and the model's family, and for OpenAI's
/// encrypted reasoning the account, since another organisation's cannot be decrypted.
pub(super) fn name(target: &Target) -> String {
    let provider = &target.connection.provider.id;
    let family = family(&target.model);
    match target.dialect {
        Dialect::Responses => format!("{provider}:{family}:{}", target.connection.id),
        Dialect::Chat | Dialect::Messages | Dialect::Gemini => format!("{provider}:{family}"),
    }
}

/// The first word of a model's own name: `claude` of `anthropic/claude-opus-4-8`.
fn family(model: &str) -> &str {
    let own = model.rsplit('/').next().unwrap_or(model);
    let end = own.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(own.len());
    &own[..end]
}

/// The provider's deviations, as codecs know them.
pub(super) fn quirks(target: &Target) -> Quirks {
    let mut quirks = Quirks::default();
    for quirk in &target.connection.provider.quirks {
        match quirk {
            Quirk::NoStreamOptions => quirks.no_stream_options = true,
            Quirk::LegacyMaxTokens => quirks.legacy_max_tokens = true,
            Quirk::DeveloperToSystem => quirks.developer_to_system = true,
            Quirk::SystemToUser => quirks.system_to_user = true,
            Quirk::ToolIdNine => quirks.tool_id_nine = true,
            Quirk::StripReasoning => quirks.strip_reasoning = true,
            Quirk::EchoReasoning => quirks.echo_reasoning = true,
            // Of how answers and names look, not of how requests are written.
            Quirk::SseComments | Quirk::ModelPathPrefix => {}
        }
    }
    quirks
}

#[cfg(test)]
mod tests {
    use super::family;

    #[test]
    fn families_are_first_words() {
        for (model, first) in [
            ("claude-opus-4-8", "claude"),
            ("anthropic/claude-sonnet-5", "claude"),
            ("gemini-3.5-flash", "gemini"),
            ("gpt-5.5", "gpt"),
            ("o3", "o"),
            ("", ""),
        ] {
            assert_eq!(family(model), first);
        }
    }
}
