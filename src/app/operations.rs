//! Who executes which operation: the one place where definitions and executors meet.

use std::sync::Arc;

use operations::{
    audit, backups, bundle, documents, keys, mcp as mcp_of, oauth, prices, routing, sessions, traces, usage,
};

use crate::{
    engine::{Engine, ports::Clock},
    ops::{
        accounts::Accounts,
        admin::Admin,
        audit::Audit,
        backups::Backups,
        checks::Checks,
        completions::Completions,
        diagnosis::Diagnosis,
        documents::Documents,
        keys::Keys,
        mcp::McpServer,
        oauth::Logins,
        ports::{AuditLog, Configuration},
        prices::Prices,
        registry::Registry,
        reports::Reports,
        routing::Routing,
        steering::Steering,
        tasks::Tasks,
        traces::Traces,
        usage::Usage,
        webhooks::Tester,
    },
};

/// Those who execute operations.
#[derive(Clone)]
pub struct Executors {
    /// On keys.
    pub keys: Arc<Keys>,
    /// On the operator's sessions.
    pub admin: Arc<Admin>,
    /// On logins at providers.
    pub logins: Arc<Logins>,
    /// On where requests go.
    pub routing: Arc<Routing>,
    /// On what was used.
    pub usage: Arc<Usage>,
    /// What models cost by now.
    pub prices: Arc<Prices>,
    /// On single requests.
    pub traces: Arc<Traces>,
    /// On what the engine knows.
    pub engine: Arc<Engine>,
    /// Who asks models.
    pub completions: Arc<Completions>,
    /// Who turns single knobs.
    pub steering: Arc<Steering>,
    /// Who sums up.
    pub reports: Arc<Reports>,
    /// Who looks closely.
    pub checks: Arc<Checks>,
    /// On connections in daily life.
    pub accounts: Arc<Accounts>,
    /// On suggestions about connections.
    pub diagnosis: Arc<Diagnosis>,
    /// On webhooks.
    pub webhooks: Arc<Tester>,
    /// On what the configuration is made of.
    pub documents: Arc<Documents>,
    /// On backups.
    pub backups: Arc<Backups>,
    /// On the MCP server.
    pub mcp: Arc<McpServer>,
    /// The tasks of agents.
    pub tasks: Tasks,
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
mod agents;
mod tasks;

/// Every operation with who executes it.
#[must_use]
pub fn registry(executors: &Executors) -> Arc<Registry> {
    let Executors {
        keys,
        admin,
        logins,
        routing,
        usage,
        prices,
        traces,
        documents,
        backups,
        mcp,
        audit,
        configuration,
        clock,
        ..
    } = executors;
    let mut registry = Registry::new(Arc::clone(audit), Arc::clone(configuration), Arc::clone(clock));
    bind!(registry, keys::Create, keys, |own, asked, args| own.create(&asked.caller, args).await);
    bind!(registry, keys::List, keys, |own, asked, args| own.list(&asked.caller, args).await);
    bind!(registry, keys::Get, keys, |own, asked, args| own.get(&asked.caller, args).await);
    bind!(registry, keys::Update, keys, |own, asked, args| own.update(&asked.caller, args).await);
    bind!(registry, sessions::List, admin, |own, asked, args| own.list(&asked.caller, args));
    bind!(registry, sessions::Revoke, admin, |own, asked, args| own.revoke(&asked.caller, args).await);
    bind!(registry, keys::Revoke, keys, |own, asked, args| own.revoke(&asked.caller, args).await);
    bind!(registry, keys::Rotate, keys, |own, asked, args| own.rotate(&asked.caller, args).await);
    bind!(registry, routing::Simulate, routing, |own, asked, args| own.simulate(&asked.caller, args));
    bind!(registry, routing::Explain, routing, |own, asked, args| own.explain(&asked.caller, args).await);
    bind!(registry, oauth::Start, logins, |own, asked, args| own.start_login(&asked.caller, args).await);
    bind!(registry, oauth::Finish, logins, |own, asked, args| own.finish_login(&asked.caller, args).await);
    bind!(registry, oauth::Status, logins, |own, asked, args| own.login_status(&asked.caller, args));
    bind!(registry, oauth::Logout, logins, |own, asked, args| own.logout(&asked.caller, args).await);
    bind!(registry, oauth::List, logins, |own, asked, args| own.list(&asked.caller, args));
    bind!(registry, usage::Get, usage, |own, asked, args| own.get(&asked.caller, args).await);
    bind!(registry, prices::List, prices, |own, asked, args| own.list(&asked.caller, args));
    bind!(registry, prices::SyncNow, prices, |own, asked, args| own.sync(&asked.caller, args).await);
    bind!(registry, traces::List, traces, |own, asked, args| own.list(&asked.caller, args).await);
    bind!(registry, traces::Get, traces, |own, asked, args| own.get(&asked.caller, args).await);
    let log = Arc::new(Audit(Arc::clone(audit)));
    bind!(registry, audit::List, log, |own, _asked, args| own.list(args).await);
    bind!(registry, audit::Verify, log, |own, _asked, _args| own.verify().await);
    bind!(registry, audit::Undo, documents, |own, asked, args| own.undo(&asked, args).await);
    let calls = mcp.calls();
    bind!(registry, mcp_of::Status, mcp, |own, asked, _args| own.status(&asked.caller).await);
    bind!(registry, mcp_of::Tools, mcp, |own, asked, args| Ok(own.tools(&asked.caller, args)));
    bind!(registry, mcp_of::Calls, calls, |own, _asked, args| own.list(args).await);
    bind!(registry, mcp_of::Stats, calls, |own, _asked, args| own.stats(args).await);
    bind!(registry, mcp_of::Verify, calls, |own, _asked, _args| own.verify().await);
    bind!(registry, backups::Create, backups, |own, _asked, args| own.create(args).await);
    bind!(registry, backups::List, backups, |own, _asked, _args| own.list().await);
    bind!(registry, backups::Verify, backups, |own, _asked, args| own.verify(args).await);
    bind!(registry, backups::Delete, backups, |own, _asked, args| own.delete(args).await);
    bind!(registry, bundle::Get, documents, |own, asked, args| own.bundle(&asked.caller, args));
    bind_noun!(registry, connections, documents);
    bind_noun!(registry, combos, documents);
    bind_noun!(registry, aliases, documents);
    bind_noun!(registry, name_rules, documents);
    bind_noun!(registry, prices, documents);
    bind_noun!(registry, settings, documents);
    accounts::bind(&mut registry, executors);
    agents::bind(&mut registry, executors);
    tasks::bind(&mut registry, executors);
    Arc::new(registry)
}
