//! The hub's own fields of an error, which stand in the error object of every dialect.

use std::time::Duration;

use serde::Serialize;

use super::Ids;
use crate::engine::{
    receipt::{AttemptRecord, SkipRecord},
    refusal::Refusal,
};

/// The hub's fields of an error.
#[derive(Serialize)]
pub(super) struct Details<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Skip<'a>>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    connection: &'a str,
    provider: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    outcome: &'static str,
    reason: &'a str,
    took_ms: u32,
}

#[derive(Serialize)]
struct Skip<'a> {
    connection: &'a str,
    model: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

impl<'a> Details<'a> {
    pub(super) fn of(refusal: &'a Refusal, ids: &'a Ids, topology: bool) -> Self {
        Self {
            request_id: &ids.own,
            retry_after_seconds: refusal.retry_after.map(whole_seconds),
            attempts: if topology { refusal.attempts.iter().map(attempt).collect() } else { Vec::new() },
            skipped: if topology { refusal.skipped.iter().map(skip).collect() } else { Vec::new() },
        }
    }
}

fn attempt(record: &AttemptRecord) -> Attempt<'_> {
    Attempt {
        connection: &record.connection,
        provider: &record.provider,
        model: &record.model,
        status: record.status,
        outcome: record.fault.map_or("served", |kind| kind.as_str()),
        reason: record.message.as_deref().unwrap_or_default(),
        took_ms: record.took_ms,
    }
}

fn skip(record: &SkipRecord) -> Skip<'_> {
    Skip { connection: &record.connection, model: &record.model, reason: &record.reason, until: record.until }
}

/// Rounded up: a client that obeys to the second must not come too early.
pub(in super::super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
