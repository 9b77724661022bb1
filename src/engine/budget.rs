//! What may be spent, and what was: every budget of the settings, for everybody that it counts. A request reserves what it
//! may cost before a provider is asked, and settles what it did cost; both touch memory only. What survives a crash are
//! leases (`lease`): slices of the limit that are written down as spent before they are. Which budgets there are is said
//! by `settings::Budget`; prices and costs are `cost`'s.

mod account;
mod denied;
mod hold;
mod lease;
mod ledger;
mod scope;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod usual;
mod verdict;
pub(super) mod window;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub use standing::Standing;
pub use state::BudgetState;
pub use verdict::Verdict;

pub(super) use denied::Denied;
pub(super) use hold::Hold;

use super::{
    caller::Caller,
    ports::{Clock, LeaseError, LeaseRecord, LeaseStore, Target},
    settings::{Budget, Mode, Over, UnknownPrice, Usd},
};
use account::{Account, Key};
use usual::Usual;

/// Accounts that are kept at a time: keys times budgets, generously. When more come, those whose window is over are
/// forgotten; if none is, strict budgets refuse whoever is new.
const ACCOUNTS: usize = 65_536;

/// Windows that began longer ago than the longest window lasts are over, in milliseconds.
const LONGEST_WINDOW: i64 = 32 * 24 * 60 * 60 * 1000;

/// The state of all budgets.
pub struct Budgets {
    accounts: Mutex<HashMap<Key, Arc<Account>>>,
    /// What was on disk at the start, for accounts that have not been asked for yet.
    kept: Mutex<HashMap<Key, LeaseRecord>>,
    store: Option<Arc<dyn LeaseStore>>,
    clock: Arc<dyn Clock>,
    /// How long answers usually are.
    usual: Usual,
}

impl Budgets {
    /// Budgets that live as long as the process, and no longer.
    #[must_use]
    pub fn volatile(clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts: Mutex::default(),
            kept: Mutex::default(),
            store: None,
            clock,
            usual: Usual::default(),
        }
    }

    /// Budgets that go on from what is in the store, and keep themselves there.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Arc<dyn LeaseStore>, clock: Arc<dyn Clock>) -> Result<Self, LeaseError> {
        let kept = store.load(clock.now().saturating_sub(LONGEST_WINDOW)).await?;
        let key = |record: &LeaseRecord| (Arc::clone(&record.budget), Arc::clone(&record.holder));
        let kept = kept.into_iter().map(|record| (key(&record), record)).collect();
        Ok(Self { kept: Mutex::new(kept), store: Some(store), ..Self::volatile(clock) })
    }

    /// Reserves `amount` (`None`: nobody knows what it will cost) in every budget that counts requests of `caller` to
    /// `target`. Dropping what it gives releases it.
    ///
    /// # Errors
    /// When a strict budget has not that much left, or may not spend it because it cannot be written down.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        budgets: &[Arc<Budget>],
        caller: &Caller,
        target: &Target,
        amount: Option<Usd>,
    ) -> Result<Vec<Hold>, Denied> {
        let mut holds = Vec::new();
        for budget in budgets {
            let Some(holder) = scope::holder(&budget.scope, caller, target) else { continue };
            let Some(amount) = amount else {
                match budget.unknown_price {
                    UnknownPrice::Allow => continue,
                    UnknownPrice::Refuse => return Err(Denied::unknown_price(budget)),
                }
            };
            match self.account(budget, &holder) {
                Some(account) => holds.push(Hold::take(self, account, budget, amount).await?),
                None if budget.mode == Mode::Soft => {}
                None => return Err(Denied::unwritten(budget)),
            }
        }
        Ok(holds)
    }

    /// The first of a caller's own budgets that has nothing left, as a refusal. They are known from then on, to those who
    /// tell how budgets stand.
    pub(super) fn used_up(&self, budgets: &[Arc<Budget>], caller: &Caller) -> Option<Denied> {
        budgets.iter().find_map(|budget| {
            let now = self.clock.now();
            match self.account(budget, &caller.id) {
                Some(account) => {
                    account.note_own(budget, &caller.name);
                    let ledger = account.ledger(budget, now);
                    ledger.is_used_up(budget.limit).then(|| Denied::used_up(budget, &ledger, Usd::ZERO, now))
                }
                None => Some(Denied::unwritten(budget)),
            }
        })
    }

    /// What the budgets say of a request of `caller` to `target`, without reserving anything: of several the strictest.
    #[must_use]
    pub fn verdict(&self, budgets: &[Arc<Budget>], caller: &Caller, target: &Target) -> Verdict {
        let verdicts = budgets.iter().filter_map(|budget| {
            let holder = scope::holder(&budget.scope, caller, target)?;
            let account = self.account(budget, &holder)?;
            let ledger = account.ledger(budget, self.clock.now());
            Some(match (ledger.is_used_up(budget.limit), budget.mode, budget.over) {
                (false, ..) | (true, Mode::Soft, Over::Warn) => Verdict::Within,
                (true, Mode::Soft, Over::Degrade(tier)) => Verdict::Degrade(tier),
                (true, Mode::Strict, _) => Verdict::UsedUp { until: window::end(budget, ledger.window()) },
            })
        });
        verdicts.max().unwrap_or(Verdict::Within)
    }

    /// Whether a budget that is used up would rather have a target of a lower tier. Nothing is refused for that.
    #[must_use]
    pub(super) fn is_dear(&self, budgets: &[Arc<Budget>], caller: &Caller, target: &Target) -> bool {
        match self.verdict(budgets, caller, target) {
            Verdict::Degrade(tier) => target.connection.tier < tier,
            Verdict::Within | Verdict::UsedUp { .. } => false,
        }
    }

    /// What was spent so far in the window that runs now, reservations left out; for `holder` see
    /// [`LeaseRecord::holder`].
    #[must_use]
    pub fn spent(&self, budget: &Budget, holder: &str) -> Usd {
        let account = self.account(budget, &Arc::from(holder));
        account.map_or(Usd::ZERO, |account| account.ledger(budget, self.clock.now()).spent())
    }

    /// How long answers usually are.
    pub(super) const fn usual(&self) -> &Usual {
        &self.usual
    }

    /// Writes down what was really spent, so that an orderly stop over-counts nothing. What is spent afterwards needs new
    /// leases.
    ///
    /// # Errors
    /// When it could not be written; then the leases stay as they are, and over-count.
    pub async fn close(&self) -> Result<(), LeaseError> {
        let Some(store) = &self.store else { return Ok(()) };
        let accounts: Vec<Arc<Account>> = lock(&self.accounts).values().map(Arc::clone).collect();
        let records: Vec<LeaseRecord> =
            accounts.iter().filter_map(|account| account.settle_lease()).collect();
        if records.is_empty() { Ok(()) } else { store.put(records).await }
    }

    /// The account of `holder`; `None` when there is no room for a new one.
    fn account(&self, budget: &Budget, holder: &Arc<str>) -> Option<Arc<Account>> {
        let mut accounts = lock(&self.accounts);
        let key = (Arc::clone(&budget.id), Arc::clone(holder));
        if let Some(account) = accounts.get(&key) {
            return Some(Arc::clone(account));
        }
        if accounts.len() >= ACCOUNTS {
            let before = self.clock.now().saturating_sub(LONGEST_WINDOW);
            accounts.retain(|_, account| account.began() >= before);
        }
        if accounts.len() >= ACCOUNTS {
            return None;
        }
        let kept = lock(&self.kept).remove(&key);
        let account = Arc::new(Account::new(key.clone(), kept, self.store.is_some()));
        accounts.insert(key, Arc::clone(&account));
        Some(account)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
