//! The operation on usage. Sums come from what the store keeps by the hour and by the day, never from a walk over receipts, so
//! that the answer takes as long after five million requests as after five.

mod range;

use std::{cmp::Reverse, collections::HashMap, sync::Arc};

use operations::{
    Operation,
    usage::{DEFAULT_GROUPS, Get, GetUsage, GroupBy, Percentiles, UsageGroup, UsageReport},
};

use super::{
    OpError,
    error::require,
    own,
    ports::usage::{
        BOUNDS_MS, Count, DAY_MS, Dimension, MAX_READ, SessionQuery, SessionRow, Sums, UsageLog, UsageQuery,
    },
};
use crate::engine::{caller::Caller, ports::Clock, settings::Usd};
use range::Cover;

/// Executes the operation on usage.
#[derive(Clone)]
pub struct Usage {
    log: Arc<dyn UsageLog>,
    clock: Arc<dyn Clock>,
}

impl Usage {
    /// The operation on what a store keeps.
    #[must_use]
    pub fn new(log: Arc<dyn UsageLog>, clock: Arc<dyn Clock>) -> Self {
        Self { log, clock }
    }

    /// Sums up what was used.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn get(&self, caller: &Caller, args: GetUsage) -> Result<UsageReport, OpError> {
        require(caller, Get::SCOPE)?;
        let args = Get::check(args)?;
        self.sum_up(GetUsage { key: own::only(caller, args.key)?, ..args }).await
    }

    /// The same of what was checked before.
    pub(super) async fn sum_up(&self, args: GetUsage) -> Result<UsageReport, OpError> {
        let until = args.until_at.unwrap_or_else(|| self.clock.now().saturating_add(1));
        let since = args.since_at.unwrap_or_else(|| until.saturating_sub(DAY_MS).max(0)).min(until);
        let limit = args.limit.unwrap_or(DEFAULT_GROUPS);
        match dimension(args.group_by) {
            Some(group) => self.sums(&args, group, since, until, limit).await,
            None => self.sessions(args, since, until, limit).await,
        }
    }

    async fn sums(
        &self,
        args: &GetUsage,
        group: Dimension,
        since: i64,
        until: i64,
        limit: u32,
    ) -> Result<UsageReport, OpError> {
        let oldest = self.log.oldest_hour().await.map_err(failed)?;
        let cover = match args.group_by {
            GroupBy::Day => Cover::days(since, until),
            GroupBy::Hour => Cover::hours(since, until, oldest),
            _ => Cover::mixed(since, until, oldest),
        };
        let only = only(args);
        let mut groups: HashMap<String, Sums> = HashMap::new();
        let mut truncated = false;
        for piece in &cover.pieces {
            let query = UsageQuery {
                span_ms: piece.span_ms,
                from: piece.from,
                until: piece.until,
                group,
                only: only.clone(),
            };
            let read = self.log.sums(query).await.map_err(failed)?;
            truncated |= read.len() >= MAX_READ as usize;
            for (name, sums) in read {
                groups.entry(name).or_default().merge(&sums);
            }
        }
        let mut total = Sums::default();
        groups.values().for_each(|sums| total.merge(sums));
        let mut groups: Vec<(String, Sums)> = groups.into_iter().collect();
        if group == Dimension::At {
            groups.sort_by_key(|(at, _)| Reverse(at.parse::<i64>().unwrap_or_default()));
        } else {
            groups.sort_by(|(a, sums_a), (b, sums_b)| {
                let size = |sums: &Sums| Reverse(sums.of(Count::Requests));
                (size(sums_a), a).cmp(&(size(sums_b), b))
            });
        }
        truncated |= groups.len() > limit as usize;
        groups.truncate(limit as usize);
        if group == Dimension::At {
            groups.reverse();
        }
        Ok(UsageReport {
            group_by: args.group_by,
            since_at: cover.since,
            until_at: cover.until,
            groups: groups.into_iter().map(|(name, sums)| view(name, &sums)).collect(),
            total: view(String::new(), &total),
            truncated,
        })
    }

    async fn sessions(
        &self,
        args: GetUsage,
        since: i64,
        until: i64,
        limit: u32,
    ) -> Result<UsageReport, OpError> {
        let query = SessionQuery { since, until, caller: args.key, limit: limit.saturating_add(1) };
        let mut rows = self.log.sessions(query).await.map_err(failed)?;
        let truncated = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let mut total = Sums::default();
        rows.iter().for_each(|row| total.merge(&row.sums));
        Ok(UsageReport {
            group_by: args.group_by,
            since_at: since,
            until_at: until,
            groups: rows.into_iter().map(session).collect(),
            total: view(String::new(), &total),
            truncated,
        })
    }
}

const fn dimension(group: GroupBy) -> Option<Dimension> {
    Some(match group {
        GroupBy::Model => Dimension::Model,
        GroupBy::Provider => Dimension::Provider,
        GroupBy::Connection => Dimension::Connection,
        GroupBy::Key => Dimension::Caller,
        GroupBy::Route => Dimension::Dialect,
        GroupBy::Day | GroupBy::Hour => Dimension::At,
        GroupBy::Status => Dimension::Status,
        GroupBy::Outcome => Dimension::Outcome,
        GroupBy::Session => return None,
    })
}

fn only(args: &GetUsage) -> Vec<(Dimension, String)> {
    let wishes = [
        (Dimension::Model, &args.model),
        (Dimension::Provider, &args.provider),
        (Dimension::Connection, &args.connection),
        (Dimension::Caller, &args.key),
        (Dimension::Dialect, &args.route),
    ];
    wishes.into_iter().filter_map(|(of, value)| Some((of, value.clone()?))).collect()
}

fn view(name: String, sums: &Sums) -> UsageGroup {
    let known = sums.of(Count::CostKnown) > 0;
    UsageGroup {
        name,
        requests: sums.of(Count::Requests),
        errors: sums.of(Count::Errors),
        input_tokens: sums.of(Count::Input),
        output_tokens: sums.of(Count::Output),
        cached_tokens: sums.of(Count::Cached),
        reasoning_tokens: sums.of(Count::Reasoning),
        tokens_unknown: sums.of(Count::TokensUnknown),
        cost_usd: known.then(|| Usd::from_pico(sums.of(Count::CostPico)).dollars()),
        cost_unknown: sums.of(Count::CostUnknown),
        cost_estimated: sums.of(Count::CostEstimated),
        total_ms: percentiles(&sums.total),
        first_content_ms: percentiles(&sums.first),
        tokens_per_second: speed(sums),
        ..UsageGroup::default()
    }
}

fn session(row: SessionRow) -> UsageGroup {
    UsageGroup {
        first_at: Some(row.first_at),
        last_at: Some(row.last_at),
        key: Some(row.caller),
        ..view(row.session, &row.sums)
    }
}

fn speed(sums: &Sums) -> Option<f64> {
    let (tokens, ms) = (sums.of(Count::StreamedTokens), sums.of(Count::StreamedMs));
    (ms > 0).then(|| tokens as f64 * 1000.0 / ms as f64)
}

fn percentiles(counts: &[u64]) -> Option<Percentiles> {
    let all: u64 = counts.iter().sum();
    let at = |percent| percentile(counts, all, percent);
    (all > 0).then(|| Percentiles { p50: at(50), p95: at(95), p99: at(99) })
}

/// What so many of 100 stay below, as if those of one piece were spread evenly over it.
fn percentile(counts: &[u64], all: u64, percent: u64) -> u64 {
    let rank = (u128::from(all) * u128::from(percent)).div_ceil(100);
    let (mut below, mut lower) = (0_u128, 0_u64);
    for (at, count) in counts.iter().enumerate() {
        let count = u128::from(*count);
        // What took longer than the last bound took at least so long.
        let Some(upper) = BOUNDS_MS.get(at).map(|bound| u64::from(*bound)) else { break };
        if count > 0 && below + count >= rank {
            let share = u128::from(upper - lower) * (rank - below) / count;
            return lower.saturating_add(u64::try_from(share).unwrap_or_default());
        }
        below += count;
        lower = upper;
    }
    lower
}

fn failed(error: super::ports::LogError) -> OpError {
    OpError::Store(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::ports::usage::{BUCKETS, bucket};

    #[test]
    fn percentiles_are_within_a_fifth_of_the_truth() {
        let mut counts = [0_u64; BUCKETS];
        for ms in 1..=10_000_u32 {
            counts[bucket(ms)] += 1;
        }
        let found = percentiles(&counts).unwrap_or_default();
        for (found, truth) in [(found.p50, 5000_u64), (found.p95, 9500), (found.p99, 9900)] {
            assert!(found.abs_diff(truth) * 5 < truth, "{found} for {truth}");
        }
        assert_eq!(percentiles(&[0; BUCKETS]), None);
        let mut slow = [0; BUCKETS];
        slow[BUCKETS - 1] = 1;
        assert_eq!(percentiles(&slow).map(|found| found.p50), Some(1_048_576));
    }

    #[test]
    fn what_is_not_known_is_not_zero() {
        let mut sums = Sums::default();
        sums.add(Count::Requests, 2);
        sums.add(Count::CostUnknown, 2);
        assert_eq!((view(String::new(), &sums).cost_usd, view(String::new(), &sums).cost_unknown), (None, 2));
        sums.add(Count::CostKnown, 1);
        assert_eq!(view(String::new(), &sums).cost_usd, Some(0.0), "one is known to be free");
    }
}
