//! FreeRouter's `/v1/gateway` and `/v1/providers`. A route is a model on a connection, `{connection}/{model}`, and its rank is
//! the model's `rank`, by which `auto-ranked` goes. Errors are `{"detail": text}` beside the hub's own `error`.

mod catalogue;
mod diagnosis;
mod edit;
mod status;

use axum::{
    Extension, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use operations::Scope;
use serde_json::{Value, json};

use self::catalogue::{Catalogue, Entry};
use super::{Answer, Call, Compat, Problem, invalid, json as body_of, respond};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::{front::Ids, path},
};

pub(super) fn routes() -> Router<Compat> {
    Router::new()
        .route("/v1/gateway/models", get(list).put(replace))
        .route("/v1/gateway/models/reset", post(reset))
        .route("/v1/gateway/models/auto-rank", post(auto_rank))
        .route("/v1/gateway/models/{*route}", post(act))
        .merge(diagnosis::routes())
        .merge(status::routes())
}

fn answered(answer: Answer, ids: &Ids) -> Response {
    respond(answer, ids, |error| json!({ "detail": error.get("message"), "error": error }))
}

/// Whether the caller may see the routes. Asked of the operation that shows connections, so that a denial is noted.
async fn may_see(call: &Call<'_>) -> Result<(), Problem> {
    call.operation("list_connections", json!({ "limit": 1 })).await.map(drop)
}

async fn list(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        may_see(&call).await?;
        Ok((StatusCode::OK, whole(&call)))
    };
    answered(done.await, ids)
}

/// Puts this catalogue in place of what the connections that it names serve.
async fn replace(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        // The right first: a catalogue without a route asks for no other.
        may_see(&call).await?;
        let body = body_of(request).await?;
        let routes = body.get("data").unwrap_or(&body);
        let routes = routes
            .as_array()
            .ok_or_else(|| invalid("data", "The body must be an array of routes, or hold one as `data`."))?;
        edit::replace(&call, routes).await?;
        Ok((StatusCode::OK, whole(&call)))
    };
    answered(done.await, ids)
}

/// Takes the ranks away that were given over the API.
async fn reset(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        edit::rank(&call, |_| None).await?;
        Ok((StatusCode::OK, whole(&call)))
    };
    answered(done.await, ids)
}

/// Ranks the routes by what is known of their models.
async fn auto_rank(
    State(compat): State<Compat>,
    Extension(ids): Extension<Ids>,
    request: Request,
) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let ranks = Catalogue::of(&compat.engine).by_merit();
        edit::rank(&call, |route| ranks.get(route).copied()).await?;
        Ok((StatusCode::OK, whole(&call)))
    };
    answered(done.await, ids)
}

/// What is done to one route: `{route}/disable`, `{route}/enable` or `{route}/health/reset`. Names of models have slashes of
/// their own.
async fn act(
    State(compat): State<Compat>,
    Extension(ids): Extension<Ids>,
    route: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        // Whoever may not see the routes does not learn either which there are.
        may_see(&call).await?;
        let path = path::text(route)?;
        let shown = if let Some(route) = path.strip_suffix("/health/reset") {
            reset_health(&call, route).await?
        } else if let Some(route) = path.strip_suffix("/disable") {
            edit::disable(&call, route).await?
        } else if let Some(route) = path.strip_suffix("/enable") {
            edit::enable(&call, route).await?
        } else {
            let text = format!("There is nothing at `/v1/gateway/models/{path}`.");
            return Err(Refusal::new(Code::UnknownRoute, text).into());
        };
        Ok((StatusCode::OK, json!({ "data": shown })))
    };
    answered(done.await, ids)
}

async fn reset_health(call: &Call<'_>, route: &str) -> Result<Value, Problem> {
    let entry = find(call, route)?;
    let args = json!({ "connection": entry.connection.id, "model": entry.model });
    call.operation("reset_health", args).await?;
    Ok(shown(call, &find(call, route)?))
}

fn whole(call: &Call<'_>) -> Value {
    let catalogue = Catalogue::of(&call.compat.engine);
    let data: Vec<Value> = catalogue.entries.iter().map(|entry| shown(call, entry)).collect();
    json!({ "object": "list", "data": data })
}

fn shown(call: &Call<'_>, entry: &Entry) -> Value {
    entry.shown(&call.compat.engine, call.caller.may(Scope::ReadHealth))
}

/// The route of that id.
fn find(call: &Call<'_>, route: &str) -> Result<Entry, Problem> {
    let found = Catalogue::of(&call.compat.engine).entries.into_iter().find(|entry| entry.id() == route);
    found.ok_or_else(|| unknown(route))
}

fn unknown(route: &str) -> Problem {
    Refusal::new(Code::NotFound, format!("There is no route `{route}`.")).into()
}
