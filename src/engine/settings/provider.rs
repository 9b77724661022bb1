//! A provider as the catalogue describes it: data that says how a vendor or a local server is reached.
//! The rows themselves are TOML files in `providers/catalog`; a new provider is a row, not code.

use std::collections::BTreeMap;

use canon::Dialect;
use serde::{Deserialize, Serialize};

use super::Zone;

/// One row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Stable identifier; also usable as an address prefix (`groq/…`).
    pub id: String,
    /// Further address prefixes. Unlike the id they may change their meaning over the years.
    #[serde(default)]
    pub prefixes: Vec<String>,
    /// Name for people.
    pub name: String,
    /// Base URL per dialect, without a trailing slash and without the dialect's own path
    /// (`/chat/completions`, `/messages`). May contain `{variables}`. Empty for rows whose
    /// base URL the user gives, and for rows that speak none of the dialects.
    #[serde(default)]
    pub endpoints: BTreeMap<Dialect, String>,
    /// The dialect that carries most between this provider and clients of other dialects. Without it the first of
    /// [`Self::dialects`].
    #[serde(default)]
    pub prefers: Option<Dialect>,
    /// Models that do not speak every dialect of the provider.
    #[serde(default)]
    pub wires: Vec<ModelWire>,
    /// How a web search is asked for in the chat dialect, which has no form of its own that all take; absent where
    /// nothing is known.
    #[serde(default)]
    pub web_search: Option<WebSearch>,
    /// The dialect spoken at the base URL that the user must give. Set on rows without endpoints
    /// that stand for any server of that dialect.
    #[serde(default)]
    pub base_url_dialect: Option<Dialect>,
    /// Wire formats that the provider speaks and the hub does not, for an honest refusal.
    #[serde(default)]
    pub other_wires: Vec<String>,
    /// How the key is sent.
    pub auth: AuthStyle,
    /// Which family of rate-limit headers the answers carry.
    #[serde(default)]
    pub limit_headers: LimitHeaders,
    /// Environment variables in which users keep the key, the usual one first.
    #[serde(default)]
    pub env: Vec<String>,
    /// Known model ids as the provider spells them. Never complete: any id is accepted under the prefix.
    #[serde(default)]
    pub models: Vec<String>,
    /// Names in `endpoints` that a connection must fill in, such as `account_id`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// Deviations from the dialect that a flag can describe.
    #[serde(default)]
    pub quirks: Vec<Quirk>,
    /// What was known of a free tier, and when.
    #[serde(default)]
    pub free_tier: Option<FreeTier>,
    /// Whose service this is.
    #[serde(default)]
    pub trust: Trust,
    /// What was found in the provider's terms on use through a gateway.
    #[serde(default)]
    pub terms: Terms,
    /// A server on the user's own machine or network: private addresses are expected.
    #[serde(default)]
    pub local: bool,
    /// Where the provider's day begins, and with it a daily quota.
    #[serde(default)]
    pub day: Zone,
    /// What a user should know before using this provider.
    #[serde(default)]
    pub notice: Option<String>,
}

impl Provider {
    /// Whether a connection is useless until the user names a base URL.
    #[must_use]
    pub fn needs_base_url(&self) -> bool {
        self.endpoints.is_empty() && self.base_url_dialect.is_some()
    }

    /// Whether it is a program on the user's own machines, so that what is sent there stays there and costs nothing.
    #[must_use]
    pub fn is_at_home(&self) -> bool {
        self.trust == Trust::Local
    }

    /// The dialects that can be spoken to this provider, in the order in which they are listed to people.
    /// Empty for rows that exist only to be refused with a reason.
    pub fn dialects(&self) -> impl Iterator<Item = Dialect> + '_ {
        Dialect::ALL.into_iter().filter(|dialect| {
            self.endpoints.contains_key(dialect)
                || (self.needs_base_url() && self.base_url_dialect == Some(*dialect))
        })
    }
}

impl Provider {
    /// Whether `model` can be reached in `dialect`, as far as the row knows.
    #[must_use]
    pub fn model_speaks(&self, model: &str, dialect: Dialect) -> bool {
        self.wires
            .iter()
            .find(|wire| wire.models.iter().any(|pattern| matches(pattern, model)))
            .is_none_or(|wire| wire.dialects.contains(&dialect))
    }
}

/// Models of a provider that speak only some of its dialects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelWire {
    /// Their ids; `*` stands for any text.
    pub models: Vec<String>,
    /// The dialects that they speak.
    pub dialects: Vec<Dialect>,
}

/// How a provider of the chat dialect is asked to search the web.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebSearch {
    /// The field `web_search_options`, as OpenAI's search models take it.
    Options,
    /// A tool of type `web_search`.
    Tool,
    /// The plugin `web` (OpenRouter).
    Plugin,
    /// `search_parameters` with mode `on` (xAI's older way).
    Parameters,
    /// `compound_custom.tools.enabled_tools` (Groq's Compound systems).
    Compound,
    /// Its models always search: there is nothing to ask for.
    Always,
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

/// How a credential travels to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthStyle {
    /// No credential; one that is configured is not sent.
    None,
    /// `Authorization: Bearer <key>`.
    Bearer,
    /// `Authorization: Bearer <key>` when a key is configured, nothing otherwise.
    OptionalBearer,
    /// The key alone in a header of this name, such as `x-api-key`.
    Header(String),
}

/// Families of rate-limit headers, by the vendor that coined them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitHeaders {
    /// `Retry-After` only.
    #[default]
    Generic,
    /// `x-ratelimit-{limit,remaining,reset}-{requests,tokens}`, resets as durations (`6m0s`, `20ms`).
    Openai,
    /// `anthropic-ratelimit-*`, resets as RFC 3339 times.
    Anthropic,
}

/// Deviations from a dialect that need no code of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// Rejects `stream_options`; usage cannot be asked for on streams.
    NoStreamOptions,
    /// Rejects `max_completion_tokens`; the limit must be sent as `max_tokens`.
    LegacyMaxTokens,
    /// The `developer` role must be sent as `system`.
    DeveloperToSystem,
    /// The `system` role must be sent as `user`.
    SystemToUser,
    /// Tool-call ids must be exactly nine alphanumeric characters.
    ToolIdNine,
    /// `reasoning_content` of earlier turns must not be sent back.
    StripReasoning,
    /// `reasoning_content` must be sent back on tool turns.
    EchoReasoning,
    /// Sends SSE comment lines while it thinks.
    SseComments,
    /// Model ids carry `accounts/fireworks/models/`; the short form is accepted from users.
    ModelPathPrefix,
}

/// A free tier as it was seen on one day: a hint, never a constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FreeTier {
    /// The limits in words.
    pub summary: String,
    /// The day on which this was last seen, `YYYY-MM-DD`.
    pub as_of: String,
}

/// Whose service a provider is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// The maker of the models.
    FirstParty,
    /// A company that hosts others' models on its own machines.
    Cloud,
    /// Passes requests on to other providers.
    Aggregator,
    /// Sells access to other vendors' models; upstream rights were not verified.
    Reseller,
    /// The user's own machine.
    Local,
    /// Not assessed.
    #[default]
    Unknown,
}

/// What was found in the terms of use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Terms {
    /// Reviewed, and found to permit use through a gateway.
    Ok,
    /// Not reviewed, or not clear.
    #[default]
    Unclear,
    /// Restricts who or what may call; see the row's notice.
    Restricted,
}

/// A prefix that Trivium knows and does not serve, with the reason that the user is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declined {
    /// Every prefix under which users know it.
    pub prefixes: Vec<String>,
    /// Name for people.
    pub name: String,
    /// Why it is not served.
    pub reason: String,
    /// What to use instead.
    pub instead: String,
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name) in [
            ("gpt-5-pro", "gpt-5-pro"),
            ("*-pro", "gpt-5-pro"),
            ("*codex*", "gpt-5-codex-mini"),
            ("a*b*c", "abbc"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("gpt-5", "gpt-5-pro"), ("*-pro", "gpt-5-pro-2"), ("a*bc", "abd"), ("a*b*b", "ab")]
        {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }
}
