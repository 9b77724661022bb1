//! One holder's part of one budget, shared by the requests that spend from it.

use std::sync::{
    Arc, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use tokio::sync::Notify;

use super::{ledger::Ledger, lock, window};
use crate::{
    engine::{
        ports::LeaseRecord,
        settings::{Budget, Usd},
    },
    observe::events,
};

/// A budget's id and a holder.
pub(super) type Key = (Arc<str>, Arc<str>);

/// An account.
pub(super) struct Account {
    pub(super) key: Key,
    ledger: Mutex<Ledger>,
    /// Wakes those who wait for a lease, when one came or will not come.
    pub(super) leased: Notify,
    /// Whether somebody is getting one.
    leasing: AtomicBool,
    /// Leases that could not be had.
    failures: AtomicU64,
    /// Of a budget that its holder alone has.
    own: Mutex<Option<Own>>,
}

/// A budget that is not one of the settings', as it was when its holder last asked.
#[derive(Clone)]
pub(super) struct Own {
    pub(super) budget: Arc<Budget>,
    /// What the holder is called.
    pub(super) name: Arc<str>,
}

impl Account {
    pub(super) fn new(key: Key, kept: Option<LeaseRecord>, durable: bool) -> Self {
        let (window, leased) = kept.map_or((i64::MIN, Usd::ZERO), |kept| (kept.window, kept.leased));
        let ledger = Mutex::new(Ledger::new(window, leased, durable));
        Self {
            key,
            ledger,
            leased: Notify::new(),
            leasing: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            own: Mutex::default(),
        }
    }

    /// Notes whose budget it is.
    pub(super) fn note_own(&self, budget: &Arc<Budget>, name: &Arc<str>) {
        *lock(&self.own) = Some(Own { budget: Arc::clone(budget), name: Arc::clone(name) });
    }

    /// Whose budget it is, if somebody has it alone.
    pub(super) fn own(&self) -> Option<Own> {
        lock(&self.own).clone()
    }

    /// The sums of the window that runs at `now`.
    pub(super) fn ledger(&self, budget: &Budget, now: i64) -> MutexGuard<'_, Ledger> {
        let mut ledger = lock(&self.ledger);
        if let Some(spent) = ledger.roll(window::start(budget, now)).filter(|spent| *spent > Usd::ZERO) {
            events::budget_began_anew(&budget.id, &self.key.1, spent.dollars());
        }
        ledger
    }

    /// The sums as they are.
    pub(super) fn as_it_is(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    /// When its window began, in milliseconds since the Unix epoch.
    pub(super) fn began(&self) -> i64 {
        lock(&self.ledger).window()
    }

    /// Whether the asking one is to get the lease; it says so when it is done.
    pub(super) fn begin_leasing(&self) -> bool {
        !self.leasing.swap(true, Ordering::AcqRel)
    }

    /// Notes that the store failed.
    pub(super) fn fail(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
    }

    /// How often it did. Whoever waits for a lease while this rises does not get one.
    pub(super) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    pub(super) fn end_leasing(&self) {
        self.leasing.store(false, Ordering::Release);
        self.leased.notify_waiters();
    }

    /// Gives back what is leased and not used: the record that says so, if there is anything to say.
    pub(super) fn settle_lease(&self) -> Option<LeaseRecord> {
        let mut ledger = lock(&self.ledger);
        let leased = ledger.give_back()?;
        Some(self.record(ledger.window(), leased))
    }

    pub(super) fn record(&self, window: i64, leased: Usd) -> LeaseRecord {
        LeaseRecord { budget: Arc::clone(&self.key.0), holder: Arc::clone(&self.key.1), window, leased }
    }
}
