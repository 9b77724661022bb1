//! The breaker of one provider's host. It counts failures in a row that speak of the host and not of an account:
//! connections that fail, deadlines, 5xx, and streams that break. A 429 never counts.
//!
//! CLOSED and DEGRADED are what the count says; OPEN leaves the host alone for a time; when that is over it is
//! HALF_OPEN, without anybody having to say so, and one request at a time probes it. The probe's first content makes the
//! host DEGRADED, so that others need not wait for the end of a long stream; its end makes it CLOSED, and its failure,
//! even late, opens the breaker again for longer.

use std::sync::Arc;

use super::{Cooldown, Gate, SOON, lock::Growth, millis};
use crate::engine::{
    fault::Fault,
    ports::{CooldownRecord, LockKind},
    settings::{BreakerLimits, Resilience},
};

/// Failures so close together are one, in milliseconds: a network that stumbles cuts many streams at once.
pub(super) const TOGETHER: i64 = 250;

/// Failures further apart than this are no row, in milliseconds. Longer than the longest deadline by default, so that a
/// host that always lets requests run into it is found out.
pub(super) const ROW: i64 = 600_000;

/// How a provider's host stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BreakerState {
    /// Nothing is held against it.
    Closed,
    /// It failed several times in a row: used behind others.
    Degraded,
    /// It was left alone for its time: one request at a time may probe it.
    HalfOpen,
    /// It is left alone.
    Open,
}

impl BreakerState {
    /// The state as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Degraded => "degraded",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

/// A provider's host about which there is something to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostState {
    /// The host, with its port where it has one.
    pub host: Arc<str>,
    /// How it stands.
    pub state: BreakerState,
    /// Failures in a row.
    pub failures: u32,
    /// When it is probed or forgiven, in milliseconds since the Unix epoch.
    pub until: Option<i64>,
    /// The last failure in words.
    pub evidence: Arc<str>,
}

#[derive(Debug)]
pub(super) struct Breaker {
    limits: BreakerLimits,
    /// Failures in a row.
    failures: u32,
    /// When the last one was counted.
    last: i64,
    /// How often in a row it opened.
    opened: u32,
    /// When it opened last.
    since: i64,
    phase: Phase,
    cause: Cooldown,
}

#[derive(Debug)]
enum Phase {
    /// The count decides. A probe that has given content and not yet ended still has a say.
    Counting { proving: Option<u64> },
    /// Left alone until a time, and then for one probe at a time.
    Open { until: i64, probe: Option<u64> },
}

impl Breaker {
    /// A breaker about to count its first failure.
    pub(super) fn new(fault: &Fault, now: i64) -> Self {
        Self {
            limits: Resilience::default().breaker,
            failures: 0,
            last: now,
            opened: 0,
            since: now,
            phase: Phase::Counting { proving: None },
            cause: Cooldown { until: now, kind: fault.kind, message: Arc::from("") },
        }
    }

    pub(super) fn state(&self, now: i64) -> BreakerState {
        match self.phase {
            Phase::Open { until, .. } if now < until => BreakerState::Open,
            Phase::Open { .. } => BreakerState::HalfOpen,
            Phase::Counting { .. }
                if self.failures >= self.limits.degraded && now < self.degraded_until() =>
            {
                BreakerState::Degraded
            }
            Phase::Counting { .. } => BreakerState::Closed,
        }
    }

    pub(super) fn gate(&self, now: i64) -> Gate {
        let cause = |until| Cooldown { until, ..self.cause.clone() };
        match (self.state(now), &self.phase) {
            (BreakerState::Open, Phase::Open { until, .. }) => Gate::Shut(cause(*until)),
            (BreakerState::HalfOpen, Phase::Open { probe: Some(_), .. }) => Gate::Shut(cause(now + SOON)),
            (BreakerState::HalfOpen, _) => Gate::Single,
            (BreakerState::Degraded, _) => Gate::Behind(cause(self.degraded_until())),
            (BreakerState::Closed | BreakerState::Open, _) => Gate::Open,
        }
    }

    fn degraded_until(&self) -> i64 {
        self.last.saturating_add(millis(self.limits.reset))
    }

    /// Lets a request probe the host, if that is what is waited for.
    pub(super) fn claim(&mut self, serial: u64, now: i64) {
        if let Phase::Open { until, probe: probe @ None } = &mut self.phase
            && *until <= now
        {
            *probe = Some(serial);
        }
    }

    /// Takes note that a probe came to no end.
    pub(super) fn release(&mut self, serial: u64) {
        match &mut self.phase {
            Phase::Open { probe: holder, .. } | Phase::Counting { proving: holder } => {
                holder.take_if(|one| *one == serial);
            }
        }
    }

    /// Takes note of the first content of a request.
    pub(super) fn answering(&mut self, serial: u64, now: i64) {
        if self.is_probed_by(serial) {
            self.phase = Phase::Counting { proving: Some(serial) };
            self.failures = self.limits.degraded;
            self.last = now;
        }
    }

    /// Takes note of a whole answer; says whether nothing is left to remember. An answer that was asked for before the
    /// breaker opened says nothing of the host now.
    pub(super) fn succeeded(&self, serial: Option<u64>) -> bool {
        match self.phase {
            Phase::Counting { .. } => true,
            Phase::Open { .. } => serial.is_some_and(|serial| self.is_probed_by(serial)),
        }
    }

    /// Takes note of a failure of the host; says for how long it opened, in milliseconds, if it did.
    pub(super) fn failed(
        &mut self,
        host: &str,
        serial: Option<u64>,
        fault: &Fault,
        limits: (BreakerLimits, &Resilience),
        now: i64,
    ) -> Option<i64> {
        let (limits, rules) = limits;
        self.limits = limits;
        let is_probe = match self.phase {
            Phase::Open { probe: holder, .. } | Phase::Counting { proving: holder } => {
                holder.is_some() && holder == serial
            }
        };
        match self.phase {
            _ if is_probe => self.failures = self.failures.saturating_add(1),
            // Asked before it opened: no news.
            Phase::Open { .. } => return None,
            Phase::Counting { .. } if self.failures > 0 && now - self.last < TOGETHER => return None,
            Phase::Counting { .. } if now - self.last > ROW => {
                (self.failures, self.opened) = (1, 0);
            }
            Phase::Counting { .. } => self.failures = self.failures.saturating_add(1),
        }
        self.last = now;
        let message = format!("{host} failed {} times in a row; at last: {}", self.failures, fault.message);
        self.cause = Cooldown { until: now, kind: fault.kind, message: message.into() };
        if !is_probe && self.failures < limits.open {
            return None;
        }
        let growth = Growth { base: limits.reset, doublings: u32::MAX, longest: rules.breaker_longest };
        let pause = millis(growth.nth(self.opened));
        self.opened = self.opened.saturating_add(1);
        self.since = now;
        self.phase = Phase::Open { until: now.saturating_add(pause), probe: None };
        Some(pause)
    }

    fn is_probed_by(&self, serial: u64) -> bool {
        matches!(self.phase, Phase::Open { probe: Some(probe), .. } if probe == serial)
    }

    /// Whether it has opened since it was last closed.
    pub(super) const fn was_open(&self) -> bool {
        self.opened > 0
    }

    /// The same for the store, while it is open.
    pub(super) fn record(&self, host: &str) -> Option<CooldownRecord> {
        let Phase::Open { until, .. } = self.phase else { return None };
        Some(CooldownRecord {
            lock: LockKind::Breaker,
            connection: place_of(host),
            model: None,
            fingerprint: 0,
            since: self.since,
            until,
            kind: self.cause.kind,
            message: self.cause.message.to_string(),
            level: self.opened,
            strikes: self.failures,
        })
    }

    /// How it stands, for people.
    pub(super) fn told(&self, host: &Arc<str>, now: i64) -> HostState {
        let state = self.state(now);
        let until = match (&self.phase, state) {
            (Phase::Open { until, .. }, _) => Some(*until),
            (Phase::Counting { .. }, BreakerState::Degraded) => Some(self.degraded_until()),
            (Phase::Counting { .. }, _) => None,
        };
        let (host, evidence) = (Arc::clone(host), Arc::clone(&self.cause.message));
        HostState { host, state, failures: self.failures, until, evidence }
    }

    /// The breaker that was kept.
    pub(super) fn kept(record: &CooldownRecord) -> Self {
        let message = record.message.as_str().into();
        Self {
            limits: Resilience::default().breaker,
            failures: record.strikes,
            last: record.since,
            opened: record.level,
            since: record.since,
            phase: Phase::Open { until: record.until, probe: None },
            cause: Cooldown { until: record.until, kind: record.kind, message },
        }
    }
}

/// Where a breaker stands among the records.
pub(super) fn place_of(host: &str) -> Arc<str> {
    format!("{PREFIX}{host}").into()
}

/// The host of a breaker's record.
pub(super) fn host_in(place: &str) -> Option<&str> {
    place.strip_prefix(PREFIX)
}

const PREFIX: &str = "host:";

/// The host and port in a URL.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}
