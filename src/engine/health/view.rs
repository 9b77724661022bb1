//! How targets stand at one moment, for those who choose among them.

use std::sync::{Arc, RwLockReadGuard};

use super::{BreakerState, Health, HostState, States};
use crate::engine::{
    fault::FaultKind,
    ports::{CooldownRecord, Target},
    settings::Connection,
};

/// Why a target is left alone, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooldown {
    /// When it ends, in milliseconds since the Unix epoch.
    pub until: i64,
    /// What caused it.
    pub kind: FaultKind,
    /// The evidence in words.
    pub message: Arc<str>,
}

/// How a target stands at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is held against it.
    Fit,
    /// It failed a moment ago: to be tried after the others.
    Recovering(Cooldown),
    /// It is to be left alone.
    Cooling(Cooldown),
}

/// What one place on the way to a target says.
#[derive(Debug)]
pub(super) enum Gate {
    /// Anybody may pass.
    Open,
    /// One may pass, to find out.
    Single,
    /// Whoever has no other way may pass.
    Behind(Cooldown),
    /// Nobody passes.
    Shut(Cooldown),
}

/// The states as they are while a plan is made.
pub struct View<'a> {
    states: RwLockReadGuard<'a, States>,
    now: i64,
}

impl View<'_> {
    /// How `model` on `connection` stands. Where several things are held against it, the one that lasts longest counts.
    #[must_use]
    pub fn standing(&self, connection: &Connection, model: &str) -> Standing {
        let gates = [
            self.states.account_gate(connection, model, self.now),
            self.states.hosts_gate(connection, self.now),
        ];
        let mut standing = Standing::Fit;
        for gate in gates {
            standing = match (standing, gate) {
                (Standing::Cooling(one), Gate::Shut(other)) if one.until < other.until => {
                    Standing::Cooling(other)
                }
                (standing @ Standing::Cooling(_), _) => standing,
                (_, Gate::Shut(cooldown)) => Standing::Cooling(cooldown),
                (Standing::Recovering(one), Gate::Behind(other)) if one.until < other.until => {
                    Standing::Recovering(other)
                }
                (Standing::Fit, Gate::Behind(cooldown)) => Standing::Recovering(cooldown),
                (standing, Gate::Open | Gate::Single | Gate::Behind(_)) => standing,
            };
        }
        standing
    }

    /// The state of the breaker of the connection's host: of the best one, where its dialects have hosts of their own.
    #[must_use]
    pub fn breaker(&self, connection: &Connection) -> BreakerState {
        if self.states.breakers.is_empty() {
            return BreakerState::Closed;
        }
        let states = connection.endpoints.values().map(|url| {
            let breaker = self.states.breakers.get(super::breaker::host_of(url));
            breaker.map_or(BreakerState::Closed, |breaker| breaker.state(self.now))
        });
        states.min().unwrap_or(BreakerState::Closed)
    }

    /// The time at which the view was taken, in milliseconds since the Unix epoch.
    #[must_use]
    pub const fn now(&self) -> i64 {
        self.now
    }
}

impl Health {
    /// The states now. Holds a read lock: to be dropped before anything is awaited, and before a
    /// [`super::Trial`] is.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        View { states: self.read(), now: self.clock.now() }
    }

    /// Every host about whose breaker there is something to say, by host.
    #[must_use]
    pub fn hosts(&self) -> Vec<HostState> {
        let (states, now) = (self.read(), self.clock.now());
        let mut hosts: Vec<_> =
            states.breakers.iter().map(|(host, breaker)| breaker.told(host, now)).collect();
        hosts.sort_by(|a, b| a.host.cmp(&b.host));
        hosts
    }

    /// Every lock that leaves something out now, with its kind, reason, evidence, beginning and end. One of a dead account
    /// or of a half-open breaker is among them after its end, until it is lifted.
    #[must_use]
    pub fn locks(&self) -> Vec<CooldownRecord> {
        let (states, now) = (self.read(), self.clock.now());
        let of_accounts = states.accounts.iter().flat_map(|(id, account)| {
            account
                .running(now)
                .map(|(model, lock)| lock.record(Arc::clone(id), model.cloned(), account.fingerprint))
        });
        let of_breakers = states.breakers.iter().filter_map(|(host, breaker)| breaker.record(host));
        let mut locks: Vec<_> = of_accounts.chain(of_breakers).collect();
        locks.sort_by(|a, b| (&a.connection, &a.model).cmp(&(&b.connection, &b.model)));
        locks
    }
}

impl States {
    pub(super) fn account_gate(&self, connection: &Connection, model: &str, now: i64) -> Gate {
        match self.accounts.get(&connection.id) {
            Some(account) if account.fingerprint == connection.fingerprint => account.gate(model, now),
            _ => Gate::Open,
        }
    }

    /// What the host says that `target` is asked at.
    pub(super) fn host_gate(&self, target: &Target, now: i64) -> Gate {
        if self.breakers.is_empty() {
            return Gate::Open;
        }
        let breaker = super::host(target).and_then(|host| self.breakers.get(host));
        breaker.map_or(Gate::Open, |breaker| breaker.gate(now))
    }

    /// What the best of a connection's hosts says: its dialects may have hosts of their own.
    fn hosts_gate(&self, connection: &Connection, now: i64) -> Gate {
        if self.breakers.is_empty() {
            return Gate::Open;
        }
        let breakers =
            connection.endpoints.values().map(|url| self.breakers.get(super::breaker::host_of(url)));
        // No breaker is better than any.
        let best = breakers.min_by_key(|breaker| breaker.map(|breaker| breaker.state(now)));
        best.flatten().map_or(Gate::Open, |breaker| breaker.gate(now))
    }
}
