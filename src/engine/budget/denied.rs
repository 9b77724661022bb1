//! Why a budget does not let a request go to a target, in words for its client.

use std::{sync::Arc, time::Duration};

use super::{ledger::Ledger, window};
use crate::engine::{
    code::Code,
    ports::Target,
    receipt::SkipRecord,
    refusal::Refusal,
    settings::{Budget, Usd},
};

/// How soon somebody may try again who only has to wait for running requests to settle.
const SOON: Duration = Duration::from_secs(1);

/// A budget's no.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Denied {
    code: Code,
    message: String,
    /// When to try again.
    wait: Option<Duration>,
    /// When there is new money, in milliseconds since the Unix epoch.
    until: Option<i64>,
}

impl Denied {
    /// There is not that much left.
    pub(super) fn used_up(budget: &Budget, ledger: &Ledger, amount: Usd, now: i64) -> Self {
        let (name, until) = (in_words(budget), window::end(budget, ledger.window()));
        let anew = format!("It begins anew at {}.", window::shown(until));
        let left = budget.limit.less(ledger.spent());
        let (message, wait) = if amount <= left && left > Usd::ZERO {
            (format!("What is left of {name} is reserved for requests that are running. {anew}"), SOON)
        } else {
            let wait = Duration::from_millis(until.saturating_sub(now).max(0).unsigned_abs());
            let why = if left == Usd::ZERO {
                "is used up".to_owned()
            } else {
                format!("has {left} left, and this request may cost {amount}")
            };
            (format!("{name} {why}. {anew}"), wait)
        };
        let message = capitalised(&message);
        Self { code: Code::BudgetExceeded, message, wait: Some(wait), until: Some(until) }
    }

    /// What would be spent cannot be written down.
    pub(super) fn unwritten(budget: &Budget) -> Self {
        let message = format!("What is spent of {} cannot be written down at the moment.", in_words(budget));
        Self { code: Code::BudgetUnavailable, message, wait: Some(SOON), until: None }
    }

    /// Nobody knows what the model costs there.
    pub(super) fn unknown_price(budget: &Budget) -> Self {
        let message =
            format!("{} takes no request whose price is not known.", capitalised(&in_words(budget)));
        Self { code: Code::PriceUnknown, message, wait: None, until: None }
    }

    /// The same for a receipt.
    pub(in crate::engine) fn record(&self, target: &Target) -> SkipRecord {
        SkipRecord {
            connection: Arc::clone(&target.connection.id),
            model: Arc::clone(&target.model),
            reason: format!("{}: {}", self.code.as_str(), self.message),
            until: self.until,
        }
    }

    /// The same for a client.
    pub(in crate::engine) fn refusal(self) -> Refusal {
        let mut refusal = Refusal::new(self.code, self.message);
        refusal.retry_after = self.wait;
        refusal
    }
}

fn in_words(budget: &Budget) -> String {
    format!("the budget `{}` of {} per {}", budget.id, budget.limit, budget.window.as_str())
}

fn capitalised(text: &str) -> String {
    text.strip_prefix("the ").map_or_else(|| text.to_owned(), |rest| format!("The {rest}"))
}
