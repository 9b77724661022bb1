//! The management API below `/api`: operations in the shape of REST.

mod keys;
mod routing;
mod session;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::Request,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};

use super::{Handles, body, front::Ids, identify::Identify, render};
use crate::{
    engine::{caller::Caller, code::Code, refusal::Refusal},
    ops,
};

/// Arguments are a few hundred bytes; nothing here needs more.
const BODY_LIMIT: usize = 64 * 1024;

/// What the handlers of this surface use.
#[derive(Clone)]
struct Admin {
    identify: Identify,
    keys: Arc<ops::keys::Keys>,
    login: Arc<ops::admin::Admin>,
    routing: Arc<ops::routing::Routing>,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let state = Admin {
        identify: identify.clone(),
        keys: Arc::clone(&handles.keys),
        login: Arc::clone(&handles.admin),
        routing: Arc::clone(&handles.routing),
    };
    Router::new()
        .route("/api/keys", get(keys::list).post(keys::create))
        .route("/api/keys/{key}", get(keys::show).patch(keys::update).delete(keys::revoke))
        .route("/api/keys/{key}/rotate", post(keys::rotate))
        .route("/api/session", get(session::who).post(session::log_in).delete(session::log_out))
        .route("/api/session/password", axum::routing::put(session::change_password))
        .route("/api/sessions", get(session::list))
        .route("/api/sessions/{session}", axum::routing::delete(session::revoke))
        .route("/api/routing/simulate", post(routing::simulate))
        .route("/api/routing/explain/{request_id}", get(routing::explain))
        .with_state(state)
}

async fn read<Args: DeserializeOwned>(admin: &Admin, request: Request) -> Result<(Caller, Args), Refusal> {
    let (caller, bytes) = bytes(admin, request).await?;
    Ok((caller, parse(&bytes)?))
}

async fn read_or_default<Args: DeserializeOwned + Default>(
    admin: &Admin,
    request: Request,
) -> Result<(Caller, Args), Refusal> {
    let (caller, bytes) = bytes(admin, request).await?;
    Ok((caller, if bytes.is_empty() { Args::default() } else { parse(&bytes)? }))
}

async fn bytes(admin: &Admin, request: Request) -> Result<(Caller, Bytes), Refusal> {
    let caller = admin.identify.caller(&request)?;
    let (parts, body) = request.into_parts();
    Ok((caller, body::read(&parts.headers, body, BODY_LIMIT).await?))
}

fn parse<Args: DeserializeOwned>(bytes: &[u8]) -> Result<Args, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let code = if error.is_data() { Code::InvalidParameter } else { Code::InvalidJson };
        Refusal::new(code, format!("The body could not be read: {error}."))
    })
}

fn answer<T: Serialize>(status: StatusCode, result: Result<T, Refusal>, ids: &Ids) -> Response {
    match result {
        Ok(value) => (status, Json(value)).into_response(),
        Err(refusal) => render::refusal(&refusal, ids, false),
    }
}
