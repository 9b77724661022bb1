//! Who executes which operation: the one place where definitions and executors meet.

use std::sync::Arc;

use operations::{audit, documents, keys, routing};

use crate::{
    engine::{Engine, ports::Clock},
    ops::{
        accounts::Accounts,
        audit::Audit,
        documents::Documents,
        keys::Keys,
        ports::{AuditLog, Configuration},
        registry::Registry,
        routing::Routing,
    },
};

/// Those who execute operations.
#[derive(Clone)]
pub struct Executors {
    /// On keys.
    pub keys: Arc<Keys>,
    /// On where requests go.
    pub routing: Arc<Routing>,
    /// On what the engine knows.
    pub engine: Arc<Engine>,
    /// On connections in daily life.
    pub accounts: Arc<Accounts>,
    /// On what the configuration is made of.
    pub documents: Arc<Documents>,
    /// The audit log.
    pub audit: Arc<dyn AuditLog>,
    /// The configuration that is in force.
    pub configuration: Arc<dyn Configuration>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
}

/// Binds one operation: `bind!(registry, Definition, executor, |executor, asked, args| what it does)`.
macro_rules! bind {
    ($registry:ident, $operation:ty, $executor:expr, |$own:ident, $asked:ident, $args:ident| $done:expr) => {{
        let executor = Arc::clone(&$executor);
        $registry.bind::<$operation, _, _>(move |$asked, $args| {
            let $own = Arc::clone(&executor);
            async move { $done }
        });
    }};
}

/// Binds the five operations of a noun.
macro_rules! bind_noun {
    ($registry:ident, $noun:ident, $documents:expr) => {
        bind!($registry, documents::$noun::List, $documents, |own, _asked, args| Ok(
            own.list(&documents::$noun::NOUN, &args)
        ));
        bind!($registry, documents::$noun::Get, $documents, |own, _asked, args| own
            .get(&documents::$noun::NOUN, args));
        bind!($registry, documents::$noun::Put, $documents, |own, asked, args| {
            own.put(&documents::$noun::NOUN, &asked, args).await
        });
        bind!($registry, documents::$noun::Update, $documents, |own, asked, args| {
            own.update(&documents::$noun::NOUN, &asked, args).await
        });
        bind!($registry, documents::$noun::Delete, $documents, |own, asked, args| {
            own.delete(&documents::$noun::NOUN, &asked, args).await
        });
    };
}

mod accounts;

/// Every operation with who executes it.
#[must_use]
pub fn registry(executors: &Executors) -> Arc<Registry> {
    let Executors { keys, routing, documents, audit, configuration, clock, .. } = executors;
    let mut registry = Registry::new(Arc::clone(audit), Arc::clone(configuration), Arc::clone(clock));
    bind!(registry, keys::Create, keys, |own, asked, args| own.create(&asked.caller, args).await);
    bind!(registry, keys::List, keys, |own, asked, args| own.list(&asked.caller, args).await);
    bind!(registry, keys::Revoke, keys, |own, asked, args| own.revoke(&asked.caller, args).await);
    bind!(registry, keys::Rotate, keys, |own, asked, args| own.rotate(&asked.caller, args).await);
    bind!(registry, routing::Simulate, routing, |own, asked, args| own.simulate(&asked.caller, args));
    bind!(registry, routing::Explain, routing, |own, asked, args| own.explain(&asked.caller, args).await);
    let log = Arc::new(Audit(Arc::clone(audit)));
    bind!(registry, audit::List, log, |own, _asked, args| own.list(args).await);
    bind!(registry, audit::Verify, log, |own, _asked, _args| own.verify().await);
    bind!(registry, audit::Undo, documents, |own, asked, args| own.undo(&asked, args).await);
    bind_noun!(registry, connections, documents);
    bind_noun!(registry, combos, documents);
    bind_noun!(registry, aliases, documents);
    bind_noun!(registry, name_rules, documents);
    bind_noun!(registry, budgets, documents);
    bind_noun!(registry, prices, documents);
    bind_noun!(registry, settings, documents);
    accounts::bind(&mut registry, executors);
    Arc::new(registry)
}
