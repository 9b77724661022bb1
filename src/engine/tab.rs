//! What one request runs up: what is reserved for the target that is being asked, and what its answer costs in the end. The
//! settlement holds it, so that it is closed however the request ends.

use std::sync::Arc;

use bytes::Bytes;
use canon::{Dialect, Usage};

use super::{
    budget::{Budgets, Denied, Hold},
    caller::Caller,
    cost,
    meter::Meter,
    ports::{Request, Target, Task},
    settings::{Settings, Usd},
};

/// The tab of one request.
pub(super) struct Tab {
    /// `None` where there is nothing to pay: counting tokens, looking at what a provider keeps.
    order: Option<Order>,
    purse: Option<Purse>,
    budgets: Arc<Budgets>,
    open: Option<Open>,
}

/// What is asked for.
struct Order {
    dialect: Dialect,
    body: Bytes,
    /// The most tokens of answer that it allows.
    most: Option<u64>,
    answers: bool,
}

/// Whose money it is. Only there where there are budgets.
struct Purse {
    settings: Arc<Settings>,
    caller: Caller,
}

/// A target that is being asked, or has answered.
struct Open {
    target: Target,
    holds: Vec<Hold>,
}

/// What an answer did cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bill {
    /// The cost.
    pub(super) cost: Usd,
    /// Whether tokens had to be estimated.
    pub(super) estimated: bool,
}

impl Tab {
    pub(super) fn new(
        request: &Request,
        caller: &Caller,
        settings: &Arc<Settings>,
        budgets: &Arc<Budgets>,
    ) -> Self {
        let billed = !matches!(request.task, Task::CountTokens | Task::Kept { .. });
        let order = billed.then(|| Order {
            dialect: request.dialect,
            body: request.body.clone(),
            most: request.facts.max_output,
            answers: request.task != Task::Embed,
        });
        let own = caller.policy.as_ref().is_some_and(|policy| !policy.budgets.is_empty());
        let purse = (billed && (own || !settings.budgets.is_empty()))
            .then(|| Purse { settings: Arc::clone(settings), caller: caller.clone() });
        Self { order, purse, budgets: Arc::clone(budgets), open: None }
    }

    /// A tab on which nothing will be.
    pub(super) fn free(budgets: &Arc<Budgets>) -> Self {
        Self { order: None, purse: None, budgets: Arc::clone(budgets), open: None }
    }

    /// Whether there is anything to pay.
    pub(super) const fn is_billed(&self) -> bool {
        self.order.is_some()
    }

    /// Opens the tab for a target that is about to be asked: reserves what the answer may cost.
    ///
    /// # Errors
    /// When a budget does not have that much.
    pub(super) async fn open(&mut self, target: &Target) -> Result<(), Denied> {
        // What the last target had reserved must not stand in this one's way.
        self.open = None;
        let Some(order) = &self.order else { return Ok(()) };
        let holds = match &self.purse {
            Some(Purse { settings, caller }) => {
                let amount = order.expected(target, &self.budgets);
                let mut holds = self.budgets.reserve(&settings.budgets, caller, target, amount).await?;
                if let Some(policy) = &caller.policy {
                    holds.extend(self.budgets.reserve(&policy.budgets, caller, target, amount).await?);
                }
                holds
            }
            None => Vec::new(),
        };
        self.open = Some(Open { target: target.clone(), holds });
        Ok(())
    }

    /// The target failed before it gave content: there is nothing to pay.
    pub(super) fn fail(&mut self) {
        self.open = None;
    }

    /// What the answer costs by what was counted so far; `None` where that is not known.
    pub(super) fn bill(&self, meter: &Meter, complete: bool) -> Option<Bill> {
        let (order, open) = (self.order.as_ref()?, self.open.as_ref()?);
        let price = open.target.facts.price?;
        if complete && meter.usage().is_none() && cost::is_deferred(order.dialect, &order.body) {
            // The answer is made behind the hub's back: what it may cost is all that will be known.
            let cost = order.expected(&open.target, &self.budgets)?;
            return Some(Bill { cost, estimated: true });
        }
        let (usage, estimated) = order.used(meter, complete);
        Some(Bill { cost: cost::of_usage(&price, &usage), estimated })
    }

    /// Settles what was reserved.
    pub(super) fn close(&mut self, meter: &Meter, complete: bool) -> Option<Bill> {
        let bill = self.bill(meter, complete);
        let open = self.open.take()?;
        if let (Some(usage), true, Some(_)) = (meter.usage(), complete, &self.purse) {
            self.budgets.usual().learn(&open.target, usage.output);
        }
        for hold in open.holds {
            hold.settle(bill.map_or(Usd::ZERO, |bill| bill.cost));
        }
        bill
    }
}

impl Order {
    /// What an answer of `target` may cost: as long as the request allows, else as long as they usually are.
    fn expected(&self, target: &Target, budgets: &Budgets) -> Option<Usd> {
        target.facts.price?;
        let prompt = cost::prompt_tokens(&self.body);
        if !self.answers {
            return cost::expected(&target.facts, prompt, 0);
        }
        let answer = self.most.unwrap_or_else(|| budgets.usual().output(target));
        let answers = cost::asked_answers(self.dialect, &self.body);
        cost::expected_of_several(&target.facts, prompt, answer, answers)
    }

    /// The tokens, and whether they are estimated. A provider reports the whole answer's only at its end: what came of one
    /// that broke off counts at least as much as what went by.
    fn used(&self, meter: &Meter, complete: bool) -> (Usage, bool) {
        match meter.usage() {
            Some(usage) if complete => (usage, false),
            reported => {
                let reported = reported.unwrap_or_default();
                let input = match reported.input {
                    0 => cost::prompt_tokens(&self.body),
                    tokens => tokens,
                };
                let output = if self.answers { reported.output.max(meter.estimated_output()) } else { 0 };
                (Usage { input, output, ..reported }, true)
            }
        }
    }
}
