//! What is known of the connections' state: who is to be left alone, until when, and why. `docs/resilience.md` has the
//! whole of it as tables.
//!
//! Two kinds of cooldown. A *hard* one comes from the provider's own word or from a refused credential: the
//! target is left out until it ends. A *transient* one comes from a failure that may be over at the next request
//! (a 500, a time-out): the target moves behind the healthy ones but is still tried when nothing else is left, so
//! that one bad answer of a sole provider does not black it out. Above both stands the breaker of the provider's host.
//!
//! Here the parts are put together and locked; what each of them does is in the files beside.

mod account;
mod breaker;
mod lock;
mod trial;
mod view;

#[cfg(test)]
mod tests;

pub use breaker::{BreakerState, HostState};
pub use trial::Trial;
pub use view::{Cooldown, Standing, View};

use std::{
    collections::HashMap,
    sync::{
        Arc, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use self::{
    account::{Account, Locked},
    breaker::Breaker,
    lock::Lock,
    view::Gate,
};
use super::{
    fault::{Fault, Scope},
    ports::{Clock, CooldownRecord, CooldownSink, LockKind, Target},
    settings::{Connection, Routing, Trust},
};
use crate::observe::events;

/// When somebody else is finding out how a place stands, it is worth asking again so soon, in milliseconds.
const SOON: i64 = 1000;

/// What is known. Bounded by the configuration: accounts and hosts that it does not name are forgotten.
#[derive(Debug, Default)]
struct States {
    accounts: HashMap<Arc<str>, Account>,
    breakers: HashMap<Arc<str>, Breaker>,
}

/// The state of every connection and host about which there is something to say.
pub struct Health {
    states: RwLock<States>,
    serials: AtomicU64,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn CooldownSink>,
}

impl Health {
    /// Health that starts from locks kept by an earlier run, as far as they are about the accounts and hosts that
    /// `connections` name now.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        sink: Arc<dyn CooldownSink>,
        kept: Vec<CooldownRecord>,
        connections: &[Arc<Connection>],
    ) -> Self {
        let mut states = States::default();
        for record in kept {
            if let Some(host) = breaker::host_in(&record.connection) {
                if record.lock == LockKind::Breaker && connections.iter().any(|one| is_at(one, host)) {
                    states.breakers.insert(host.into(), Breaker::kept(&record));
                }
                continue;
            }
            let is_same =
                |one: &Arc<Connection>| one.id == record.connection && one.fingerprint == record.fingerprint;
            if connections.iter().any(is_same) {
                let id = Arc::clone(&record.connection);
                let account = states.accounts.entry(id).or_insert_with(|| Account::of(record.fingerprint));
                match &record.model {
                    Some(model) => drop(account.models.insert(Arc::clone(model), Lock::kept(&record))),
                    None => account.whole = Some(Lock::kept(&record)),
                }
            }
        }
        Self { states: RwLock::new(states), serials: AtomicU64::new(0), clock, sink }
    }

    /// Leave to ask `target`. Of a half-open breaker and of a dead account that is due for a test, one request gets it.
    ///
    /// # Errors
    /// When the target is to be left alone.
    pub fn begin(self: &Arc<Self>, target: &Target) -> Result<Trial, Cooldown> {
        let now = self.clock.now();
        // A healthy target costs this look and no more.
        match self.read().gate(target, now) {
            Gate::Shut(cooldown) => return Err(cooldown),
            Gate::Open | Gate::Behind(_) => return Ok(Trial::free()),
            Gate::Single => {}
        }
        let mut states = self.write();
        // Somebody may have been faster.
        match states.gate(target, now) {
            Gate::Shut(cooldown) => return Err(cooldown),
            Gate::Open | Gate::Behind(_) => return Ok(Trial::free()),
            Gate::Single => {}
        }
        let serial = self.serials.fetch_add(1, Ordering::Relaxed);
        let host = host(target).unwrap_or_default();
        if let Some(account) = states.accounts.get_mut(&target.connection.id) {
            account.claim(serial, now);
        }
        if let Some(breaker) = states.breakers.get_mut(host) {
            breaker.claim(serial, now);
        }
        let connection = Arc::clone(&target.connection.id);
        Ok(Trial::single(Arc::clone(self), serial, connection, host.into()))
    }

    /// Takes note of a failed attempt.
    pub fn failed(&self, trial: &Trial, target: &Target, fault: &Fault, routing: &Routing) {
        let counts = fault.is_of_host();
        if fault.kind.scope() == Scope::Request && !counts && !trial.is_single() {
            return;
        }
        let (now, host) = (self.clock.now(), host(target).unwrap_or_default());
        let (locked, opened, closed) = {
            let mut states = self.write();
            let locked = states.account_failed(target, fault, routing, now);
            if counts {
                (locked, states.host_failed(host, trial, target, fault, routing, now), false)
            } else {
                // Whoever answers with a refusal of its own is there.
                let proved = trial.is_single() && fault.status.is_some();
                (locked, None, proved && states.host_served(host, trial))
            }
        };
        if let Some(locked) = locked {
            self.tell_locked(target, locked, now);
        }
        if let Some((record, pause)) = opened {
            events::breaker_opened(host, record.kind.as_str(), pause, &record.message);
            self.sink.cooled(record);
        }
        if closed {
            self.tell_closed(host);
        }
    }

    /// Takes note of an attempt's first content: what was probed answers, and others need not wait for the end.
    pub fn answering(&self, trial: &Trial, target: &Target) {
        let Some(serial) = trial.serial() else { return };
        let now = self.clock.now();
        if let Some(host) = host(target)
            && let Some(breaker) = self.write().breakers.get_mut(host)
        {
            breaker.answering(serial, now);
        }
    }

    /// Takes note of a whole answer: what was transient is over, and so are rows of failures.
    pub fn succeeded(&self, trial: &Trial, target: &Target) {
        let (connection, host) = (&target.connection, host(target).unwrap_or_default());
        {
            let states = self.read();
            // The map of breakers is empty while every provider is well.
            let known_host = !states.breakers.is_empty() && states.breakers.contains_key(host);
            if !known_host && !states.accounts.contains_key(&connection.id) {
                return;
            }
        }
        let now = self.clock.now();
        let (revived, closed) = {
            let mut states = self.write();
            let mut revived = false;
            if let Some(account) = states.accounts.get_mut(&connection.id)
                && account.fingerprint == connection.fingerprint
            {
                revived = account.succeeded(&target.model, now);
                if account.is_blank() {
                    states.accounts.remove(&connection.id);
                }
            }
            (revived, states.host_served(host, trial))
        };
        if revived {
            events::account_revived(&connection.id);
            self.sink.cleared(Arc::clone(&connection.id), None);
        }
        if closed {
            self.tell_closed(host);
        }
    }

    /// Forgets, by hand, what is held against a model of a connection; without a model against the connection, all its
    /// models, and its hosts. Says how many locks and breakers that were.
    pub fn reset(&self, connection: &Connection, model: Option<&str>) -> usize {
        let mut cleared = Vec::new();
        let mut closed = 0;
        {
            let mut states = self.write();
            match (model, states.accounts.get_mut(&connection.id)) {
                (Some(model), Some(account)) => {
                    cleared.extend(account.models.remove_entry(model).map(|(model, _)| Some(model)));
                }
                (None, Some(_)) => {
                    let account = states.accounts.remove(&connection.id).unwrap_or_default();
                    cleared.extend(account.whole.is_some().then_some(None));
                    cleared.extend(account.models.into_keys().map(Some));
                }
                (_, None) => {}
            }
            if model.is_none() {
                let before = states.breakers.len();
                states.breakers.retain(|host, _| !is_at(connection, host));
                closed = before - states.breakers.len();
            }
        }
        let lifted = cleared.len() + closed;
        for model in cleared {
            self.sink.cleared(Arc::clone(&connection.id), model);
        }
        if model.is_none() {
            for url in connection.endpoints.values() {
                self.sink.cleared(breaker::place_of(breaker::host_of(url)), None);
            }
        }
        lifted
    }

    /// Forgets, by hand, what is held against a provider's host; says whether there was anything.
    pub fn reset_host(&self, host: &str) -> bool {
        let known = self.write().breakers.remove(host).is_some();
        if known {
            self.tell_closed(host);
        }
        known
    }

    /// Forgets everything about accounts and hosts that are no longer configured: connections that are gone, and
    /// those whose credential was replaced.
    pub fn retain(&self, connections: &[Arc<Connection>]) {
        let mut states = self.write();
        let gone = states.accounts.extract_if(|id, account| {
            !connections.iter().any(|one| one.id == *id && one.fingerprint == account.fingerprint)
        });
        let gone: Vec<(Arc<str>, Account)> = gone.collect();
        let left = states.breakers.extract_if(|host, _| !connections.iter().any(|one| is_at(one, host)));
        let left: Vec<(Arc<str>, Breaker)> = left.collect();
        drop(states);
        for (id, account) in gone {
            if account.whole.is_some() {
                self.sink.cleared(Arc::clone(&id), None);
            }
            for model in account.models.into_keys() {
                self.sink.cleared(Arc::clone(&id), Some(model));
            }
        }
        for (host, _) in left {
            self.sink.cleared(breaker::place_of(&host), None);
        }
    }

    /// Takes note that a probe or a test came to no end.
    fn release(&self, serial: u64, connection: &str, host: &str) {
        let mut states = self.write();
        if let Some(account) = states.accounts.get_mut(connection) {
            account.release(serial);
        }
        if let Some(breaker) = states.breakers.get_mut(host) {
            breaker.release(serial);
        }
    }

    fn tell_locked(&self, target: &Target, locked: Locked, now: i64) {
        let Locked { model, lock } = locked;
        let connection = &target.connection;
        let wait = Duration::from_millis((lock.cooldown.until - now).max(0).unsigned_abs());
        let (kind, message) = (lock.cooldown.kind.as_str(), &*lock.cooldown.message);
        if lock.terminal {
            events::account_dead(&connection.id, kind, wait, message);
        } else {
            events::cooling(&connection.id, model.as_deref(), kind, wait, message);
        }
        self.sink.cooled(lock.record(Arc::clone(&connection.id), model, connection.fingerprint));
    }

    fn tell_closed(&self, host: &str) {
        events::breaker_closed(host);
        self.sink.cleared(breaker::place_of(host), None);
    }

    // A poisoned lock means that a panic happened while it was held; the states are plain
    // values that are replaced whole, so they are still good.
    fn read(&self) -> RwLockReadGuard<'_, States> {
        self.states.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, States> {
        self.states.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl States {
    /// Whether a request may go to `target` now.
    fn gate(&self, target: &Target, now: i64) -> Gate {
        let account = self.account_gate(&target.connection, &target.model, now);
        match (account, self.host_gate(target, now)) {
            (shut @ Gate::Shut(_), _) | (_, shut @ Gate::Shut(_)) => shut,
            (Gate::Single, _) | (_, Gate::Single) => Gate::Single,
            (account, _) => account,
        }
    }

    fn account_failed(
        &mut self,
        target: &Target,
        fault: &Fault,
        routing: &Routing,
        now: i64,
    ) -> Option<Locked> {
        if fault.kind.scope() == Scope::Request {
            return None;
        }
        let connection = &target.connection;
        let account = self.accounts.entry(Arc::clone(&connection.id)).or_default();
        if account.fingerprint != connection.fingerprint {
            // The account behind the id is another one than before.
            *account = Account::of(connection.fingerprint);
        }
        account.failed(target, fault, routing, now)
    }

    /// Counts a failure of the host; gives the record and the pause if its breaker opened.
    fn host_failed(
        &mut self,
        host: &str,
        trial: &Trial,
        target: &Target,
        fault: &Fault,
        routing: &Routing,
        now: i64,
    ) -> Option<(CooldownRecord, Duration)> {
        if host.is_empty() {
            return None;
        }
        let rules = &routing.resilience;
        let is_local = target.connection.provider.trust == Trust::Local;
        let limits = if is_local { rules.local_breaker } else { rules.breaker };
        if !self.breakers.contains_key(host) {
            self.breakers.insert(host.into(), Breaker::new(fault, now));
        }
        let breaker = self.breakers.get_mut(host)?;
        let pause = breaker.failed(host, trial.serial(), fault, (limits, rules), now)?;
        Some((breaker.record(host)?, Duration::from_millis(pause.max(0).unsigned_abs())))
    }

    /// Takes note that the host serves; says whether its breaker had been open.
    fn host_served(&mut self, host: &str, trial: &Trial) -> bool {
        let Some(breaker) = self.breakers.get(host) else { return false };
        if !breaker.succeeded(trial.serial()) {
            return false;
        }
        self.breakers.remove(host).is_some_and(|breaker| breaker.was_open())
    }
}

/// The host that `target` is asked at.
fn host(target: &Target) -> Option<&str> {
    target.connection.endpoints.get(&target.dialect).map(|url| breaker::host_of(url))
}

fn is_at(connection: &Connection, host: &str) -> bool {
    connection.endpoints.values().any(|url| breaker::host_of(url) == host)
}

fn millis(duration: Duration) -> i64 {
    duration.as_millis().try_into().unwrap_or(i64::MAX)
}
