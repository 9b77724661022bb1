//! How much was used, by whom, where, and how fast. Times are milliseconds since the Unix epoch in fields that end in `_at`,
//! amounts are US dollars in fields that end in `_usd`. What is not known is counted apart and never taken for nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Groups in an answer when nothing was said.
pub const DEFAULT_GROUPS: u32 = 100;
/// Most groups in an answer.
pub const MAX_GROUPS: u32 = 5000;
/// Longest name that is filtered by, in bytes.
const MAX_NAME: usize = 512;

/// Sums up what was used.
#[derive(Debug, Clone, Copy)]
pub struct Get;

/// What to sum up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetUsage {
    /// What one group of the answer is; `model` when nothing is said.
    #[serde(default)]
    pub group_by: GroupBy,
    /// From when on; a day before `until_at` when nothing is said. Usage is kept by the hour, and later by the day: the
    /// answer tells the hours or days that it covers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since_at: Option<i64>,
    /// Until when; now when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_at: Option<i64>,
    /// Only this model, as its provider knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Only this connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Only this caller: the id of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only requests in this dialect: chat, responses, messages or gemini.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// Most groups in the answer, 1 to 5000; 100 when nothing is said. Of hours and days the latest are given, else the ones with
    /// the most requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What one group of an answer is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// A model, as the provider that served it knows it; empty where no provider was asked.
    #[default]
    Model,
    /// A provider.
    Provider,
    /// A connection.
    Connection,
    /// A caller: the id of a key, or `env` and `local`.
    Key,
    /// A dialect in which clients speak.
    Route,
    /// What clients call a session. Only `key`, `since_at`, `until_at` and `limit` narrow these down, each is counted from
    /// its beginning, and the latest come first.
    Session,
    /// A day in UTC, by its first millisecond.
    Day,
    /// An hour, by its first millisecond.
    Hour,
    /// A class of statuses: 2xx, 4xx, 5xx.
    Status,
    /// How requests ended: completed, failed, interrupted or `client_left`.
    Outcome,
}

/// What was used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageReport {
    /// What one group is.
    pub group_by: GroupBy,
    /// The beginning of what is counted: `since_at`, rounded down to the hour or day that is kept.
    pub since_at: i64,
    /// The end of what is counted, likewise rounded up.
    pub until_at: i64,
    /// The groups: by hour and day as they follow each other, else the largest first.
    pub groups: Vec<UsageGroup>,
    /// Everything that is counted, groups that were left out included. Of sessions only those that are given.
    pub total: UsageGroup,
    /// Whether groups were left out because of `limit`.
    pub truncated: bool,
}

/// What one group used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageGroup {
    /// What the group is called.
    pub name: String,
    /// Requests, whatever became of them.
    pub requests: u64,
    /// Those of them that ended in an error; clients that left are none.
    pub errors: u64,
    /// Tokens of prompts.
    pub input_tokens: u64,
    /// Tokens of answers.
    pub output_tokens: u64,
    /// The part of the prompts that was read from a cache.
    pub cached_tokens: u64,
    /// The part of the answers that was spent on reasoning.
    pub reasoning_tokens: u64,
    /// Answers whose tokens nobody counted; none of theirs are above.
    pub tokens_unknown: u64,
    /// What the answers cost whose cost is known; absent where none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Answers whose cost is not known, and is not in `cost_usd`.
    pub cost_unknown: u64,
    /// Answers whose cost is by estimated tokens, and is in `cost_usd`.
    pub cost_estimated: u64,
    /// How long requests took, in milliseconds; absent where none did. Known to about a fifth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<Percentiles>,
    /// How long clients waited for the first content, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content_ms: Option<Percentiles>,
    /// Tokens of streamed answers by the time from their first content to their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// When the first request of a session arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_at: Option<i64>,
    /// When the last one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<i64>,
    /// The caller of a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What a half, 95 and 99 of 100 stay below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Percentiles {
    /// Of 100, 50 are not longer.
    pub p50: u64,
    /// Of 100, 95 are not longer.
    pub p95: u64,
    /// Of 100, 99 are not longer.
    pub p99: u64,
}

impl Operation for Get {
    const NAME: &'static str = "get_usage";
    const TITLE: &'static str = "Get usage";
    const SUMMARY: &'static str = "Sums up requests, errors, tokens, cost and latencies over a time, by model, provider, \
         connection, key, route, session, day, hour, status or outcome. Unknown cost is counted apart.";
    const SCOPE: Scope = Scope::ReadUsage;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/usage");
    const COMMAND: (&'static str, &'static str) = ("usage", "get");
    const EXAMPLE: &'static str = r#"{"group_by": "model"}"#;
    type Args = GetUsage;
    type Result = UsageReport;

    fn check(mut args: GetUsage) -> Result<GetUsage, Invalid> {
        let names = [
            ("model", &mut args.model),
            ("provider", &mut args.provider),
            ("connection", &mut args.connection),
            ("key", &mut args.key),
            ("route", &mut args.route),
        ];
        for (field, name) in names {
            let Some(text) = name else { continue };
            *text = text.trim().to_owned();
            if text.len() > MAX_NAME {
                return Err(Invalid::new(field, format!("must be at most {MAX_NAME} bytes long")));
            }
            if field != "key" && args.group_by == GroupBy::Session {
                return Err(Invalid::new(
                    field,
                    "does not go with `group_by` session, which is counted by key",
                ));
            }
        }
        if args.limit.is_some_and(|limit| !(1..=MAX_GROUPS).contains(&limit)) {
            return Err(Invalid::new("limit", format!("must be from 1 to {MAX_GROUPS}")));
        }
        crate::traces::check_range(args.since_at, args.until_at)?;
        Ok(args)
    }
}
