//! Operations on the cache of answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Says what the cache does.
#[derive(Debug, Clone, Copy)]
pub struct Stats;

/// Empties the cache.
#[derive(Debug, Clone, Copy)]
pub struct Clear;

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheStats {}

/// What the cache holds and did since the hub started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CacheReport {
    /// Answers that are kept.
    pub entries: u64,
    /// What they take, in bytes.
    pub bytes: u64,
    /// What they may take, in bytes.
    pub max_bytes: u64,
    /// How long an answer is given again, in seconds.
    pub ttl_seconds: u64,
    /// Requests that were answered from it.
    pub hits: u64,
    /// Requests that asked it in vain.
    pub misses: u64,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearCache {}

/// What was thrown away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CacheCleared {
    /// Answers that were kept.
    pub entries: u64,
    /// What they took, in bytes.
    pub bytes: u64,
}

impl Operation for Stats {
    const NAME: &'static str = "cache_stats";
    const TITLE: &'static str = "Show what the cache does";
    const SUMMARY: &'static str = "Says how many answers the cache holds, what they take of what they may, and how often \
         it was asked with and without success since the hub started.";
    const SCOPE: Scope = Scope::ReadCache;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/cache");
    const COMMAND: (&'static str, &'static str) = ("cache", "stats");
    const EXAMPLE: &'static str = "{}";
    type Args = CacheStats;
    type Result = CacheReport;

    fn check(args: CacheStats) -> Result<CacheStats, Invalid> {
        Ok(args)
    }
}

impl Operation for Clear {
    const NAME: &'static str = "clear_cache";
    const TITLE: &'static str = "Empty the cache";
    const SUMMARY: &'static str =
        "Throws away every kept answer. Requests that follow are put to providers again.";
    const SCOPE: Scope = Scope::WriteCache;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Post, "/api/cache/clear");
    const COMMAND: (&'static str, &'static str) = ("cache", "clear");
    const EXAMPLE: &'static str = "{}";
    type Args = ClearCache;
    type Result = CacheCleared;

    fn check(args: ClearCache) -> Result<ClearCache, Invalid> {
        Ok(args)
    }
}
