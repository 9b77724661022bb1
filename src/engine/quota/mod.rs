//! The ledger of quotas: how much of its windows each account has used, as far as the hub counts it itself and as far as
//! providers tell. A request takes its share of every window before it is sent, and what it really took is settled in
//! the end. How fast an account is used is the business of `pace`.

mod account;
mod amounts;
mod counter;
mod learned;
mod record;
mod reservation;
mod state;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use amounts::Amounts;
pub(crate) use reservation::Reservation;
pub use state::{Confidence, Source, WindowState};
pub use view::{Blocked, Headroom, QuotaView, Share};

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;

use self::account::Account;
use super::{
    ports::{Clock, Reading, Request, Target, WindowRecord, WindowSink},
    settings::Connection,
};

type Accounts = HashMap<Arc<str>, Arc<Account>>;

/// Keeps nothing.
struct Nowhere;

impl WindowSink for Nowhere {
    fn window(&self, _: WindowRecord) {}
}

/// The windows of all accounts.
pub struct Ledger {
    accounts: ArcSwap<Accounts>,
    /// Whether any account has, or had, a window.
    any: AtomicBool,
    clock: Arc<dyn Clock>,
    sink: Arc<dyn WindowSink>,
}

impl Ledger {
    /// A ledger that goes on from the windows that an earlier run kept, as far as they are about the accounts that
    /// `connections` name now.
    #[must_use]
    pub fn new(
        clock: Arc<dyn Clock>,
        sink: Arc<dyn WindowSink>,
        kept: &[WindowRecord],
        connections: &[Arc<Connection>],
    ) -> Self {
        let ledger = Self { accounts: ArcSwap::default(), any: AtomicBool::new(false), clock, sink };
        ledger.retain(connections);
        let (accounts, now) = (ledger.accounts.load(), ledger.clock.now());
        for record in kept {
            let account = accounts.get(&record.connection);
            if let Some(account) = account.filter(|account| account.fingerprint == record.fingerprint) {
                account.restore(record, now);
                ledger.any.store(true, Ordering::Relaxed);
            }
        }
        drop(accounts);
        ledger
    }

    /// A ledger that nobody keeps.
    #[must_use]
    pub fn forgetful(clock: Arc<dyn Clock>, connections: &[Arc<Connection>]) -> Self {
        Self::new(clock, Arc::new(Nowhere), &[], connections)
    }

    /// Takes new settings: accounts that are gone, or that have another credential, are forgotten, and the others keep
    /// what they have counted.
    pub fn retain(&self, connections: &[Arc<Connection>]) {
        let old = self.accounts.load();
        let mut accounts = Accounts::with_capacity(connections.len());
        for connection in connections {
            let same = old.get(&connection.id).filter(|old| old.fingerprint == connection.fingerprint);
            let account = match same {
                Some(account) => {
                    account.configure(&connection.allowance.quota);
                    Arc::clone(account)
                }
                None => Arc::new(Account::new(connection, Arc::clone(&self.sink))),
            };
            if !account.is_empty() {
                self.any.store(true, Ordering::Relaxed);
            }
            accounts.insert(Arc::clone(&connection.id), account);
        }
        drop(old);
        self.accounts.store(Arc::new(accounts));
    }

    /// The windows now.
    #[must_use]
    pub fn view(&self) -> QuotaView {
        if !self.any.load(Ordering::Relaxed) {
            return QuotaView::none();
        }
        QuotaView::new(Some(self.accounts.load()), self.clock.now())
    }

    /// Every window of a connection, the counted ones first.
    #[must_use]
    pub fn windows(&self, connection: &Connection) -> Vec<WindowState> {
        let accounts = self.accounts.load();
        let account = accounts.get(&connection.id);
        let account = account.filter(|account| account.fingerprint == connection.fingerprint);
        account.map(|account| account.states(self.clock.now())).unwrap_or_default()
    }

    /// Takes a request's share of every window of the target, or of none.
    ///
    /// # Errors
    /// The window that has no room, and until when.
    pub(crate) fn reserve(&self, target: &Target, request: &Request) -> Result<Option<Reservation>, Blocked> {
        if !self.any.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(account) = self.account(target).filter(|account| !account.is_empty()) else {
            return Ok(None);
        };
        let guess = Amounts::guess(target, request);
        let shares = account.reserve(&target.model, guess, self.clock.now())?;
        if shares.is_empty() {
            return Ok(None);
        }
        Ok(Some(Reservation::new(account, shares, target.clone(), guess, Arc::clone(&self.clock))))
    }

    /// Takes the provider's word on the windows of a target.
    pub(crate) fn learn(&self, target: &Target, readings: &[Reading]) {
        if let Some(account) = self.account(target) {
            account.learn(&target.model, readings, self.clock.now());
            self.any.store(true, Ordering::Relaxed);
        }
    }

    /// Tells the store how every counted window stands: for an orderly stop, after which nothing is counted twice.
    pub fn save(&self) {
        let now = self.clock.now();
        self.accounts.load().values().for_each(|account| account.save(now));
    }

    fn account(&self, target: &Target) -> Option<Arc<Account>> {
        let accounts = self.accounts.load();
        let account = accounts.get(&target.connection.id)?;
        (account.fingerprint == target.connection.fingerprint).then(|| Arc::clone(account))
    }
}
