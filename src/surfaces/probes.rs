//! `/livez`, `/readyz` and `/health`: whether the hub runs, takes requests, and how its connections stand. The
//! last one is for callers who may see the topology; others learn no more than the first two tell.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use operations::Scope;
use serde::Serialize;

use super::{Handles, identify::Identify};
use crate::engine::{Engine, health::Standing, ports::Lack, quota::QuotaView, settings::Connection};

#[derive(Clone)]
struct Probes {
    engine: Arc<Engine>,
    identify: Identify,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let state = Probes { engine: Arc::clone(&handles.engine), identify: identify.clone() };
    Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/health", get(health))
        .with_state(state)
}

async fn ready(State(probes): State<Probes>) -> (StatusCode, &'static str) {
    if probes.engine.admission().is_open() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    }
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Details<'a> {
    version: &'static str,
    requests_running: usize,
    connections: Vec<ConnectionState<'a>>,
}

/// How one connection stands.
#[derive(Serialize)]
struct ConnectionState<'a> {
    id: &'a str,
    provider: &'a str,
    priority: i32,
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    models: Vec<ModelState<'a>>,
}

#[derive(Serialize)]
struct ModelState<'a> {
    id: &'a str,
    standing: &'static str,
}

async fn health(State(probes): State<Probes>, request: Request) -> Response {
    let open = probes.engine.admission().is_open();
    let status = if open { "ok" } else { "shutting_down" };
    let code = if open { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let sees = probes.identify.known_caller(&request).is_some_and(|caller| caller.may(Scope::ReadHealth));
    let snapshot = probes.engine.snapshot();
    let details = sees.then(|| {
        let (view, quota) = (probes.engine.health().view(), probes.engine.quota().view());
        let connections = snapshot.settings.connections.iter();
        Details {
            version: env!("CARGO_PKG_VERSION"),
            requests_running: probes.engine.admission().running(),
            connections: connections
                .map(|one| state(one, &view, &quota, probes.engine.lack(one) == Some(Lack::Login)))
                .collect(),
        }
    });
    (code, Json(Health { status, details })).into_response()
}

fn state<'a>(
    connection: &'a Connection,
    view: &crate::engine::health::View<'_>,
    quota: &QuotaView,
    needs_login: bool,
) -> ConnectionState<'a> {
    // The empty name is no model's: what is said of it is said of the connection.
    let (standing, cooldown) = match view.standing(connection, "") {
        Standing::Fit => ("fit", None),
        Standing::Recovering(cooldown) => ("recovering", Some(cooldown)),
        Standing::Cooling(cooldown) => ("cooling", Some(cooldown)),
    };
    let used_up = quota.blocked(connection, "").filter(|_| standing != "cooling");
    let standing = if used_up.is_some() { "used_up" } else { standing };
    let standing = if needs_login { "needs_login" } else { standing };
    let window =
        used_up.map(|blocked| (blocked.until, format!("the window `{}` is used up", blocked.window)));
    let told = cooldown.map(|cooldown| (cooldown.until, format!("{}: {}", cooldown.kind, cooldown.message)));
    let (until, reason) = window.or(told).unzip();
    let models = connection.models.listed.iter().map(|model| ModelState {
        id: model,
        standing: match view.standing(connection, model) {
            Standing::Cooling(_) => "cooling",
            _ if quota.blocked(connection, model).is_some() => "used_up",
            Standing::Recovering(_) => "recovering",
            Standing::Fit => "fit",
        },
    });
    ConnectionState {
        id: &connection.id,
        provider: &connection.provider.id,
        priority: connection.priority,
        standing,
        until,
        reason,
        models: models.collect(),
    }
}
