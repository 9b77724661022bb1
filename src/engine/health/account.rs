//! What is held against one account: as a whole, in passing, and about single models.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{
    Gate, SOON,
    lock::{Cause, Growth, Lock},
};
use crate::engine::{
    fault::{Fault, FaultKind, Scope},
    health::Cooldown,
    ports::Target,
    settings::Routing,
};

/// Locked models per connection. When more fail, the one whose lock ends first is forgotten.
const MODELS: usize = 256;

/// The state of an account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// [`crate::engine::settings::Connection::fingerprint`]: another credential is another account.
    pub(super) fingerprint: u64,
    /// Leaves the whole account out.
    pub(super) whole: Option<Lock>,
    /// Moves it behind the others.
    passing: Option<Lock>,
    pub(super) models: HashMap<Arc<str>, Lock>,
    /// The request that tests an account that was taken for dead.
    tester: Option<u64>,
}

/// A lock that began.
pub(super) struct Locked {
    /// The model, when only that one is meant.
    pub(super) model: Option<Arc<str>>,
    pub(super) lock: Lock,
}

impl Account {
    pub(super) fn of(fingerprint: u64) -> Self {
        Self { fingerprint, ..Self::default() }
    }

    /// How `model` stands here.
    pub(super) fn gate(&self, model: &str, now: i64) -> Gate {
        let running = |lock: &&Lock| lock.is_running(now);
        let dead = self.whole.as_ref().filter(|lock| lock.terminal && !lock.is_running(now));
        if let Some(lock) =
            self.whole.as_ref().filter(running).or_else(|| self.models.get(model).filter(running))
        {
            return Gate::Shut(lock.cooldown.clone());
        }
        match (dead, self.passing.as_ref().filter(running)) {
            (Some(lock), _) if self.tester.is_some() => {
                Gate::Shut(Cooldown { until: now + SOON, ..lock.cooldown.clone() })
            }
            (Some(_), _) => Gate::Single,
            (None, Some(lock)) => Gate::Behind(lock.cooldown.clone()),
            (None, None) => Gate::Open,
        }
    }

    /// Lets a request test an account that was taken for dead.
    pub(super) fn claim(&mut self, serial: u64, now: i64) {
        if self.whole.as_ref().is_some_and(|lock| lock.terminal && !lock.is_running(now)) {
            self.tester = Some(serial);
        }
    }

    /// Takes note that a test came to no end.
    pub(super) fn release(&mut self, serial: u64) {
        if self.tester == Some(serial) {
            self.tester = None;
        }
    }

    /// Takes note of a failure; says which lock began.
    pub(super) fn failed(
        &mut self,
        target: &Target,
        fault: &Fault,
        routing: &Routing,
        now: i64,
    ) -> Option<Locked> {
        let rules = &routing.resilience;
        let cause = |said, base, longest| Cause {
            kind: fault.kind,
            message: &fault.message,
            said,
            growth: Growth { base, doublings: rules.doublings, longest },
            terminal: None,
        };
        match (fault.kind.scope(), fault.retry_after) {
            (Scope::Request, _) => None,
            (Scope::Model, said) => {
                let said = said.or_else(|| until_midnight(target, fault.kind, now));
                let mut cause = cause(said, rules.model, rules.model_longest);
                // The longest bounds it, however many steps that takes.
                cause.growth.doublings = u32::MAX;
                self.lock_model(&target.model, &cause, now)
            }
            (Scope::Transient, None) => {
                let mut cause = cause(None, rules.passing, routing.retry_after);
                cause.growth.doublings = u32::MAX;
                if let Some(lock) = passing_after(self.passing.as_ref(), &cause, now) {
                    self.passing = Some(lock);
                }
                None
            }
            (Scope::Connection | Scope::Transient, said) => {
                let mut cause = cause(said, routing.retry_after, Duration::MAX);
                if fault.kind.is_terminal() {
                    let longest = rules.retest_longest;
                    let rest = Growth { base: rules.retest, doublings: u32::MAX, longest };
                    cause.terminal = Some((rules.confirmations, rest));
                }
                let lock = Lock::after(self.whole.as_ref(), &cause, now)?;
                self.whole = Some(lock.clone());
                self.tester = None;
                Some(Locked { model: None, lock })
            }
        }
    }

    fn lock_model(&mut self, model: &Arc<str>, cause: &Cause<'_>, now: i64) -> Option<Locked> {
        let lock = Lock::after(self.models.get(model), cause, now)?;
        if !self.models.contains_key(model) {
            make_room(&mut self.models);
        }
        self.models.insert(Arc::clone(model), lock.clone());
        Some(Locked { model: Some(Arc::clone(model)), lock })
    }

    /// Takes note of a whole answer: what was passing is over, and rows end. A lock that runs stays: the answer was
    /// asked for before it began. Says whether the account was taken for dead, and is not.
    pub(super) fn succeeded(&mut self, model: &str, now: i64) -> bool {
        self.passing = None;
        let ended = self.whole.take_if(|lock| !lock.is_running(now));
        if ended.is_some() {
            self.tester = None;
        }
        if let Some(lock) = self.models.get_mut(model).filter(|lock| !lock.is_running(now)) {
            lock.level /= 2;
            if lock.level == 0 {
                self.models.remove(model);
            }
        }
        ended.is_some_and(|lock| lock.terminal)
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_blank(&self) -> bool {
        self.whole.is_none() && self.passing.is_none() && self.models.is_empty()
    }

    /// Every lock that leaves something out now.
    pub(super) fn running(&self, now: i64) -> impl Iterator<Item = (Option<&Arc<str>>, &Lock)> {
        let whole = self.whole.iter().map(|lock| (None, lock));
        let models = self.models.iter().map(|(model, lock)| (Some(model), lock));
        whole.chain(models).filter(move |(_, lock)| lock.terminal || lock.is_running(now))
    }
}

/// A passing failure while one runs is the same failure, whatever its kind.
fn passing_after(earlier: Option<&Lock>, cause: &Cause<'_>, now: i64) -> Option<Lock> {
    if earlier.is_some_and(|lock| lock.is_running(now)) {
        return None;
    }
    Lock::after(earlier, cause, now)
}

/// How long a quota of the day stays used up.
fn until_midnight(target: &Target, kind: FaultKind, now: i64) -> Option<Duration> {
    let zone = target.connection.provider.day;
    (kind == FaultKind::DailyQuota)
        .then(|| Duration::from_millis(zone.next_midnight(now).saturating_sub(now).max(0).unsigned_abs()))
}

fn make_room(models: &mut HashMap<Arc<str>, Lock>) {
    if models.len() < MODELS {
        return;
    }
    let first = models.iter().min_by_key(|(_, lock)| lock.cooldown.until).map(|(model, _)| Arc::clone(model));
    if let Some(first) = first {
        models.remove(&first);
    }
}
