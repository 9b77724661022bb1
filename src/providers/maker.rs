//! Who makes a target's signatures, and how the target deviates from its dialect.

use canon::{Dialect, Quirks};

use crate::engine::{
    ports::Target,
    settings::{Quirk, WebSearch},
};

/// The name of the one who can read a target's signatures: the provider's host, its dialect (each has a format of its
/// own) and the model's family, and for OpenAI's encrypted reasoning the account, since another organisation's cannot
/// be decrypted.
pub(super) fn name(target: &Target) -> String {
    let connection = &target.connection;
    let host =
        connection.endpoints.get(&target.dialect).map_or(connection.provider.id.as_str(), |url| host(url));
    let family = family(&target.model);
    match target.dialect {
        Dialect::Responses => format!("{host}:{}:{family}:{}", target.dialect, connection.id),
        Dialect::Chat | Dialect::Messages | Dialect::Gemini => format!("{host}:{}:{family}", target.dialect),
    }
}

/// The host and port of a base URL.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// The first word of a model's own name: `claude` of `anthropic/claude-opus-4-8`.
fn family(model: &str) -> &str {
    let own = model.rsplit('/').next().unwrap_or(model);
    let end = own.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(own.len());
    &own[..end]
}

/// The most tokens that the target's model can answer with, where the user said so.
pub(super) fn max_output(target: &Target) -> Option<u64> {
    target.connection.models.about.get(&target.model)?.max_output
}

/// The provider's deviations, as codecs know them.
pub(super) fn quirks(target: &Target) -> Quirks {
    // Models that do not search refuse the wish, and agents express it with every request.
    let searches = target.connection.provider.web_search == Some(WebSearch::Options);
    let mut quirks = Quirks { no_web_search: !searches, ..Quirks::default() };
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
    use super::{family, host};

    #[test]
    fn hosts_stand_between_the_slashes() {
        assert_eq!(host("https://api.anthropic.com/v1"), "api.anthropic.com");
        assert_eq!(host("http://127.0.0.1:8080"), "127.0.0.1:8080");
    }

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
