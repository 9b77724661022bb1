//! Where callers come in. Each surface turns its own shape into what `engine` and `ops` understand, and their
//! answers back. No surface decides what a caller may do, and none knows a provider.

mod a2a;
mod address;
mod admin;
mod anthropic;
mod api;
mod body;
mod callback;
mod compat;
mod counting;
mod delivery;
mod front;
mod gemini;
mod idempotent;
mod identify;
mod lent;
mod malformed;
mod mcp;
mod metrics;
mod models;
mod openai;
mod operation;
mod path;
mod place;
mod probes;
mod render;
mod server;
mod shape;
mod socket;
mod speech;
mod stay;
mod wishes;

pub use admin::OIDC_CALLBACK;
pub use callback::OtherPorts;
pub use mcp::profile_of;
pub use server::{Server, serve};
pub use speech::ChatSpeech;

use std::{sync::Arc, time::Duration};

use axum::Router;

use crate::{auth, engine::Engine, ops};

/// What the surfaces are made of.
#[derive(Clone)]
pub struct Handles {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Who is calling.
    pub gate: Arc<auth::Gate>,
    /// Every operation.
    pub operations: Arc<ops::registry::Registry>,
    /// The receipts that were written down.
    pub receipts: Arc<dyn ops::ports::ReceiptLog>,
    /// Logins under way, for browsers that come back.
    pub logins: Arc<ops::oauth::Logins>,
    /// The operator's login.
    pub admin: Arc<ops::admin::Admin>,
    /// The operator's login at a provider, where there is one.
    pub provider_login: Option<Arc<ops::admin::ProviderLogin>>,
    /// Whether browsers reach the hub over TLS, as far as the settings say.
    pub public_tls: bool,
    /// The counters.
    pub metrics: Arc<ops::metrics::Metrics>,
    /// Responses that callers can come back to.
    pub responses: Arc<ops::responses::Responses>,
    /// Requests that are repeated under one key.
    pub idempotency: Arc<ops::idempotency::Idempotency>,
    /// Sessions of MCP clients that were written down.
    pub mcp_sessions: Arc<dyn ops::ports::McpSessionStore>,
    /// The MCP server, with the record of calls.
    pub mcp: Arc<ops::mcp::McpServer>,
    /// Tasks of other agents.
    pub tasks: ops::tasks::Tasks,
    /// Who signs agent cards.
    pub card_signer: Arc<ops::signing::Signer>,
    /// Where browsers reach the hub, where that is another address than it listens on.
    pub public_url: Option<Arc<str>>,
    /// Whose signed tokens let callers in.
    pub issuer: Option<Arc<str>>,
    /// Whether a key is required. Without one everybody is the operator: only for loopback.
    pub auth_required: bool,
    /// Host names that the hub answers for, beside addresses and `localhost`.
    pub allowed_hosts: Arc<[String]>,
    /// How long a stream may be silent.
    pub keep_alive: Duration,
}

/// Every route of the hub.
pub fn router(handles: &Handles) -> Router {
    let identify = identify::Identify::new(handles);
    let api = api::Api::new(handles, &identify);
    let routes = Router::new()
        .merge(openai::routes(&api))
        .merge(anthropic::routes(&api))
        .merge(gemini::routes(&api))
        .merge(models::routes(&api))
        .merge(admin::routes(handles, &identify))
        .merge(compat::routes(handles, &identify))
        .merge(mcp::routes(handles, &identify))
        .merge(a2a::routes(handles, &identify))
        .merge(callback::routes(handles))
        .merge(probes::routes(handles, &identify))
        .merge(metrics::routes(handles, &identify))
        .merge(socket::routes(handles, &identify));
    let idempotent = idempotent::Idempotent::new(handles, &identify);
    let front =
        front::Front::new(Arc::clone(&handles.allowed_hosts), idempotent, Arc::clone(&handles.engine));
    front::around(routes, front)
}
