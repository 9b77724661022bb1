//! Money that is set aside for one request in one budget.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, timeout_at};

use super::{Budgets, Denied, account::Account, lease::refuses, ledger::Room};
use crate::{
    engine::settings::{Budget, Usd},
    observe::events,
};

/// How long a request waits for a lease before it is refused. Leases are got ahead of need: only a burst, or a store in
/// trouble, makes anybody wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// A reservation. Dropping it releases it; [`Self::settle`] puts the real cost in its place.
pub(in crate::engine) struct Hold {
    budgets: Arc<Budgets>,
    account: Arc<Account>,
    budget: Arc<Budget>,
    window: i64,
    amount: Usd,
    cost: Usd,
}

impl Hold {
    /// Reserves `amount`, and waits for the lease that this may take.
    pub(super) async fn take(
        budgets: &Arc<Budgets>,
        account: Arc<Account>,
        budget: &Arc<Budget>,
        amount: Usd,
    ) -> Result<Self, Denied> {
        if let Some(hold) = Self::try_take(budgets, &account, budget, amount)? {
            return Ok(hold);
        }
        let _wanting = Wanting::new(&account, amount);
        let (until, failures) = (Instant::now() + PATIENCE, account.failures());
        loop {
            // Listens before it looks, so that no lease comes in between.
            let mut leased = std::pin::pin!(account.leased.notified());
            leased.as_mut().enable();
            budgets.lease(&account, budget);
            if let Some(hold) = Self::try_take(budgets, &account, budget, amount)? {
                return Ok(hold);
            }
            if account.failures() != failures || timeout_at(until, leased).await.is_err() {
                return Err(Denied::unwritten(budget));
            }
        }
    }

    fn try_take(
        budgets: &Arc<Budgets>,
        account: &Arc<Account>,
        budget: &Arc<Budget>,
        amount: Usd,
    ) -> Result<Option<Self>, Denied> {
        let now = budgets.clock.now();
        let mut ledger = account.ledger(budget, now);
        let limit = refuses(budget).then_some(budget.limit);
        match ledger.reserve(amount, limit) {
            Room::Reserved => {
                let window = ledger.window();
                let warns = ledger.warns(budget.limit, budget.warn);
                let used = ledger.used();
                drop(ledger);
                if warns {
                    events::budget_nearly_used(
                        &budget.id,
                        &account.key.1,
                        used.dollars(),
                        budget.limit.dollars(),
                    );
                }
                budgets.lease(account, budget);
                let (budgets, account, budget) =
                    (Arc::clone(budgets), Arc::clone(account), Arc::clone(budget));
                Ok(Some(Self { budgets, account, budget, window, amount, cost: Usd::ZERO }))
            }
            Room::NotLeased => Ok(None),
            Room::None => Err(Denied::used_up(budget, &ledger, amount, now)),
        }
    }

    /// Counts what it did cost.
    pub(in crate::engine) fn settle(mut self, cost: Usd) {
        self.cost = cost;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.account.as_it_is().settle(self.window, self.amount, self.cost);
        // A cost above what was reserved is to be written down too.
        if self.cost > self.amount {
            self.budgets.lease(&self.account, &self.budget);
        }
    }
}

/// A request that waits for a lease, for as long as it does.
struct Wanting<'a> {
    account: &'a Account,
    amount: Usd,
}

impl<'a> Wanting<'a> {
    fn new(account: &'a Account, amount: Usd) -> Self {
        account.as_it_is().want(amount);
        Self { account, amount }
    }
}

impl Drop for Wanting<'_> {
    fn drop(&mut self) {
        self.account.as_it_is().want_no_more(self.amount);
    }
}
