//! Who executes the operations that agents ask for: asking models, steering, and reports.

use std::sync::Arc;

use operations::{completions as completions_of, documents::budgets as budgets_of};

use super::Executors;
use crate::ops::{budgets, registry::Registry};

/// Binds them.
pub(super) fn bind(registry: &mut Registry, executors: &Executors) {
    let Executors { completions, documents, .. } = executors;
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
}
