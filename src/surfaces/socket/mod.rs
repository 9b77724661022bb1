//! `GET /v1/ws`: chat completions over a WebSocket, many at a time on one socket. What comes in through it takes
//! the same way as over HTTP: same keys, same limits, same engine, one receipt each.

mod door;
mod ending;
mod frame;
mod pulse;
mod request;
mod session;
mod upgrade;
mod welcome;

use axum::{
    Extension, Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderValue, header};

use super::{Handles, api::Api, front::Ids, identify::Identify, render, stay::Stays};
use crate::engine::{code::Code, refusal::Refusal};
use door::Credentials;

/// Requests that may run on one socket at a time.
const REQUESTS: usize = 128;

/// Frames that wait for a client to read them. When there are so many, the answers' providers wait too.
const QUEUE: usize = 64;

/// The longest id of a request, in bytes.
const ID_LIMIT: usize = 128;

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    Router::new().route("/v1/ws", get(open)).with_state(Api::new(handles, identify))
}

async fn open(State(api): State<Api>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let answer =
        if door::is_probe(request.uri()) { probe(&api, &request) } else { begin(api, ids.clone(), request) };
    answer.unwrap_or_else(|refusal| refused(&refusal, &ids))
}

/// Says whether a socket would be opened, and what is spoken on it.
fn probe(api: &Api, request: &Request) -> Result<Response, Refusal> {
    Credentials::of(request).caller(&api.identify)?;
    let limit = api.engine.snapshot().settings.limits.body_bytes;
    Ok(Json(welcome::description(limit)).into_response())
}

/// Opens a socket.
fn begin(api: Api, ids: Ids, mut request: Request) -> Result<Response, Refusal> {
    let accept = upgrade::check(&request)?;
    let credentials = Credentials::of(&request);
    credentials.caller(&api.identify)?;
    let stay = request.extensions().get::<Stays>().cloned().unwrap_or_default().enter();
    let limit = api.engine.snapshot().settings.limits.body_bytes;
    let socket = upgrade::socket(&mut request, limit);
    let response = upgrade::switching(&accept, door::speaks_ours(request.headers()));
    tokio::spawn(async move {
        // A client that left meanwhile has no socket.
        if let Some(socket) = socket.await {
            session::run(socket, api, credentials, ids, stay).await;
        }
    });
    Ok(response)
}

fn refused(refusal: &Refusal, ids: &Ids) -> Response {
    let mut response = render::refusal(refusal, ids, false);
    if refusal.code == Code::WsUpgradeRequired {
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}
