//! The hub as an MCP server: what agents can ask of it, as tools, resources and prompts. `door` lets requests in, `handler`
//! speaks the protocol, and an [`offer::Offer`] says what there is; the protocol itself is rmcp's.

mod address;
mod attended;
mod changes;
mod completion;
mod door;
#[cfg(feature = "conformance")]
mod fixtures;
mod guides;
mod handler;
mod line;
mod metadata;
mod offer;
mod opening;
mod operations;
mod profile;
mod prompts;
mod record;
mod resources;
mod results;
mod search;
mod sessions;
mod shelf;
mod sse;
mod stdio;
mod subscriptions;
mod tools;
mod visitor;

use std::sync::Arc;

use axum::{Router, routing::any};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use tokio_util::sync::CancellationToken;

pub use self::profile::profile_of;
use self::{
    door::Door,
    handler::Handler,
    offer::Offer,
    sessions::{Sessions, Settings},
    sse::Sse,
};
use super::{Handles, identify::Identify};

/// Where MCP clients come in, and under which name OmniRoute's do.
const PATHS: [&str; 3] = ["/mcp", "/mcp/", "/api/mcp/stream"];

/// The other transports.
const OTHER_PATHS: [&str; 3] = [stdio::PATH, sse::STREAM, sse::MESSAGES];

/// The largest message of a client.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let offer = offer(handles);
    let engine = Arc::clone(&handles.engine);
    let settings: Settings = Box::new(move || Arc::clone(&engine.snapshot().settings.mcp));
    let clock = handles.engine.shared_clock();
    let sessions = Arc::new(Sessions::new(Arc::clone(&handles.mcp_sessions), clock, settings));
    sessions.look_after();
    sessions.end_when_off();
    let counted = Arc::downgrade(&sessions);
    handles.mcp.count_sessions_by(move || counted.upgrade().map_or(0, |sessions| sessions.standing()));
    let ending = CancellationToken::new();
    let config = StreamableHttpServerConfig::default()
        .with_max_request_body_bytes(BODY_LIMIT)
        .with_sse_keep_alive(Some(handles.keep_alive))
        .with_cancellation_token(ending.clone())
        // `front` and `door` have checked both, with the hosts that the operator named.
        .disable_allowed_hosts();
    let config = sessions.kept_in(config);
    let made = Arc::clone(&offer);
    let service = StreamableHttpService::new(
        move || Ok(Handler::new(Arc::clone(&made))),
        Arc::clone(&sessions),
        config,
    );
    let others = Sse { offer, sessions, keep_alive: handles.keep_alive };
    // What serves sessions ends with the last who could ask for it.
    let door = Door::new(handles, identify, service, others, ending.drop_guard());
    let routes = PATHS
        .iter()
        .chain(&OTHER_PATHS)
        .fold(Router::new(), |router, path| router.route(path, any(door::enter)));
    routes.with_state(door).merge(metadata::routes(handles))
}

/// What is offered.
fn offer(handles: &Handles) -> Arc<dyn Offer> {
    let own: Arc<dyn Offer> = Arc::new(operations::Operations::new(handles));
    #[cfg(feature = "conformance")]
    let own = fixtures::in_place_of(&*own);
    own
}
