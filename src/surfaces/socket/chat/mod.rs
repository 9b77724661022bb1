//! `GET /v1/ws`: chat completions over a WebSocket, many at a time on one socket. What comes in through it takes
//! the same way as over HTTP: same keys, same limits, same engine, one receipt each.

mod frame;
mod request;
mod session;
mod welcome;

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{Credentials, admit, door, refused};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{Handles, api::Api, front::Ids, identify::Identify},
};
use session::Session;

/// Requests that may run on one socket at a time.
const REQUESTS: usize = 128;

/// The longest id of a request, in bytes.
const ID_LIMIT: usize = 128;

pub(in super::super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    Router::new().route("/v1/ws", get(open)).with_state(Api::new(handles, identify))
}

async fn open(State(api): State<Api>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let answer =
        if door::is_probe(request.uri()) { probe(&api, &request) } else { begin(api, ids.clone(), request) };
    answer.unwrap_or_else(|refusal| refused(&own_code(refusal), &ids))
}

/// Says whether a socket would be opened, and what is spoken on it.
fn probe(api: &Api, request: &Request) -> Result<Response, Refusal> {
    Credentials::of(request).caller(&api.identify)?;
    let limit = api.engine.snapshot().settings.limits.body_bytes;
    Ok(Json(welcome::description(limit)).into_response())
}

/// Opens a socket.
fn begin(api: Api, ids: Ids, request: Request) -> Result<Response, Refusal> {
    let (opening, credentials) = admit(request, &api.identify)?;
    let limit = api.engine.snapshot().settings.limits.body_bytes;
    Ok(opening.open(limit, Session::new(api, credentials, ids)))
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
