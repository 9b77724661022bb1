//! Getting leases: what may be used next is written down before it is used, in the background and ahead of need. So a
//! request waits for the store only where many come at once, and each slice of the limit is one write.

use std::sync::Arc;

use super::{Budgets, account::Account};
use crate::{
    engine::settings::{Budget, Mode},
    observe::events,
};

impl Budgets {
    /// Gets the next lease of an account, if it is time and nobody else is at it.
    pub(super) fn lease(self: &Arc<Self>, account: &Arc<Account>, budget: &Arc<Budget>) {
        let Some(store) = &self.store else { return };
        if account.as_it_is().next_lease(budget.limit, refuses(budget)).is_none() || !account.begin_leasing()
        {
            return;
        }
        let (store, account, budget) = (Arc::clone(store), Arc::clone(account), Arc::clone(budget));
        tokio::spawn(async move {
            loop {
                let (window, next) = {
                    let ledger = account.as_it_is();
                    (ledger.window(), ledger.next_lease(budget.limit, refuses(&budget)))
                };
                let Some(leased) = next else { break };
                if let Err(error) = store.put(vec![account.record(window, leased)]).await {
                    events::lease_failed(&budget.id, &error);
                    account.fail();
                    break;
                }
                account.as_it_is().lease(window, leased);
                account.leased.notify_waiters();
            }
            account.end_leasing();
        });
    }
}

pub(super) fn refuses(budget: &Budget) -> bool {
    budget.mode == Mode::Strict
}
