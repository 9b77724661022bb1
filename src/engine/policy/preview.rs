//! What a caller's policy says of a request that is not made: every check of [`super`], each by itself, so that all reasons
//! are told and not the first alone. Nothing is counted.

use canon::Dialect;
use operations::Scope;

use super::{concerned, enter, require};
use crate::engine::{
    budget::{Denied, Verdict},
    caller::Caller,
    code::Code,
    need::Need,
    pipeline::Engine,
    plan::Plan,
    refusal::Refusal,
};

/// What the checks say.
pub struct Preview {
    /// Each by its name, in the order in which they are made, and the refusal where it says no.
    pub checks: Vec<(&'static str, Option<Refusal>)>,
    /// Where the request would go, where the model may be asked for.
    pub plan: Option<Plan>,
}

impl Engine {
    /// What holds for a request of `caller` for `model` now.
    #[must_use]
    pub fn preview(&self, caller: &Caller, model: &str) -> Preview {
        let (snapshot, now) = (self.snapshot(), self.clock().now());
        let need = Need::default();
        let (plan, no) = match self.simulate(caller, model, Dialect::Chat, &need) {
            Ok(plan) if plan.targets.is_empty() => {
                let text = format!("Nobody who serves `{model}` can be used now.");
                (Some(plan), Some(Refusal::new(Code::AllCoolingDown, text)))
            }
            Ok(plan) => (Some(plan), None),
            Err(refusal) => (None, Some(refusal)),
        };
        let rate = concerned(caller, &snapshot).and_then(|limits| self.rates().full(caller, limits));
        let checks = vec![
            ("entry", enter(caller, now).err()),
            ("scope", require(caller, Scope::ExecuteCompletions).err()),
            ("model", no),
            ("budget", self.no_money(caller, plan.as_ref())),
            ("rate", rate),
        ];
        Preview { checks, plan }
    }

    /// Why there is no money for a request: of the caller's own budgets, or of those that count every target.
    fn no_money(&self, caller: &Caller, plan: Option<&Plan>) -> Option<Refusal> {
        let own = caller.policy.as_ref().map_or(&[][..], |policy| &policy.budgets);
        if let Some(denied) = self.budgets().used_up(own, caller) {
            return Some(Denied::refusal(denied));
        }
        let snapshot = self.snapshot();
        let targets = &plan?.targets;
        let verdict = |target| self.budgets().verdict(&snapshot.settings.budgets, caller, target);
        let used_up = targets.iter().all(|target| matches!(verdict(target), Verdict::UsedUp { .. }));
        (used_up && !targets.is_empty())
            .then(|| Refusal::new(Code::BudgetExceeded, "The budgets that count such requests are used up."))
    }
}
