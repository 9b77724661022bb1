//! What a script may say: the keys, their limits and their pace, as JSON or as Rust values.
//!
//! Nothing is played here; faults have a file of their own, and so have behaviours that a key's name alone asks for.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Rule};
use super::oauth::OAuthScript;
use super::subscription::Subscription;

/// Everything that a simulated provider does, for all its keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// Behaviour by exact key. A key that is not listed is looked up by its name (`sim-…`), then falls to `default`.
    pub keys: BTreeMap<String, Behaviour>,
    /// The behaviour of all other keys; its pace also serves the `sim-…` keys.
    pub default: Behaviour,
    /// The models on offer. Without a list every model name is served, and `/models` shows two of the simulator's own.
    pub models: Option<Vec<String>>,
    /// Refuse requests that carry no key (401).
    pub require_key: bool,
    /// Refuse keys that are neither listed under `keys` nor named `sim-…` (401).
    pub known_keys_only: bool,
    /// How many requests the log keeps; the oldest go first.
    pub log_entries: usize,
    /// How many bytes of request bodies the log keeps in all; the oldest entries go first.
    pub log_bytes: usize,
    /// How the login server behaves.
    pub oauth: OAuthScript,
    /// Unix seconds at the start, instead of the wall clock, for answers that repeat to the byte.
    pub epoch: Option<u64>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            keys: BTreeMap::new(),
            default: Behaviour::default(),
            models: None,
            require_key: true,
            known_keys_only: false,
            log_entries: 100_000,
            log_bytes: 256 * 1024 * 1024,
            oauth: OAuthScript::default(),
            epoch: None,
        }
    }
}

/// A script could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file could not be opened or read.
    #[error("cannot read the script {path}: {source}")]
    Read {
        /// Where the script should have been.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The text is not a script; the message carries line and column.
    #[error("the script is not valid: {0}")]
    Parse(#[from] serde_json::Error),
}

impl Script {
    /// Reads a script from JSON text.
    ///
    /// # Errors
    /// If the text is not JSON or has a field that no script has.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        Ok(serde_json::from_str(text)?)
    }

    /// Reads a script from a JSON file.
    ///
    /// # Errors
    /// If the file cannot be read or is not a script.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ScriptError::Read { path: path.display().to_string(), source })?;
        Self::parse(&text)
    }

    /// The same script, with this behaviour for this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>, behaviour: Behaviour) -> Self {
        self.keys.insert(key.into(), behaviour);
        self
    }

    /// The same script, offering these models and no others.
    #[must_use]
    pub fn models<I: IntoIterator<Item: Into<String>>>(mut self, models: I) -> Self {
        self.models = Some(models.into_iter().map(Into::into).collect());
        self
    }
}

/// How the requests of one key are answered.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// A number of requests, and then 429.
    pub limit: Option<Limit>,
    /// A speed above which requests get 429.
    pub rate: Option<Rate>,
    /// Windows of an account by the month. With one, the families of `rate_headers` are not sent.
    pub subscription: Option<Subscription>,
    /// How a 429 (of a limit or of a fault) says when to come back.
    pub retry_after: RetryAfter,
    /// Send the `x-ratelimit-*` or `anthropic-ratelimit-*` family.
    pub rate_headers: bool,
    /// Time before the status line, in ms.
    pub headers_delay_ms: u64,
    /// Time between the status line and the first chunk, in ms.
    pub first_token_delay_ms: u64,
    /// Time between two content chunks, in ms.
    pub chunk_interval_ms: u64,
    /// Number of content chunks (at most 10,000). Without it an answer has 8 to 16 words, one chunk each.
    pub chunks: Option<usize>,
    /// In what ways the vendor is stricter than the dialect's inventor.
    pub quirks: Vec<Quirk>,
    /// Whose seals on thinking the vendor takes for its own, instead of `anthropic` or `google`.
    pub maker: Option<String>,
    /// What goes wrong and when.
    pub faults: Vec<Rule>,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            limit: None,
            rate: None,
            subscription: None,
            retry_after: RetryAfter::default(),
            rate_headers: true,
            headers_delay_ms: 0,
            first_token_delay_ms: 0,
            chunk_interval_ms: 0,
            chunks: None,
            quirks: Vec::new(),
            maker: None,
            faults: Vec::new(),
        }
    }
}

impl Behaviour {
    /// A healthy account.
    #[must_use]
    pub fn ok() -> Self {
        Self::default()
    }

    /// An account on which every request meets `fault`.
    #[must_use]
    pub fn failing(fault: Fault) -> Self {
        Self::default().rule(Rule::always(fault))
    }

    /// An account that answers `requests` times, is dry for `rest_seconds`, and then begins anew.
    #[must_use]
    pub fn limited(requests: u64, rest_seconds: u64) -> Self {
        Self {
            limit: Some(Limit { requests, per_seconds: Some(rest_seconds), starts: WindowStart::Exhausted }),
            ..Self::default()
        }
    }

    /// An account that answers `requests` times and then never again.
    #[must_use]
    pub fn dry_after(requests: u64) -> Self {
        Self {
            limit: Some(Limit { requests, per_seconds: None, starts: WindowStart::Exhausted }),
            retry_after: RetryAfter::None,
            ..Self::default()
        }
    }

    /// Whether the families of `rate_headers` are sent: a subscription has headers of its own.
    pub(super) const fn tells_rates(&self) -> bool {
        self.rate_headers && self.subscription.is_none()
    }

    /// The same behaviour with one more rule.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.faults.push(rule);
        self
    }

    /// The same behaviour with this many content chunks, this many ms apart.
    #[must_use]
    pub fn paced(mut self, chunks: usize, chunk_interval_ms: u64) -> Self {
        self.chunks = Some(chunks);
        self.chunk_interval_ms = chunk_interval_ms;
        self
    }
}

/// A way in which a vendor who speaks the chat dialect is stricter than OpenAI.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quirk {
    /// Ids of calls have nine letters and digits.
    ToolIdNine,
    /// Ids of calls have forty characters at most.
    ToolIdForty,
    /// There is no role `developer`.
    NoDeveloperRole,
    /// `stream_options` is not known.
    NoStreamOptions,
    /// `max_completion_tokens` is not known.
    NoMaxCompletionTokens,
}

impl Quirk {
    /// The quirk of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "tool-id-nine" => Self::ToolIdNine,
            "tool-id-forty" => Self::ToolIdForty,
            "no-developer-role" => Self::NoDeveloperRole,
            "no-stream-options" => Self::NoStreamOptions,
            "no-max-completion-tokens" => Self::NoMaxCompletionTokens,
            _ => return None,
        })
    }
}

/// So many requests, and then 429 until the window has passed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Requests that are answered in a window.
    pub requests: u64,
    /// Length of the window. Without it the account stays dry, with `insufficient_quota`.
    #[serde(default)]
    pub per_seconds: Option<u64>,
    /// When the window begins.
    #[serde(default)]
    pub starts: WindowStart,
}

/// The moment from which a window is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowStart {
    /// The window's first request, as providers count.
    #[default]
    FirstRequest,
    /// The request that used the last of it up: then the account rests for the whole length, however slowly one asked.
    Exhausted,
}

/// A speed limit: a bucket that holds as many requests as it names and refills evenly.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// Requests per second.
    PerSecond(u32),
    /// Requests per minute.
    PerMinute(u32),
}

/// How a 429 says when to come back.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// `retry-after` in seconds, and the reset headers.
    #[default]
    Header,
    /// Not at all: neither `retry-after` nor the `x-ratelimit-*` family.
    None,
    /// `retry-after` as an HTTP date, and the reset headers.
    Date,
    /// Only by `x-ratelimit-reset-requests`.
    #[serde(alias = "ratelimit-reset-header")]
    RatelimitResetHeader,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_whole_script_reads() {
        let script = Script::parse(
            r#"{
              "models": ["m-1"],
              "default": {"chunks": 4},
              "keys": {
                "a": {"limit": {"requests": 50, "per_seconds": 300}, "retry_after": "ratelimit-reset-header"},
                "b": {"rate": {"per_second": 2}, "faults": [
                   {"fault": {"status": {"code": 503}}, "times": 2},
                   {"fault": "crlf"},
                   {"fault": {"cut_mid_stream": {"after_chunks": 3}}, "skip": 1, "probability": 0.5}
                ]}
              }
            }"#,
        )
        .unwrap();
        assert_eq!(script.keys["a"].limit.unwrap().starts, WindowStart::FirstRequest);
        assert_eq!(script.keys["a"].retry_after, RetryAfter::RatelimitResetHeader);
        assert_eq!(script.keys["b"].faults.len(), 3);
        let again: Script = serde_json::from_value(serde_json::to_value(&script).unwrap()).unwrap();
        assert_eq!(again, script);
    }

    #[test]
    fn unknown_fields_are_named() {
        for text in [
            r#"{"kyes": {}}"#,
            r#"{"default": {"latency": 3}}"#,
            r#"{"default": {"faults": [{"fault": "crlf", "tmies": 3}]}}"#,
            r#"{"default": {"faults": [{"fault": {"cut_mid_stream": {"chunks": 3}}}]}}"#,
        ] {
            let error = Script::parse(text).unwrap_err().to_string();
            assert!(error.contains("unknown field"), "{error}");
        }
    }
}
