//! What the operations on usage and traces need of a store: sums by the hour and the day, sessions, and pages of receipts.
//! How latencies are counted is said here, because whoever writes them and whoever reads them must agree.

use futures_core::future::BoxFuture;

use super::{LogError, ReceiptRow};

/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * 60 * 1000;
/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// Pieces into which latencies are sorted.
pub const BUCKETS: usize = 40;

/// The largest latency of each piece but the last, in milliseconds: 2 ms to 17 minutes, each by the root of two larger than
/// the one before. Written down in the store by their place: to change them is a migration.
pub const BOUNDS_MS: [u32; BUCKETS - 1] = [
    2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1_024, 1_448, 2_048, 2_896,
    4_096, 5_793, 8_192, 11_585, 16_384, 23_170, 32_768, 46_341, 65_536, 92_682, 131_072, 185_364, 262_144,
    370_728, 524_288, 741_455, 1_048_576,
];

/// Usage that was written down, for reading.
pub trait UsageLog: Send + Sync {
    /// The sums of each group, in no order; at most [`MAX_READ`] of them.
    fn sums(&self, query: UsageQuery) -> BoxFuture<'_, Result<Vec<(String, Sums)>, LogError>>;
    /// The beginning of the oldest hour that is still kept by the hour.
    fn oldest_hour(&self) -> BoxFuture<'_, Result<Option<i64>, LogError>>;
    /// Sessions, the latest first.
    fn sessions(&self, query: SessionQuery) -> BoxFuture<'_, Result<Vec<SessionRow>, LogError>>;
}

/// Most groups that are read in one go.
pub const MAX_READ: u32 = 20_000;

/// Receipts by the page.
pub trait TraceLog: Send + Sync {
    /// Some receipts, the latest first.
    fn page(&self, query: TraceQuery) -> BoxFuture<'_, Result<TraceRows, LogError>>;
}

/// Which usage is read.
#[derive(Debug, Clone)]
pub struct UsageQuery {
    /// By the hour or by the day: [`HOUR_MS`] or [`DAY_MS`].
    pub span_ms: i64,
    /// From this hour or day on, in milliseconds since the Unix epoch.
    pub from: i64,
    /// Up to this one, exclusively.
    pub until: i64,
    /// What makes a group.
    pub group: Dimension,
    /// Values that must be met.
    pub only: Vec<(Dimension, String)>,
}

/// What usage is told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// When: the beginning of the hour or day.
    At,
    /// The caller's id.
    Caller,
    /// The connection that answered, or was asked last; empty where none was asked.
    Connection,
    /// Its provider.
    Provider,
    /// The model as that provider knows it.
    Model,
    /// The dialect in which the client spoke.
    Dialect,
    /// How the request ended.
    Outcome,
    /// The class of the status that the client got: `2xx`.
    Status,
}

/// Sums over requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// The numbers, by [`Count`].
    pub counts: [u64; Count::ALL.len()],
    /// How many requests took how long, by [`BOUNDS_MS`].
    pub total: [u64; BUCKETS],
    /// How many first contents came after how long, likewise.
    pub first: [u64; BUCKETS],
}

/// One number of [`Sums`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Requests.
    Requests,
    /// Requests that ended in an error.
    Errors,
    /// Tokens of prompts.
    Input,
    /// Tokens of answers.
    Output,
    /// Tokens of prompts from caches.
    Cached,
    /// Tokens of reasoning.
    Reasoning,
    /// Answers whose tokens are not known.
    TokensUnknown,
    /// What was spent, in picodollars.
    CostPico,
    /// Answers whose cost is known.
    CostKnown,
    /// Answers whose cost is not known.
    CostUnknown,
    /// Answers whose cost is by estimated tokens.
    CostEstimated,
    /// Tokens of streamed answers.
    StreamedTokens,
    /// Milliseconds from their first contents to their ends.
    StreamedMs,
}

impl Count {
    /// All of them, in the order in which they are kept.
    pub const ALL: [Self; 13] = [
        Self::Requests,
        Self::Errors,
        Self::Input,
        Self::Output,
        Self::Cached,
        Self::Reasoning,
        Self::TokensUnknown,
        Self::CostPico,
        Self::CostKnown,
        Self::CostUnknown,
        Self::CostEstimated,
        Self::StreamedTokens,
        Self::StreamedMs,
    ];
}

impl Default for Sums {
    fn default() -> Self {
        Self { counts: [0; Count::ALL.len()], total: [0; BUCKETS], first: [0; BUCKETS] }
    }
}

impl Sums {
    /// One of the numbers.
    #[must_use]
    pub const fn of(&self, count: Count) -> u64 {
        self.counts[count as usize]
    }

    /// Adds to one of the numbers.
    pub const fn add(&mut self, count: Count, more: u64) {
        self.counts[count as usize] = self.counts[count as usize].saturating_add(more);
    }

    /// Adds others to these.
    pub fn merge(&mut self, other: &Self) {
        let pairs = |own: &mut [u64], more: &[u64]| {
            for (own, more) in own.iter_mut().zip(more) {
                *own = own.saturating_add(*more);
            }
        };
        pairs(&mut self.counts, &other.counts);
        pairs(&mut self.total, &other.total);
        pairs(&mut self.first, &other.first);
    }
}

/// Where a latency belongs.
#[must_use]
pub fn bucket(ms: u32) -> usize {
    BOUNDS_MS.partition_point(|bound| *bound < ms)
}

/// Which sessions are read.
#[derive(Debug, Clone)]
pub struct SessionQuery {
    /// Those that went on at this time or later.
    pub since: i64,
    /// Those that began before.
    pub until: i64,
    /// Only this caller's.
    pub caller: Option<String>,
    /// Most sessions.
    pub limit: u32,
}

/// What one session used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionRow {
    /// What the client calls it; clipped when that is very long.
    pub session: String,
    /// Whose it is: the caller's id.
    pub caller: String,
    /// When its first request arrived, in milliseconds since the Unix epoch.
    pub first_at: i64,
    /// When its last one did.
    pub last_at: i64,
    /// Its sums, without latencies.
    pub sums: Sums,
}

/// Which receipts are read.
#[derive(Debug, Clone, Default)]
pub struct TraceQuery {
    /// Goes on behind this place.
    pub after: Option<TracePlace>,
    /// Arrived then or later.
    pub since: Option<i64>,
    /// Arrived before.
    pub until: Option<i64>,
    /// The caller's id.
    pub caller: Option<String>,
    /// Ended otherwise than by a whole answer; what else is asked for implies it where this is set.
    pub failed: bool,
    /// The model as the client named it.
    pub model: Option<String>,
    /// The connection that answered.
    pub connection: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    /// The least and the largest status.
    pub status: Option<(u16, u16)>,
    /// How it ended, in the word of [`crate::engine::receipt::Outcome`].
    pub outcome: Option<&'static str>,
    /// Public error code.
    pub error: Option<String>,
    /// Most receipts.
    pub limit: u32,
}

/// A place in the order of receipts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracePlace {
    /// When the receipt's request arrived, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The number that the store gave the receipt.
    pub seq: i64,
}

/// A page of receipts.
#[derive(Debug, Clone, Default)]
pub struct TraceRows {
    /// The receipts.
    pub rows: Vec<ReceiptRow>,
    /// Where to go on; `None` where nothing is left.
    pub next: Option<TracePlace>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_are_sorted_by_bounds_that_rise() {
        assert!(BOUNDS_MS.is_sorted_by(|lower, upper| lower < upper));
        assert_eq!((bucket(0), bucket(2), bucket(3), bucket(5)), (0, 0, 1, 3));
        assert_eq!((bucket(1_048_576), bucket(1_048_577), bucket(u32::MAX)), (38, 39, 39));
    }
}
