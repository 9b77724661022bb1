//! The names of all settings, and which name somebody may have meant. What a setting does is for the
//! sections to say; each declares its keys beside the code that reads them.

use super::{
    a2a, auth, auto, backups, budgets, cache, capture, combos, diagnosis, idempotency, keys, log, mask, mcp,
    metrics, price_sync, prices, providers, proxy, resilience, responses, retention, routing, server, store,
    telemetry, timeouts, webhooks,
};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What is expected, in words that follow "expected".
    pub(super) kind: &'static str,
    /// A value as it would be written.
    pub(super) example: &'static str,
    /// The short environment variable, beside `TRIVIUM__SECTION__KEY`.
    pub(super) short: Option<&'static str>,
    pub(super) secret: bool,
}

impl Key {
    pub(super) const fn new(name: &'static str, kind: &'static str, example: &'static str) -> Self {
        Self { name, kind, example, short: None, secret: false }
    }

    pub(super) const fn short(self, variable: &'static str) -> Self {
        Self { short: Some(variable), ..self }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// What people write for yes and no.
pub(super) const SWITCH: [(&str, bool); 4] = [("on", true), ("off", false), ("true", true), ("false", false)];

/// Settings that are written together.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) keys: &'static [Key],
}

/// Every section in the order in which settings are shown.
pub(super) static SECTIONS: [&Section; 29] = [
    &server::SECTION,
    &auth::SECTION,
    &keys::SECTION,
    &log::SECTION,
    &store::SECTION,
    &metrics::SECTION,
    &mcp::SECTION,
    &a2a::SECTION,
    &telemetry::SECTION,
    &backups::SECTION,
    &capture::SECTION,
    &responses::SECTION,
    &retention::SECTION,
    &idempotency::SECTION,
    &cache::SECTION,
    &routing::SECTION,
    &auto::SECTION,
    &resilience::SECTION,
    &timeouts::SECTION,
    &diagnosis::SECTION,
    &proxy::SECTION,
    &prices::SECTION,
    &price_sync::SECTION,
    &providers::SECTION,
    &combos::SECTION,
    &combos::ALIASES,
    &combos::MAP,
    &budgets::SECTION,
    &webhooks::SECTION,
];

/// Sections that are lists, or mappings of the user's own names: nothing in them has a path of its own to be overridden by.
const LISTS: [&str; 7] = [
    prices::SECTION.name,
    providers::SECTION.name,
    combos::SECTION.name,
    combos::ALIASES.name,
    combos::MAP.name,
    budgets::SECTION.name,
    webhooks::SECTION.name,
];

/// What people write for a key when they come from elsewhere.
const SYNONYMS: [(&str, &str); 15] = [
    ("key", "api_key"),
    ("token", "api_key"),
    ("secret", "api_key"),
    ("url", "base_url"),
    ("endpoint", "base_url"),
    ("apibase", "base_url"),
    ("name", "id"),
    ("provider", "type"),
    ("kind", "type"),
    ("model", "models"),
    ("order", "priority"),
    ("disabled", "enabled"),
    ("strategy", "default_strategy"),
    ("targets", "steps"),
    ("logging", "log"),
];

/// Settings that can be overridden one by one, with their paths.
pub(super) fn overridable() -> impl Iterator<Item = (String, &'static Key)> {
    SECTIONS
        .iter()
        .filter(|section| !LISTS.contains(&section.name))
        .flat_map(|section| section.keys.iter().map(|key| (format!("{}.{}", section.name, key.name), key)))
}

/// The environment variable that overrides the setting at this path.
pub(super) fn variable(path: &str) -> String {
    format!("TRIVIUM__{}", path.to_ascii_uppercase().replace('.', "__"))
}

/// Whether values under a key of this name may be shown.
pub(super) fn is_harmless(name: &str) -> bool {
    if mask::is_secret_name(name) {
        return false;
    }
    SECTIONS
        .iter()
        .any(|section| section.name == name || section.keys.iter().any(|key| key.name == name && !key.secret))
}

/// The word without what people vary: case, hyphens, underscores.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The candidate that was probably meant.
pub(super) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let synonym = SYNONYMS.iter().find(|(from, _)| *from == word).map(|(_, to)| *to);
    candidates
        .into_iter()
        .map(|candidate| {
            let score = if synonym == Some(candidate) {
                1.0
            } else {
                strsim::normalized_damerau_levenshtein(&word, &plain(candidate))
            };
            (candidate, score)
        })
        .filter(|(_, score)| *score >= 0.5)
        .max_by(|(_, a), (_, b)| a.total_cmp(b))
        .map(|(candidate, _)| candidate)
}

/// Where a key that is unknown in one place belongs.
pub(super) fn home_of(word: &str) -> Option<String> {
    let word = plain(word);
    overridable().find(|(_, key)| plain(key.name) == word).map(|(path, _)| path)
}
