//! Operations that turn one knob: a combo on or off, its strategy, the profile of resilience, and what the caller's own key
//! may spend. Each is a change of a document (`documents`), with its version, its entry in the audit log and its undoing;
//! what the configuration file declares is changed there (a conflict). Amounts are US dollars.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, documents::DocumentView, page};

/// Most money of a guard, in US dollars.
const MAX_USD: f64 = 1_000_000.0;
/// Asked twice, the same holds; what was there before can be had back from the audit log.
const CHANGE: Hints = Hints { read_only: false, destructive: false, idempotent: true };

/// Switches a combo on or off.
#[derive(Debug, Clone, Copy)]
pub struct SwitchCombo;

/// Changes a combo's strategy.
#[derive(Debug, Clone, Copy)]
pub struct SetStrategy;

/// Chooses a profile of resilience.
#[derive(Debug, Clone, Copy)]
pub struct SetResilience;

/// Bounds what the caller's key may spend.
#[derive(Debug, Clone, Copy)]
pub struct SetGuard;

/// The combo to switch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchComboArgs {
    /// The combo's id.
    pub name: String,
    /// Whether it is there for clients.
    pub active: bool,
    /// The version that was seen: the change is made only if nobody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The combo to change, and how it chooses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetStrategyArgs {
    /// The combo's id.
    pub name: String,
    /// The strategy, such as `priority`, `round-robin`, `cost-optimized` or `auto`.
    pub strategy: String,
    /// How `auto` weighs, such as `balanced` or `ship-fast`; only with the strategy `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_mode: Option<String>,
    /// The version that was seen: the change is made only if nobody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The profile to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetResilienceArgs {
    /// The profile.
    pub profile: ResilienceProfile,
    /// The version of the setting that was seen: the change is made only if nobody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// A named set of numbers of resilience.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResilienceProfile {
    /// Comes back soon, and gives up late: for few accounts, of which each counts.
    Aggressive,
    /// For most.
    Balanced,
    /// Turns away early and stays away: for many accounts.
    Conservative,
}

impl ResilienceProfile {
    /// The profile's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aggressive => "aggressive",
            Self::Balanced => "balanced",
            Self::Conservative => "conservative",
        }
    }
}

/// What holds now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ResilienceInForce {
    /// The profile.
    pub profile: String,
    /// The setting's version, for the next change.
    pub version: u64,
    /// The numbers that are in force, those included that the configuration sets by itself: durations in seconds, the others
    /// are counts.
    pub values: BTreeMap<String, f64>,
}

/// What the caller's key may spend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetGuardArgs {
    /// What may be spent in one window, in US dollars.
    pub max_cost: f64,
    /// What happens when that is used up.
    pub action: GuardAction,
    /// The tier that requests go to then, with the action `degrade`; `free` when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrade_to_tier: Option<GuardTier>,
    /// How long a window is; a day when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<GuardWindow>,
}

/// What a guard does when its money is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardAction {
    /// Requests go to cheaper accounts, as long as there are any.
    Degrade,
    /// Requests are refused; so are those whose price nobody knows.
    Block,
    /// The log says so, and webhooks are told.
    Alert,
}

/// The tier of accounts that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardTier {
    /// Accounts that are cheap, and free ones.
    Cheap,
    /// Free ones alone.
    Free,
}

/// How long a guard's window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum GuardWindow {
    /// From midnight to midnight (UTC).
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to the first of the next.
    Month,
}

/// The guard of a key, and what is left of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetGuard {
    /// The budget that it is, for `get_budget` and `delete_budget`.
    pub budget: String,
    /// The budget's version.
    pub version: u64,
    /// What happens when it is used up.
    pub action: GuardAction,
    /// What may be spent in one window.
    pub limit_usd: f64,
    /// What was spent in the one that runs.
    pub spent_usd: f64,
    /// What is left of it, running requests taken off.
    pub remaining_usd: f64,
    /// When the next window begins, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at: Option<i64>,
}

impl Operation for SwitchCombo {
    const NAME: &'static str = "switch_combo";
    const TITLE: &'static str = "Switch a combo on or off";
    const SUMMARY: &'static str = "Switches a combo on or off. One that is off means nothing to clients until it is on again. \
         What the configuration file declares, or another combo needs, cannot be switched off here.";
    const SCOPE: Scope = Scope::WriteCombos;
    const HINTS: Hints = CHANGE;
    const ROUTE: Route = Route::new(Method::Post, "/api/routing/switch-combo");
    const COMMAND: (&'static str, &'static str) = ("combos", "switch");
    const EXAMPLE: &'static str = r#"{"name": "coding", "active": true}"#;
    type Args = SwitchComboArgs;
    type Result = DocumentView;

    fn check(args: SwitchComboArgs) -> Result<SwitchComboArgs, Invalid> {
        Ok(SwitchComboArgs { name: page::check_required("name", &args.name)?, ..args })
    }
}

impl Operation for SetStrategy {
    const NAME: &'static str = "set_routing_strategy";
    const TITLE: &'static str = "Change a combo's strategy";
    const SUMMARY: &'static str = "Changes the strategy by which a combo chooses among its steps, and how `auto` weighs. What \
         the configuration file declares cannot be changed here.";
    const SCOPE: Scope = Scope::WriteCombos;
    const HINTS: Hints = CHANGE;
    const ROUTE: Route = Route::new(Method::Post, "/api/routing/strategy");
    const COMMAND: (&'static str, &'static str) = ("combos", "strategy");
    const EXAMPLE: &'static str = r#"{"name": "coding", "strategy": "round-robin"}"#;
    type Args = SetStrategyArgs;
    type Result = DocumentView;

    fn check(args: SetStrategyArgs) -> Result<SetStrategyArgs, Invalid> {
        let strategy = page::check_required("strategy", &args.strategy)?;
        let auto_mode = page::check_name("auto_mode", args.auto_mode.as_ref())?;
        if auto_mode.is_some() && strategy != "auto" {
            return Err(Invalid::new("auto_mode", "goes with the strategy `auto` alone"));
        }
        Ok(SetStrategyArgs { name: page::check_required("name", &args.name)?, strategy, auto_mode, ..args })
    }
}

impl Operation for SetResilience {
    const NAME: &'static str = "set_resilience_profile";
    const TITLE: &'static str = "Choose how patient the hub is with failures";
    const SUMMARY: &'static str = "Chooses the profile that says how long accounts, models and hosts are left alone after \
         failures: the setting `resilience.profile`. Numbers that the configuration sets by itself stay as they are.";
    const SCOPE: Scope = Scope::WriteResilience;
    const HINTS: Hints = CHANGE;
    const ROUTE: Route = Route::new(Method::Post, "/api/resilience/profile");
    const COMMAND: (&'static str, &'static str) = ("resilience", "profile");
    const EXAMPLE: &'static str = r#"{"profile": "conservative"}"#;
    type Args = SetResilienceArgs;
    type Result = ResilienceInForce;

    fn check(args: SetResilienceArgs) -> Result<SetResilienceArgs, Invalid> {
        Ok(args)
    }
}

impl Operation for SetGuard {
    const NAME: &'static str = "set_budget_guard";
    const TITLE: &'static str = "Bound what this key spends";
    const SUMMARY: &'static str = "Bounds what the key that calls this may spend in a day, week or month, and says what happens \
         then: refuse, go to cheaper accounts, or only tell. It holds from the next request on; delete_budget takes it away.";
    const SCOPE: Scope = Scope::WriteBudget;
    const HINTS: Hints = CHANGE;
    const ROUTE: Route = Route::new(Method::Post, "/api/spending/guard");
    const COMMAND: (&'static str, &'static str) = ("budgets", "guard");
    const EXAMPLE: &'static str = r#"{"max_cost": 5, "action": "alert"}"#;
    type Args = SetGuardArgs;
    type Result = BudgetGuard;

    fn check(args: SetGuardArgs) -> Result<SetGuardArgs, Invalid> {
        if !(args.max_cost > 0.0 && args.max_cost <= MAX_USD) {
            let message = format!("must be an amount in US dollars, more than 0 and at most {MAX_USD}");
            return Err(Invalid::new("max_cost", message));
        }
        if args.degrade_to_tier.is_some() && args.action != GuardAction::Degrade {
            return Err(Invalid::new("degrade_to_tier", "goes with the action `degrade` alone"));
        }
        Ok(args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_is_a_sum_and_degrades_only_where_it_says_so() {
        let guard = |max_cost, action, degrade_to_tier| {
            let args = SetGuardArgs { max_cost, action, degrade_to_tier, window: None };
            SetGuard::check(args).map_err(|wrong| wrong.field)
        };
        assert!(guard(5.0, GuardAction::Degrade, Some(GuardTier::Cheap)).is_ok());
        for wrong in [0.0, -1.0, f64::NAN, 1e9] {
            assert_eq!(guard(wrong, GuardAction::Block, None).err(), Some("max_cost"), "{wrong}");
        }
        assert_eq!(guard(5.0, GuardAction::Block, Some(GuardTier::Free)).err(), Some("degrade_to_tier"));
    }
}
