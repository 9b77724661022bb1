//! Operations on how connections and their hosts stand. Times are milliseconds since the Unix epoch in fields that end in
//! `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Says how everybody stands.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// Forgets what is held against somebody.
#[derive(Debug, Clone, Copy)]
pub struct Reset;

/// Whose state to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetHealth {
    /// Only this connection, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most connections on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// How connections and their hosts stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HealthReport {
    /// Connections, by id.
    pub connections: Vec<ConnectionHealth>,
    /// Breakers of providers' hosts about which there is something to say, by host. On every page.
    pub breakers: Vec<BreakerHealth>,
    /// Requests that are under way.
    pub requests_running: u64,
    /// The hub itself. On every page.
    pub hub: HubHealth,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The hub itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HubHealth {
    /// The program's version.
    pub version: String,
    /// When it started.
    pub started_at: i64,
    /// Seconds since then.
    pub uptime_seconds: u64,
    /// Memory that the process holds, in bytes, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Requests that wait to be let in.
    pub requests_waiting: u64,
    /// Whether new requests are let in: not while it stops.
    pub accepting: bool,
    /// Locks of connections and of models on them that run now, on all pages.
    pub locks: u64,
    /// Answers that the cache holds.
    pub cache_entries: u64,
    /// Requests that were answered from it since the hub started.
    pub cache_hits: u64,
    /// Requests that asked it in vain.
    pub cache_misses: u64,
}

/// How one connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectionHealth {
    /// The connection's id.
    pub id: String,
    /// The provider's id.
    pub provider: String,
    /// `fit`, `recovering` (it failed a moment ago, and goes behind others), `cooling` (it is left alone), or `used_up` (a
    /// window of its quota is).
    pub standing: String,
    /// Until when, where it is not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_at: Option<i64>,
    /// Why, where it is not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Requests under way there.
    pub in_flight: u32,
    /// What leaves the connection or a model on it out, with the evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locks: Vec<LockHealth>,
}

/// A lock: a connection, or a model on it, is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LockHealth {
    /// The model, where only that one is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `cooldown` (it ends by itself) or `terminal` (the account is taken for dead; after the end one request tests it).
    pub kind: String,
    /// What caused it, such as `rate_limited` or `unauthorized`.
    pub cause: String,
    /// The evidence in the provider's words.
    pub evidence: String,
    /// When it began.
    pub since_at: i64,
    /// When it ends.
    pub until_at: i64,
    /// Locks in a row: the next one lasts the longer for it.
    pub level: u32,
}

/// The breaker of a provider's host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BreakerHealth {
    /// The host, with its port where it has one.
    pub host: String,
    /// `closed`, `degraded`, `half_open` or `open`.
    pub state: String,
    /// Failures in a row.
    pub failures: u32,
    /// The last failure in words.
    pub evidence: String,
    /// When the host is probed or forgiven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_at: Option<i64>,
}

/// What to forget: all about a connection, a model on it, or a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetHealth {
    /// The connection, by its id: with its locks, those of its models, and the breakers of its hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only what is held against this model on the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// In place of a connection: a provider's host as `get_health` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HealthResetDone {
    /// The connection or host.
    pub name: String,
    /// Locks and breakers that were lifted; 0: nothing was held against it.
    pub lifted: u32,
}

impl Operation for Get {
    const NAME: &'static str = "get_health";
    const TITLE: &'static str = "Show the state of connections";
    const SUMMARY: &'static str = "Says of each connection whether it can be used, and if not, until when and why, with \
         the provider's words as evidence; how the breakers of the providers' hosts stand; and how the hub itself does: \
         version, uptime, memory, and its cache.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/health");
    const COMMAND: (&'static str, &'static str) = ("health", "get");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2"}"#;
    type Args = GetHealth;
    type Result = HealthReport;

    fn check(args: GetHealth) -> Result<GetHealth, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let connection = page::check_name("connection", args.connection.as_ref())?;
        Ok(GetHealth { connection, limit: Some(limit), ..args })
    }
}

impl Operation for Reset {
    const NAME: &'static str = "reset_health";
    const TITLE: &'static str = "Lift a lock";
    const SUMMARY: &'static str = "Forgets the cooldowns, locks and terminal states of a connection with the breakers of \
         its hosts, or only the lock of one model on it, or the breaker of one host. The next request may go there.";
    const SCOPE: Scope = Scope::WriteResilience;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/health/reset");
    const COMMAND: (&'static str, &'static str) = ("health", "reset");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2"}"#;
    type Args = ResetHealth;
    type Result = HealthResetDone;

    fn check(args: ResetHealth) -> Result<ResetHealth, Invalid> {
        let connection = page::check_name("connection", args.connection.as_ref())?;
        let model = page::check_name("model", args.model.as_ref())?;
        let host = page::check_name("host", args.host.as_ref())?;
        match (&connection, &host) {
            (None, None) => return Err(Invalid::new("connection", "or `host` must be named")),
            (Some(_), Some(_)) => {
                return Err(Invalid::new("host", "must be left out where a connection is named"));
            }
            (None, Some(_)) if model.is_some() => {
                return Err(Invalid::new("model", "needs the connection that it is locked on"));
            }
            _ => {}
        }
        Ok(ResetHealth { connection, model, host })
    }
}
