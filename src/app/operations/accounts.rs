//! Who executes the operations on connections in daily life, and on what the engine knows.

use std::sync::Arc;

use operations::{
    accounts as accounts_of, affinity as affinity_of, cache as cache_of, diagnosis as diagnosis_of,
    health as health_of, models as models_of, providers as providers_of, quotas as quotas_of,
    spending as spending_of, webhooks as webhooks_of,
};

use super::Executors;
use crate::ops::{affinity, cache, health, models, providers, quotas, registry::Registry, spending};

/// Binds them.
pub(super) fn bind(registry: &mut Registry, executors: &Executors) {
    let Executors { engine, accounts, diagnosis, webhooks, .. } = executors;
    bind!(registry, accounts_of::Test, accounts, |own, _asked, args| own.test(args).await);
    bind!(registry, accounts_of::Discover, accounts, |own, _asked, args| own.discover(args).await);
    bind!(registry, accounts_of::Accept, accounts, |own, asked, args| own.accept(&asked, args).await);
    bind!(registry, diagnosis_of::Diagnose, diagnosis, |own, _asked, args| own.run(args).await);
    bind!(registry, diagnosis_of::List, diagnosis, |own, _asked, args| own.list(&args).await);
    bind!(registry, diagnosis_of::Accept, diagnosis, |own, asked, args| own.accept(&asked, args).await);
    bind!(registry, diagnosis_of::Dismiss, diagnosis, |own, asked, args| own.dismiss(&asked, args).await);
    bind!(registry, webhooks_of::Test, webhooks, |own, _asked, args| own.test(args).await);
    bind!(registry, models_of::Hide, accounts, |own, asked, args| own.hide(&asked, args).await);
    bind!(registry, models_of::Show, accounts, |own, asked, args| own.show(&asked, args).await);
    bind!(registry, health_of::Get, engine, |own, _asked, args| health::get(&own, &args));
    bind!(registry, health_of::Reset, engine, |own, _asked, args| health::reset(&own, args));
    bind!(registry, quotas_of::List, engine, |own, _asked, args| quotas::list(&own, &args));
    bind!(registry, spending_of::Status, engine, |own, asked, args| spending::status(
        &own,
        &asked.caller,
        &args
    ));
    bind!(registry, spending_of::Reset, engine, |own, asked, args| spending::reset(
        &own,
        &asked.caller,
        args
    )
    .await);
    bind!(registry, models_of::List, engine, |own, asked, args| models::list(&own, &asked.caller, &args));
    bind!(registry, providers_of::List, engine, |own, _asked, args| Ok(providers::list(&own, &args)));
    bind!(registry, cache_of::Stats, engine, |own, _asked, _args| Ok(cache::stats(&own)));
    bind!(registry, cache_of::Clear, engine, |own, _asked, _args| Ok(cache::clear(&own)));
    bind!(registry, affinity_of::List, engine, |own, asked, args| affinity::list(&own, &asked.caller, args));
    bind!(registry, affinity_of::Forget, engine, |own, asked, args| affinity::forget(
        &own,
        &asked.caller,
        args
    ));
}
