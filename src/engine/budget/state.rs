//! How budgets stand, for those who tell of it.

use std::sync::Arc;

use super::{Budgets, lock, window};
use crate::engine::settings::{Budget, Usd};

/// One holder's part of one budget.
#[derive(Debug, Clone)]
pub struct BudgetState {
    /// The budget.
    pub budget: Arc<Budget>,
    /// Whose part: a caller's id where each has one, else empty.
    pub holder: Arc<str>,
    /// What the holder is called, where the budget is its own: one of its key.
    pub name: Option<Arc<str>>,
    /// What was spent in the window that runs.
    pub spent: Usd,
    /// Whether nothing is left, with what requests under way have set aside.
    pub used_up: bool,
    /// When the window began, in milliseconds since the Unix epoch.
    pub began_at: i64,
    /// When it ends, likewise.
    pub ends_at: i64,
}

impl Budgets {
    /// How those of `budgets` stand, and those that callers have of their own, that somebody asked for since the start. A
    /// caller's own are as its last request found them.
    #[must_use]
    pub fn states(&self, budgets: &[Arc<Budget>]) -> Vec<BudgetState> {
        let accounts: Vec<_> = lock(&self.accounts).values().map(Arc::clone).collect();
        let now = self.clock.now();
        let states = accounts.iter().filter_map(|account| {
            let (id, holder) = &account.key;
            let configured = budgets.iter().find(|budget| budget.id == *id).map(Arc::clone);
            let (budget, name) = match configured {
                Some(budget) => (budget, None),
                None => account.own().map(|own| (own.budget, Some(own.name)))?,
            };
            let ledger = account.ledger(&budget, now);
            let (began_at, spent) = (ledger.window(), ledger.spent());
            let used_up = ledger.is_used_up(budget.limit);
            drop(ledger);
            let (holder, ends_at) = (Arc::clone(holder), window::end(&budget, began_at));
            Some(BudgetState { budget, holder, name, spent, used_up, began_at, ends_at })
        });
        states.collect()
    }
}
