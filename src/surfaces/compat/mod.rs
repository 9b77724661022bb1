//! The management calls of routers that the hub takes the place of, so that scripts and dashboards written for them go on
//! working. Each route is a translation: changes are operations, with their rights, checks and audit, and what is
//! shown is the hub's own state under the other's names. How those routers route is the engine's, and nothing here.
//!
//! | Calls | Of | Where |
//! |---|---|---|
//! | `GET`, `PUT /v1/gateway/models`; `POST …/reset`, `…/auto-rank`, `…/{route_id}/disable`, `…/enable`, `…/health/reset` | FreeRouter | `freerouter` |
//! | `GET /v1/gateway/endpoint-diagnosis`; `POST …/refresh`, `…/apply` | FreeRouter | `freerouter::diagnosis` |
//! | `GET /v1/providers/status` | FreeRouter | `freerouter::status` |
//! | `GET`, `POST /admin/model-aliases`; `PATCH`, `DELETE /admin/model-aliases/{id}` | MultiVibe | `multivibe` |
//! | `GET /admin/traces` by `page` and `pageSize`, or `limit` | MultiVibe | `multivibe::traces` |
//! | `GET /admin/stats/usage`, `/admin/stats/traces` | MultiVibe | `multivibe::stats` |
//!
//! What is the same and what differs is in docs/migrating.md.

mod freerouter;
mod multivibe;

use std::sync::Arc;

use axum::{Json, Router, body::Body, extract::Request, response::IntoResponse, response::Response};
use canon::Dialect;
use http::{HeaderValue, StatusCode, header};
use operations::Definition;
use serde_json::{Map, Value};

use super::{Handles, body, front::Ids, identify::Identify, operation::refused, render};
use crate::{
    engine::{Engine, caller::Caller, code::Code, refusal::Refusal},
    ops::{
        ports::{LogError, ReceiptLog, ReceiptRow},
        registry::{Asked, Registry},
    },
};

/// The largest body: a catalogue of thousands of routes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let compat = Compat {
        identify: identify.clone(),
        engine: Arc::clone(&handles.engine),
        operations: Arc::clone(&handles.operations),
        receipts: Arc::clone(&handles.receipts),
    };
    Router::new().merge(freerouter::routes()).merge(multivibe::routes()).with_state(compat)
}

/// What the handlers use.
#[derive(Clone)]
struct Compat {
    identify: Identify,
    engine: Arc<Engine>,
    operations: Arc<Registry>,
    receipts: Arc<dyn ReceiptLog>,
}

/// Why a call was not done.
#[derive(Debug)]
struct Problem(Box<Refusal>);

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self(Box::new(refusal))
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Self {
        Refusal::new(Code::Internal, format!("{error}.")).into()
    }
}

/// What a handler answers: a status and JSON.
type Answer = Result<(StatusCode, Value), Problem>;

/// A request whose caller is known.
struct Call<'a> {
    compat: &'a Compat,
    caller: Caller,
    id: Arc<str>,
}

impl Compat {
    /// Finds the caller.
    fn call(&self, request: &Request, ids: &Ids) -> Result<Call<'_>, Problem> {
        let caller = self.identify.caller(request)?;
        Ok(Call { compat: self, caller, id: Arc::clone(&ids.own) })
    }
}

impl Call<'_> {
    /// The latest receipts that the caller sees, newest first: of the last `look` that there are.
    async fn receipts(&self, look: u32) -> Result<Vec<ReceiptRow>, LogError> {
        let mut rows = self.compat.receipts.recent(look).await?;
        if !self.caller.sees_others() {
            rows.retain(|row| *row.caller == *self.caller.id);
        }
        Ok(rows)
    }

    /// Executes an operation.
    async fn operation(&self, name: &'static str, args: Value) -> Result<Value, Problem> {
        let missing = || Refusal::new(Code::NotFound, format!("There is no operation `{name}`."));
        let definition = Definition::named(name).ok_or_else(missing)?;
        let asked = Asked::new(self.caller.clone(), "rest", Some(Arc::clone(&self.id)));
        let called = self.compat.operations.call(asked, definition, args).await;
        called.map_err(|error| refused(&error).into())
    }
}

/// The body as JSON; none is an empty object.
async fn json(request: Request) -> Result<Value, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body, BODY_LIMIT).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        Refusal::new(Code::InvalidJson, format!("The body could not be read: {error}.")).into()
    })
}

/// An answer, or the error in the shape that `write` gives it from the hub's own error object.
fn respond(answer: Answer, ids: &Ids, write: fn(Map<String, Value>) -> Value) -> Response {
    let refusal = match answer {
        Ok((status, value)) => return (status, Json(value)).into_response(),
        Err(Problem(refusal)) => refusal,
    };
    let ids = Ids { dialect: Dialect::Chat, ..ids.clone() };
    let body = render::body(&refusal, &ids, false);
    let read = serde_json::from_slice::<Value>(&body).unwrap_or_default();
    let error = read.get("error").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut parts = render::refusal(&refusal, &ids, false).into_parts().0;
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(write(error).to_string()))
}

fn invalid(param: &'static str, message: &str) -> Problem {
    Refusal::new(Code::InvalidParameter, message).about(param).into()
}
