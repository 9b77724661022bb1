//! Who executes the operations that agents ask for: asking models, steering, and reports.

use std::sync::Arc;

use operations::{
    checks as checks_of, completions as completions_of, documents::budgets as budgets_of,
    reports as reports_of, search as search_of, steering as steering_of,
};

use super::Executors;
use crate::ops::{budgets, registry::Registry};

/// Binds them.
pub(super) fn bind(registry: &mut Registry, executors: &Executors) {
    let Executors { completions, documents, steering, reports, checks, .. } = executors;
    bind!(registry, budgets_of::List, documents, |own, asked, args| Ok(budgets::list(
        &own,
        &asked.caller,
        &args
    )));
    bind!(registry, budgets_of::Get, documents, |own, asked, args| budgets::get(&own, &asked.caller, args));
    bind!(registry, budgets_of::Put, documents, |own, asked, args| budgets::put(&own, &asked, args).await);
    bind!(registry, budgets_of::Update, documents, |own, asked, args| budgets::update(&own, &asked, args)
        .await);
    bind!(registry, budgets_of::Delete, documents, |own, asked, args| budgets::delete(&own, &asked, args)
        .await);
    bind!(registry, completions_of::RouteRequest, completions, |own, asked, args| own
        .route(&asked, args)
        .await);
    bind!(registry, completions_of::TestCombo, completions, |own, asked, args| own
        .test_combo(&asked, args)
        .await);
    bind!(registry, steering_of::SwitchCombo, steering, |own, asked, args| own
        .switch_combo(&asked, args)
        .await);
    bind!(registry, steering_of::SetStrategy, steering, |own, asked, args| own
        .set_strategy(&asked, args)
        .await);
    bind!(registry, steering_of::SetResilience, steering, |own, asked, args| own
        .set_resilience(&asked, args)
        .await);
    bind!(registry, steering_of::SetGuard, steering, |own, asked, args| own.set_guard(&asked, args).await);
    bind!(registry, reports_of::Cost, reports, |own, asked, args| own.cost(&asked.caller, args).await);
    bind!(registry, reports_of::Snapshot, reports, |own, asked, args| own
        .snapshot(&asked.caller, args)
        .await);
    bind!(registry, reports_of::Combos, reports, |own, asked, args| own.combos(&asked.caller, args).await);
    bind!(registry, reports_of::Providers, reports, |own, asked, args| own
        .provider(&asked.caller, args)
        .await);
    bind!(registry, reports_of::Errors, reports, |own, asked, args| own.errors(&asked.caller, args).await);
    bind!(registry, reports_of::Best, reports, |own, asked, args| Ok(own.best(&asked.caller, &args)));
    bind!(registry, checks_of::Policy, checks, |own, asked, args| own.policy(&asked.caller, args).await);
    bind!(registry, checks_of::Tokens, checks, |own, asked, args| own.tokens(&asked.caller, args));
    bind!(registry, checks_of::Configuration, checks, |own, _asked, _args| Ok(own.configuration()));
    bind!(registry, checks_of::Database, checks, |own, asked, args| own.database(&asked.caller, args).await);
    bind!(registry, search_of::Web, completions, |own, asked, args| own.search(&asked, args).await);
}
