//! Who executes the operations on the tasks of agents.

use std::sync::Arc;

use operations::tasks;

use super::Executors;
use crate::ops::{agent::Agent, registry::Registry};

/// Binds them.
pub(super) fn bind(registry: &mut Registry, executors: &Executors) {
    let agent = Arc::new(Agent::new(executors.tasks.clone()));
    bind!(registry, tasks::Status, agent, |own, asked, _args| own.status(&asked.caller).await);
    bind!(registry, tasks::List, agent, |own, asked, args| own.list(&asked.caller, args).await);
    bind!(registry, tasks::Get, agent, |own, asked, args| own.get(&asked.caller, args).await);
    bind!(registry, tasks::Cancel, agent, |own, asked, args| own.cancel(&asked.caller, args).await);
    bind!(registry, tasks::DeadLetters, agent, |own, asked, args| own
        .dead_letters(&asked.caller, args)
        .await);
}
