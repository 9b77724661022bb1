//! Operations that turn one knob. Each is a change of a document, in the way of all documents: checked with everything else,
//! committed with its entry in the audit log, and in force when it is answered.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use canon::names;
use operations::{
    documents::{DocumentView, PutDocument, UpdateDocument, combos, settings},
    steering::{
        BudgetGuard, GuardAction, GuardTier, GuardWindow, ResilienceInForce, SetGuardArgs, SetResilienceArgs,
        SetStrategyArgs, SwitchComboArgs,
    },
};
use serde_json::{Map, Value, json};

use super::{OpError, budgets, documents::Documents, registry::Asked};
use crate::engine::{
    Engine,
    caller::Caller,
    settings::{BreakerLimits, Mode, Over, Resilience, Usd},
};

/// The setting that names the profile.
const PROFILE: &str = "resilience.profile";
/// What the ids of guards begin with.
const GUARD: &str = "guard-";
/// The longest id of a budget.
const LONGEST: usize = 64;

/// Executes them.
pub struct Steering {
    engine: Arc<Engine>,
    documents: Arc<Documents>,
}

impl Steering {
    /// Operations on these documents, which the engine follows.
    #[must_use]
    pub fn new(engine: Arc<Engine>, documents: Arc<Documents>) -> Self {
        Self { engine, documents }
    }

    /// Switches a combo on or off.
    ///
    /// # Errors
    /// As [`Documents::update`].
    pub async fn switch_combo(&self, asked: &Asked, args: SwitchComboArgs) -> Result<DocumentView, OpError> {
        let changes = fields([("enabled", args.active.into())]);
        let update = UpdateDocument { id: args.name, changes, version: args.version };
        self.documents.update(&combos::NOUN, asked, update).await
    }

    /// Changes a combo's strategy.
    ///
    /// # Errors
    /// As [`Documents::update`].
    pub async fn set_strategy(&self, asked: &Asked, args: SetStrategyArgs) -> Result<DocumentView, OpError> {
        let mut changes = fields([("strategy", args.strategy.into())]);
        if let Some(mode) = args.auto_mode {
            changes.insert("mode".to_owned(), mode.into());
        }
        let update = UpdateDocument { id: args.name, changes, version: args.version };
        self.documents.update(&combos::NOUN, asked, update).await
    }

    /// Chooses a profile of resilience.
    ///
    /// # Errors
    /// As [`Documents::put`].
    pub async fn set_resilience(
        &self,
        asked: &Asked,
        args: SetResilienceArgs,
    ) -> Result<ResilienceInForce, OpError> {
        let profile = args.profile.as_str();
        let definition = fields([("value", profile.into())]);
        let put = PutDocument { id: PROFILE.to_owned(), definition, version: args.version };
        let view = self.documents.put(&settings::NOUN, asked, put).await?;
        let snapshot = self.engine.snapshot();
        let values = values(&snapshot.settings.routing.resilience);
        Ok(ResilienceInForce { profile: profile.to_owned(), version: view.version, values })
    }

    /// Bounds what the caller's own key may spend.
    ///
    /// # Errors
    /// As [`Documents::put`].
    pub async fn set_guard(&self, asked: &Asked, args: SetGuardArgs) -> Result<BudgetGuard, OpError> {
        let id = guard_of(&asked.caller.id);
        let put = PutDocument { id: id.clone(), definition: guard(&asked.caller, &args), version: None };
        let view = budgets::put(&self.documents, asked, put).await?;
        let found = guard_in_force(&self.engine, &id);
        found
            .map(|guard| BudgetGuard { version: view.version, ..guard })
            .ok_or_else(|| OpError::Conflict("the guard was taken away again while it was made".to_owned()))
    }
}

/// The guard of this id with what is left of it, if it is in force. Its version is not told.
pub(super) fn guard_in_force(engine: &Engine, id: &str) -> Option<BudgetGuard> {
    let snapshot = engine.snapshot();
    let budget = snapshot.settings.budgets.iter().find(|budget| *budget.id == *id)?;
    let standing = engine.budgets().standings(budget).into_iter().next();
    let (spent, reserved) =
        standing.as_ref().map_or((Usd::ZERO, Usd::ZERO), |standing| (standing.spent, standing.reserved));
    Some(BudgetGuard {
        budget: id.to_owned(),
        version: 0,
        action: match (budget.mode, budget.over) {
            (Mode::Strict, _) => GuardAction::Block,
            (Mode::Soft, Over::Degrade(_)) => GuardAction::Degrade,
            (Mode::Soft, Over::Warn) => GuardAction::Alert,
        },
        limit_usd: budget.limit.dollars(),
        spent_usd: spent.dollars(),
        remaining_usd: budget.limit.less(spent + reserved).dollars(),
        resets_at: standing.map(|standing| standing.resets_at),
    })
}

/// The id of the guard of a caller, by its id: that where that can be part of a budget's id, else a number made of it.
pub(super) fn guard_of(caller: &str) -> String {
    let harmless = caller.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if harmless && GUARD.len() + caller.len() <= LONGEST {
        format!("{GUARD}{caller}")
    } else {
        format!("{GUARD}{:016x}", names::hash(caller))
    }
}

fn guard(caller: &Caller, args: &SetGuardArgs) -> Map<String, Value> {
    let window = match args.window.unwrap_or(GuardWindow::Day) {
        GuardWindow::Day => "day",
        GuardWindow::Week => "week",
        GuardWindow::Month => "month",
    };
    let mut definition = fields([
        ("for", format!("key:{}", caller.id).into()),
        ("limit", json!(args.max_cost)),
        ("window", window.into()),
        ("mode", if args.action == GuardAction::Block { "strict" } else { "soft" }.into()),
    ]);
    if args.action == GuardAction::Degrade {
        let tier = match args.degrade_to_tier.unwrap_or(GuardTier::Free) {
            GuardTier::Cheap => "cheap",
            GuardTier::Free => "free",
        };
        definition.extend(fields([("over", "degrade".into()), ("degrade_to", tier.into())]));
    }
    definition
}

fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The numbers under the names that the configuration gives them.
fn values(resilience: &Resilience) -> BTreeMap<String, f64> {
    let seconds = |duration: Duration| duration.as_secs_f64();
    let breaker = |prefix: &str, limits: BreakerLimits| {
        [
            (format!("{prefix}breaker_degraded"), f64::from(limits.degraded)),
            (format!("{prefix}breaker_open"), f64::from(limits.open)),
            (format!("{prefix}breaker_reset_seconds"), seconds(limits.reset)),
        ]
    };
    let single = [
        ("cooldown_doublings", f64::from(resilience.doublings)),
        ("passing_seconds", seconds(resilience.passing)),
        ("model_seconds", seconds(resilience.model)),
        ("model_longest_seconds", seconds(resilience.model_longest)),
        ("breaker_longest_seconds", seconds(resilience.breaker_longest)),
        ("confirmations", f64::from(resilience.confirmations)),
        ("retest_seconds", seconds(resilience.retest)),
        ("retest_longest_seconds", seconds(resilience.retest_longest)),
        ("retries", f64::from(resilience.retries)),
        ("retry_pause_seconds", seconds(resilience.retry_pause)),
    ];
    let single = single.into_iter().map(|(name, value)| (name.to_owned(), value));
    single.chain(breaker("", resilience.breaker)).chain(breaker("local_", resilience.local_breaker)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_caller_has_a_guard_of_its_own_with_an_id_that_can_be_one() {
        assert_eq!(guard_of("key_0190"), "guard-key_0190");
        let (one, other) = (guard_of("jwt:a@example.com"), guard_of("jwt:b@example.com"));
        assert!(one != other && one.len() <= LONGEST && !one.contains(':'), "{one} {other}");
        assert!(guard_of(&"x".repeat(200)).len() <= LONGEST);
    }
}
