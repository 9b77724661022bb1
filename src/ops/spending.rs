//! Operations on what was spent of budgets.

use operations::spending::{BudgetResetDone, BudgetStatus, ResetBudget, Spending, SpendingPage};

use super::{OpError, own, page::page};
use crate::engine::{
    Engine,
    budget::Standing,
    caller::Caller,
    settings::{Budget, Mode, Scope, Usd},
};

/// Says what was spent of each budget that the caller sees, by each holder that it does.
///
/// # Errors
/// When the budget that is asked for does not exist.
pub fn status(engine: &Engine, caller: &Caller, args: &BudgetStatus) -> Result<SpendingPage, OpError> {
    let snapshot = engine.snapshot();
    let budgets = &snapshot.settings.budgets;
    let only = args.budget.as_deref();
    let is_it =
        |budget: &Budget| only.is_none_or(|only| *budget.id == *only) && own::sees_budget(caller, budget);
    if let Some(only) = only.filter(|_| !budgets.iter().any(|budget| is_it(budget))) {
        return Err(missing(only));
    }
    let rows = budgets.iter().filter(|budget| is_it(budget)).flat_map(|budget| {
        let standings = engine.budgets().standings(budget).into_iter();
        let standings = standings.filter(|one| one.holder.is_empty() || own::sees(caller, &one.holder));
        standings.map(|standing| (format!("{}/{}", budget.id, standing.holder), spending(budget, &standing)))
    });
    let (budgets, next_cursor) = page(rows.collect(), args.cursor.as_deref(), args.limit);
    Ok(SpendingPage { budgets, next_cursor })
}

/// Begins the running window of a budget anew.
///
/// # Errors
/// When there is no such budget, or the store failed.
pub async fn reset(engine: &Engine, caller: &Caller, args: ResetBudget) -> Result<BudgetResetDone, OpError> {
    let snapshot = engine.snapshot();
    let budget = snapshot.settings.budgets.iter().find(|budget| *budget.id == *args.id);
    let budget = budget.filter(|budget| own::sees_budget(caller, budget));
    let budget = budget.ok_or_else(|| missing(&args.id))?;
    let holder = match budget.scope {
        Scope::EachCaller => own::only(caller, args.holder)?,
        _ => args.holder,
    };
    let done = engine.budgets().forgive(budget, holder.as_deref()).await;
    let forgiven = done.map_err(|error| OpError::Store(Box::new(error)))?;
    let sum = forgiven.iter().fold(Usd::ZERO, |sum, (_, spent)| sum + *spent);
    let holders = u32::try_from(forgiven.len()).unwrap_or(u32::MAX);
    Ok(BudgetResetDone { id: args.id, holders, forgiven_usd: sum.dollars() })
}

fn spending(budget: &Budget, standing: &Standing) -> Spending {
    Spending {
        budget: budget.id.to_string(),
        holder: Some(standing.holder.to_string()).filter(|holder| !holder.is_empty()),
        limit_usd: budget.limit.dollars(),
        spent_usd: standing.spent.dollars(),
        reserved_usd: standing.reserved.dollars(),
        mode: if budget.mode == Mode::Strict { "strict" } else { "soft" }.to_owned(),
        window: budget.window.as_str().to_owned(),
        began_at: standing.began_at,
        resets_at: standing.resets_at,
    }
}

fn missing(id: &str) -> OpError {
    OpError::NotFound { noun: "budget", name: id.to_owned() }
}
