//! What was spent of budgets, for people: every holder's part of the window that runs, and how it is begun anew by hand.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Budgets, account::Account, lock, window};
use crate::engine::{
    ports::LeaseError,
    settings::{Budget, Scope, Usd},
};

/// How long a reset waits for a lease that is being written.
const PATIENCE: Duration = Duration::from_secs(5);

/// One holder's part of one budget in the window that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// See [`crate::engine::ports::LeaseRecord::holder`].
    pub holder: Arc<str>,
    /// What was spent.
    pub spent: Usd,
    /// What requests under way have set aside.
    pub reserved: Usd,
    /// When the window began, in milliseconds since the Unix epoch.
    pub began_at: i64,
    /// When the next one begins, in milliseconds since the Unix epoch.
    pub resets_at: i64,
}

impl Budgets {
    /// Every holder's part of a budget, by holder. A budget with one sum for all has one, also while nothing is spent.
    #[must_use]
    pub fn standings(&self, budget: &Budget) -> Vec<Standing> {
        let now = self.clock.now();
        let mut standings: Vec<Standing> = self
            .accounts_of(budget)
            .into_iter()
            .map(|account| {
                let ledger = account.ledger(budget, now);
                Standing {
                    holder: Arc::clone(&account.key.1),
                    spent: ledger.spent(),
                    reserved: ledger.reserved(),
                    began_at: ledger.window(),
                    resets_at: window::end(budget, ledger.window()),
                }
            })
            .collect();
        standings.sort_by(|a, b| a.holder.cmp(&b.holder));
        standings
    }

    /// Begins the running window of a budget anew, for one holder or for all. Gives who had spent something, and how much.
    /// It is on disk when this is done.
    ///
    /// # Errors
    /// When it could not be written; then what was spent still counts.
    pub async fn forgive(
        &self,
        budget: &Budget,
        holder: Option<&str>,
    ) -> Result<Vec<(Arc<str>, Usd)>, LeaseError> {
        let mut forgiven = Vec::new();
        for account in self.accounts_of(budget) {
            if holder.is_some_and(|only| *only != *account.key.1) {
                continue;
            }
            if account.ledger(budget, self.clock.now()).spent() == Usd::ZERO {
                continue;
            }
            let spent = self.forgive_one(budget, &account).await?;
            forgiven.push((Arc::clone(&account.key.1), spent));
        }
        Ok(forgiven)
    }

    /// Memory first, then the disk: in between a crash counts too much, never too little. No lease is written meanwhile.
    async fn forgive_one(&self, budget: &Budget, account: &Account) -> Result<Usd, LeaseError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut leased = std::pin::pin!(account.leased.notified());
            leased.as_mut().enable();
            if account.begin_leasing() {
                break;
            }
            if timeout_at(until, leased).await.is_err() {
                return Err(LeaseError("a lease is being written for too long".into()));
            }
        }
        let (window, spent, leased) = {
            let mut ledger = account.ledger(budget, self.clock.now());
            let (spent, leased) = ledger.forgive();
            (ledger.window(), spent, leased)
        };
        let written = match &self.store {
            Some(store) => store.put(vec![account.record(window, leased)]).await,
            None => Ok(()),
        };
        if written.is_err() {
            account.as_it_is().unforgive(window, spent);
        }
        account.end_leasing();
        written.map(|()| spent)
    }

    /// The accounts of a budget, those of an earlier life included.
    fn accounts_of(&self, budget: &Budget) -> Vec<Arc<Account>> {
        let mut holders: Vec<Arc<str>> = Vec::new();
        let of_budget = |key: &super::account::Key| (key.0 == budget.id).then(|| Arc::clone(&key.1));
        holders.extend(lock(&self.accounts).keys().filter_map(of_budget));
        holders.extend(lock(&self.kept).keys().filter_map(of_budget));
        if budget.scope != Scope::EachCaller {
            holders.retain(|holder| holder.is_empty());
            holders.push("".into());
        }
        holders.sort();
        holders.dedup();
        holders.iter().filter_map(|holder| self.account(budget, holder)).collect()
    }
}
