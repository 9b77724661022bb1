//! One lock: until when something is left alone, why, and how the next one grows from it.

use std::{sync::Arc, time::Duration};

use super::{Cooldown, millis};
use crate::engine::{
    fault::FaultKind,
    ports::{CooldownRecord, LockKind},
};

/// A provider that says "at once" with a 429 is still given a moment.
const SHORTEST: Duration = Duration::from_millis(250);

/// A failure so long after the last lock ended begins the row anew, in milliseconds.
pub(super) const FADES_AFTER: i64 = 3_600_000;

/// A lock, running or over. One that is over is remembered for what follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    pub(super) cooldown: Cooldown,
    /// When it began.
    pub(super) since: i64,
    /// Locks in a row, without a success between them, for which the provider gave no time.
    pub(super) level: u32,
    /// Failures in a row that spoke of a dead account.
    pub(super) strikes: u32,
    /// Whether the account is taken for dead.
    pub(super) terminal: bool,
}

/// What leads to a lock.
pub(super) struct Cause<'a> {
    pub(super) kind: FaultKind,
    pub(super) message: &'a str,
    /// The provider's word on how long.
    pub(super) said: Option<Duration>,
    /// How long without it.
    pub(super) growth: Growth,
    /// After how many strikes the account is taken for dead, and how long it then rests; `None` where that cannot be.
    pub(super) terminal: Option<(u32, Growth)>,
}

/// Doubling from one to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    pub(super) base: Duration,
    pub(super) doublings: u32,
    pub(super) longest: Duration,
}

impl Growth {
    /// The length of the `nth` in a row, counted from 0.
    pub(super) fn nth(&self, nth: u32) -> Duration {
        self.base.saturating_mul(1 << nth.min(self.doublings).min(20)).min(self.longest.max(self.base))
    }
}

impl Lock {
    /// The lock that a failure leads to; `None` if what is there already says as much.
    pub(super) fn after(earlier: Option<&Self>, cause: &Cause<'_>, now: i64) -> Option<Self> {
        let earlier = earlier.filter(|lock| lock.is_remembered(now));
        let running = earlier.filter(|lock| lock.is_running(now));
        if running
            .is_some_and(|lock| lock.terminal || cause.said.is_none() && lock.cooldown.kind == cause.kind)
        {
            // Requests that failed together are one failure, not many; and nothing is deader than dead.
            return None;
        }
        let unsaid = u32::from(cause.said.is_none());
        let level = match (running, earlier) {
            (Some(lock), _) => lock.level.max(unsaid),
            (None, Some(lock)) => lock.level.saturating_add(unsaid),
            (None, None) => unsaid,
        };
        let before = earlier.map_or(0, |lock| lock.strikes);
        let strikes = match (cause.kind.is_terminal(), running) {
            (false, _) => 0,
            (true, Some(_)) => before.max(1),
            (true, None) => before.saturating_add(1),
        };
        let rest = cause
            .terminal
            .filter(|(confirmations, _)| running.is_none() && strikes >= *confirmations)
            .map(|(confirmations, growth)| growth.nth(strikes - confirmations));
        let wait = match (rest, cause.said) {
            (Some(rest), said) => rest.max(said.unwrap_or_default()),
            (None, Some(said)) => said,
            (None, None) => cause.growth.nth(level.saturating_sub(1)),
        };
        let until = now.saturating_add(millis(wait.max(SHORTEST)));
        // A parallel request may have brought a longer word: the longer one holds.
        if running.is_some_and(|lock| lock.cooldown.until >= until) {
            return None;
        }
        let cooldown = Cooldown { until, kind: cause.kind, message: Arc::from(cause.message) };
        let since = running.map_or(now, |lock| lock.since);
        Some(Self { cooldown, since, level, strikes, terminal: rest.is_some() })
    }

    pub(super) const fn is_running(&self, now: i64) -> bool {
        self.cooldown.until > now
    }

    /// Whether it still matters. An account that is taken for dead is until it answers.
    pub(super) const fn is_remembered(&self, now: i64) -> bool {
        self.terminal || now.saturating_sub(self.cooldown.until) < FADES_AFTER
    }

    /// The same for the store.
    pub(super) fn record(
        &self,
        connection: Arc<str>,
        model: Option<Arc<str>>,
        fingerprint: u64,
    ) -> CooldownRecord {
        CooldownRecord {
            lock: if self.terminal { LockKind::Terminal } else { LockKind::Cooldown },
            connection,
            model,
            fingerprint,
            since: self.since,
            until: self.cooldown.until,
            kind: self.cooldown.kind,
            message: self.cooldown.message.to_string(),
            level: self.level,
            strikes: self.strikes,
        }
    }

    /// The lock that was kept.
    pub(super) fn kept(record: &CooldownRecord) -> Self {
        let message = record.message.as_str().into();
        Self {
            cooldown: Cooldown { until: record.until, kind: record.kind, message },
            since: record.since,
            level: record.level,
            strikes: record.strikes,
            terminal: record.lock == LockKind::Terminal,
        }
    }
}
