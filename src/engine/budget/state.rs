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
    /// How those of `budgets` stand that somebody asked for since the start.
    #[must_use]
    pub fn states(&self, budgets: &[Arc<Budget>]) -> Vec<BudgetState> {
        if budgets.is_empty() {
            return Vec::new();
        }
        let accounts: Vec<_> = lock(&self.accounts).values().map(Arc::clone).collect();
        let now = self.clock.now();
        let states = accounts.iter().filter_map(|account| {
            let (id, holder) = &account.key;
            let budget = budgets.iter().find(|budget| budget.id == *id)?;
            let ledger = account.ledger(budget, now);
            let began_at = ledger.window();
            Some(BudgetState {
                budget: Arc::clone(budget),
                holder: Arc::clone(holder),
                spent: ledger.spent(),
                used_up: ledger.is_used_up(budget.limit),
                began_at,
                ends_at: window::end(budget, began_at),
            })
        });
        states.collect()
    }
}
