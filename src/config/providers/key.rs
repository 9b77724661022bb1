//! The credential of a connection: whether it is one, and what happens if not.

use super::API_KEY;
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Given, Written},
        origin::Origin,
    },
    engine::settings::{AuthStyle, Provider, Secret},
};

/// What is to be sent as the credential.
#[derive(Debug)]
pub(super) enum Credential {
    /// This, or nothing if the provider wants none.
    Usable(Option<Secret>),
    /// The connection cannot be used until a key is there. Was reported.
    Missing,
}

/// Reads the key. At a `local` address anything goes: such servers often want some word, whatever it be.
pub(super) fn read(
    fields: &Fields<'_>,
    provider: &Provider,
    id: &str,
    local: bool,
    sink: &mut Sink,
) -> Credential {
    let optional = matches!(provider.auth, AuthStyle::None | AuthStyle::OptionalBearer);
    let Some(Written { value, origin }) = fields.credential(sink, &API_KEY) else {
        return match optional {
            true => Credential::Usable(None),
            false => skipped(fields, provider, id, fields.origin(), "it has no `api_key`", sink),
        };
    };
    let text = match value {
        Given::Text(text) => text.trim().to_owned(),
        Given::Wrong => return Credential::Missing,
        Given::Unset(missing) => {
            let missing = missing.join(", ");
            let message = format!("`{id}` is skipped: the environment variable {missing} is not set");
            let remedy = format!("set {missing} where the hub is started, or remove the entry");
            sink.problems.warning(&fields.path_of(&API_KEY), &origin, message, remedy);
            return Credential::Missing;
        }
    };
    if provider.auth == AuthStyle::None || (optional && text.is_empty()) {
        return Credential::Usable(None);
    }
    if text.is_empty() {
        return skipped(fields, provider, id, &origin, "its `api_key` is empty", sink);
    }
    if !local && is_placeholder(&text) {
        return skipped(fields, provider, id, &origin, "its `api_key` is a placeholder", sink);
    }
    if !is_sendable(&text) {
        let remedy = "take the key alone, without `Bearer`, spaces or line breaks";
        let message = "the key has characters that cannot be sent";
        sink.problems.error(&fields.path_of(&API_KEY), &origin, message, remedy);
        return Credential::Missing;
    }
    sink.holds(fields.path_of(&API_KEY), &API_KEY, "", origin);
    Credential::Usable(Some(Secret::new(text)))
}

/// Without a key the connection is left out, and that is said.
fn skipped(
    fields: &Fields<'_>,
    provider: &Provider,
    id: &str,
    origin: &Origin,
    why: &str,
    sink: &mut Sink,
) -> Credential {
    let name = provider.env.first().map_or("NAME", String::as_str);
    let remedy =
        format!("paste your key for {}, or write `api_key: ${{{name}}}` and set {name}", provider.name);
    sink.problems.warning(&fields.path_of(&API_KEY), origin, format!("`{id}` is skipped: {why}"), remedy);
    Credential::Missing
}

/// Whether a header can carry it.
pub(in crate::config) fn is_sendable(key: &str) -> bool {
    key.chars().all(|c| c.is_ascii_graphic())
}

/// Whether this is what examples write where a key belongs.
pub(in crate::config) fn is_placeholder(key: &str) -> bool {
    let key = key.trim().to_ascii_lowercase();
    let words: Vec<&str> = key.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let joined = words.concat();
    let bracketed = key.starts_with('<') && key.ends_with('>');
    // `xxx`, `sk-xxxxxxxx`, `gsk_...`: nothing after the vendor's prefix but filling.
    let tail = key.rsplit(['-', '_']).next().unwrap_or_default();
    let filling = tail.chars().count() >= 3 && tail.chars().all(|c| matches!(c, 'x' | '.' | '*' | '…'));
    let phrases = ["changeme", "replaceme", "insertkey", "pastekey", "keyhere", "placeholder"];
    bracketed
        || filling
        || words.contains(&"your")
        || phrases.iter().any(|phrase| joined.contains(phrase))
        || matches!(
            joined.as_str(),
            "" | "apikey" | "key" | "todo" | "none" | "null" | "undefined" | "example"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_keys() {
        let placeholders = "gsk_your_key_here gsk_your_first_key sk-your_openai_key your-api-key YOUR_API_KEY xxx \
                            sk-xxxxxxxx changeme change-me <key> sk-... **** api_key TODO paste-key-here";
        for text in placeholders.split_whitespace().chain(["", " ", "<your key>"]) {
            assert!(is_placeholder(text), "{text}");
        }
        let keys = "gsk_5VbT9sYourselfQ2 sk-proj-ab12cd34 ollama test AIzaSyD-x9 lm-studio key-1x";
        for text in keys.split_whitespace() {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
