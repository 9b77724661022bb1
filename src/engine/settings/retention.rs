//! How long the hub keeps what it wrote down of requests.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The operator's choices. Where a time is `None`, only numbers and sizes bound what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Receipts that are kept; the oldest give way.
    pub receipts_rows: u64,
    /// How long a receipt is kept.
    pub receipts_age: Option<Duration>,
    /// What all receipts together may take, in bytes, by the size of the last thousand; the oldest give way.
    pub receipts_bytes: u64,
    /// How long it is kept what the plan of a request followed from.
    pub plans_age: Option<Duration>,
    /// How long usage is kept by the hour. By the day it is kept longer.
    pub usage_hours_age: Option<Duration>,
    /// How long usage is kept by the day.
    pub usage_age: Option<Duration>,
    /// How long a session is kept after its last request.
    pub sessions_age: Option<Duration>,
    /// Entries of the audit log that are kept; the oldest give way, and what they could take back with them.
    pub audit_rows: u64,
    /// How long an entry of the audit log is kept.
    pub audit_age: Option<Duration>,
    /// Calls of tools that are kept; the oldest give way.
    pub tool_calls_rows: u64,
    /// How long a call of a tool is kept.
    pub tool_calls_age: Option<Duration>,
}

impl Default for Retention {
    /// A million receipts, which take about half a gigabyte with their plans, and not longer than a quarter of a year. What is
    /// kept by the day is small.
    fn default() -> Self {
        Self {
            receipts_rows: 1_000_000,
            receipts_age: Some(90 * DAY),
            receipts_bytes: 2048 * 1024 * 1024,
            plans_age: Some(14 * DAY),
            usage_hours_age: Some(90 * DAY),
            usage_age: Some(1825 * DAY),
            sessions_age: Some(90 * DAY),
            audit_rows: 1_000_000,
            audit_age: Some(730 * DAY),
            tool_calls_rows: 250_000,
            tool_calls_age: Some(90 * DAY),
        }
    }
}
