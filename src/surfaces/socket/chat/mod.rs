//! `GET /v1/ws`: chat completions over a WebSocket, many at a time on one socket. What comes in through it takes
//! the same way as over HTTP: same keys, same limits, same engine, one receipt each.

mod frame;
mod request;
mod session;
mod welcome;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Credentials, admit, door, refused};
use crate::{
    engine::{Engine, code::Code, refusal::Refusal},
    surfaces::{Handles, front::Ids, identify::Identify},
};
use session::Session;

/// Requests that may run on one socket at a time.
const REQUESTS: usize = 128;

/// The longest id of a request, in bytes.
const ID_LIMIT: usize = 128;

/// What the handlers of this surface use.
#[derive(Clone)]
struct Bridge {
    engine: Arc<Engine>,
    identify: Identify,
    keep_alive: Duration,
}

pub(in super::super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let bridge = Bridge {
        engine: Arc::clone(&handles.engine),
        identify: identify.clone(),
        keep_alive: handles.keep_alive,
    };
    Router::new().route("/v1/ws", get(open)).with_state(bridge)
}

async fn open(State(bridge): State<Bridge>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let answer = if door::is_probe(request.uri()) {
        probe(&bridge, &request)
    } else {
        begin(bridge, ids.clone(), request)
    };
    answer.unwrap_or_else(|refusal| refused(&own_code(refusal), &ids))
}

/// Says whether a socket would be opened, and what is spoken on it.
fn probe(bridge: &Bridge, request: &Request) -> Result<Response, Refusal> {
    Credentials::of(request).caller(&bridge.identify)?;
    let limit = bridge.engine.snapshot().settings.limits.body_bytes;
    Ok(Json(welcome::description(limit)).into_response())
}

/// Opens a socket.
fn begin(bridge: Bridge, ids: Ids, request: Request) -> Result<Response, Refusal> {
    let (opening, credentials) = admit(request, &bridge.identify)?;
    let limit = bridge.engine.snapshot().settings.limits.body_bytes;
    Ok(opening.open(limit, Session::new(bridge, credentials, ids)))
}

/// Pages in browsers cannot tell the statuses of a refused socket apart, so its codes are its own.
fn own_code(mut refusal: Refusal) -> Refusal {
    refusal.code = match refusal.code {
        Code::MissingKey => Code::WsAuthRequired,
        Code::InvalidKey => Code::WsAuthInvalid,
        other => other,
    };
    refusal
}
