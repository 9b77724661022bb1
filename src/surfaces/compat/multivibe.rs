//! MultiVibe's `/admin`: aliases here, traces and statistics in the files below. Its key comes in `x-admin-token`: a key of
//! the hub that holds the scope, or `ADMIN_TOKEN`. Errors are `{"error": text}`.

mod stats;
mod traces;
mod whole;

use std::sync::Arc;

use axum::{
    Router,
    extract::{FromRequest, Path, Request, rejection::PathRejection},
    response::{IntoResponse, Response},
    routing::{get, patch},
};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use serde_json::{Map, Value, json};

use super::{Answer, Call, Compat, Problem, invalid, json as body_of, respond};
use crate::{
    engine::{caller::Caller, code::Code, refusal::Refusal},
    surfaces::{front::Ids, path},
};

const ADMIN_TOKEN: HeaderName = HeaderName::from_static("x-admin-token");
/// Most aliases on a page of the operation.
const PAGE: usize = 500;

pub(super) fn routes() -> Router<Compat> {
    Router::new()
        .route("/admin/model-aliases", get(list).post(create))
        .route("/admin/model-aliases/{id}", patch(update).delete(delete))
        .merge(traces::routes())
        .merge(stats::routes())
}

/// Brings the key to where the hub looks for it.
fn with_token(mut request: Request) -> Request {
    if let Some(token) = request.headers_mut().remove(ADMIN_TOKEN) {
        let bearer = [b"Bearer ", token.as_bytes()].concat();
        if let Ok(mut bearer) = HeaderValue::from_bytes(&bearer) {
            bearer.set_sensitive(true);
            request.headers_mut().remove("x-api-key");
            request.headers_mut().remove("x-goog-api-key");
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
    }
    request
}

fn answered(answer: Answer, ids: &Ids) -> Response {
    respond(answer, ids, |mut error| {
        let mut written = Map::new();
        written.insert("error".to_owned(), error.remove("message").unwrap_or_default());
        for name in ["code", "request_id"] {
            written.extend(error.remove(name).map(|value| (name.to_owned(), value)));
        }
        Value::Object(written)
    })
}

/// A call whose caller is known, read to its end.
struct Admin {
    compat: Compat,
    caller: Caller,
    ids: Ids,
    uri: Uri,
    body: Value,
}

impl FromRequest<Compat> for Admin {
    type Rejection = Response;

    async fn from_request(request: Request, compat: &Compat) -> Result<Self, Response> {
        let request = with_token(request);
        let missing = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
        let ids = request.extensions().get::<Ids>().cloned().ok_or_else(missing)?;
        let uri = request.uri().clone();
        let caller = match compat.call(&request, &ids) {
            Ok(call) => call.caller,
            Err(problem) => return Err(answered(Err(problem), &ids)),
        };
        match body_of(request).await {
            Ok(body) => Ok(Self { compat: compat.clone(), caller, ids, uri, body }),
            Err(problem) => Err(answered(Err(problem), &ids)),
        }
    }
}

impl Admin {
    fn call(&self) -> Call<'_> {
        Call { compat: &self.compat, caller: self.caller.clone(), id: Arc::clone(&self.ids.own) }
    }

    /// What was done, or the error, as MultiVibe writes it.
    fn told(&self, done: Result<Value, Problem>) -> Response {
        answered(done.map(|value| (StatusCode::OK, value)), &self.ids)
    }
}

async fn list(admin: Admin) -> Response {
    let aliases = all(&admin.call()).await;
    admin.told(aliases.map(|aliases| json!({ "modelAliases": aliases })))
}

async fn create(admin: Admin) -> Response {
    let made = made(&admin).await;
    admin.told(made.map(|made| json!({ "ok": true, "modelAlias": alias(&made) })))
}

async fn made(admin: &Admin) -> Result<Value, Problem> {
    let mut definition = fields(&admin.body)?;
    let id = text(&admin.body, "id").ok_or_else(|| invalid("id", "An alias needs an `id`."))?;
    if !definition.contains_key("targets") {
        return Err(invalid("targets", "An alias needs at least one target."));
    }
    definition.retain(|_, value| !value.is_null());
    admin.call().operation("put_alias", json!({ "id": id, "definition": definition })).await
}

async fn update(id: Result<Path<String>, PathRejection>, admin: Admin) -> Response {
    let changed = changed(id, &admin).await;
    admin.told(changed.map(|changed| json!({ "ok": true, "modelAlias": alias(&changed) })))
}

async fn changed(id: Result<Path<String>, PathRejection>, admin: &Admin) -> Result<Value, Problem> {
    let args = json!({ "id": path::text(id)?, "changes": fields(&admin.body)? });
    admin.call().operation("update_alias", args).await
}

async fn delete(id: Result<Path<String>, PathRejection>, admin: Admin) -> Response {
    let deleted = deleted(id, &admin).await;
    admin.told(deleted.map(|()| json!({ "ok": true })))
}

async fn deleted(id: Result<Path<String>, PathRejection>, admin: &Admin) -> Result<(), Problem> {
    admin.call().operation("delete_alias", json!({ "id": path::text(id)? })).await.map(drop)
}

/// Every alias, those of the file included.
async fn all(call: &Call<'_>) -> Result<Vec<Value>, Problem> {
    let mut aliases = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let mut page = call.operation("list_aliases", json!({ "limit": PAGE, "cursor": cursor })).await?;
        let items = page.get("items").and_then(Value::as_array).into_iter().flatten();
        aliases.extend(items.map(alias));
        cursor = page.get_mut("next_cursor").map(Value::take).unwrap_or_default();
        if cursor.is_null() {
            return Ok(aliases);
        }
    }
}

/// An alias as MultiVibe shows it.
fn alias(document: &Value) -> Value {
    let definition = document.get("definition");
    let field = |name: &str| definition.and_then(|definition| definition.get(name));
    let targets: Vec<Value> = match field("targets") {
        Some(Value::Array(targets)) => targets.iter().map(target).collect(),
        Some(one) => vec![target(one)],
        None => Vec::new(),
    };
    let mut alias = json!({
        "id": document.get("id"),
        "targets": targets,
        "enabled": field("enabled").and_then(Value::as_bool).unwrap_or(true),
    });
    if let (Some(alias), Some(description)) = (alias.as_object_mut(), field("description")) {
        alias.insert("description".to_owned(), description.clone());
    }
    alias
}

/// A target is a name there; here it may be a mapping around one.
fn target(target: &Value) -> Value {
    target.get("model").unwrap_or(target).clone()
}

fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// What a body says of an alias, in the hub's language. What is `null` or an empty text is to be taken away.
fn fields(body: &Value) -> Result<Map<String, Value>, Problem> {
    let body = body
        .as_object()
        .ok_or_else(|| Problem::from(Refusal::new(Code::InvalidJson, "The body must be a JSON object.")))?;
    let mut fields = Map::new();
    for (name, value) in body {
        match (name.as_str(), value) {
            ("id", _) => {}
            ("description", Value::String(text)) if text.trim().is_empty() => {
                fields.insert(name.clone(), Value::Null);
            }
            ("targets", Value::Array(targets)) if targets.is_empty() => {
                return Err(invalid("targets", "An alias needs at least one target."));
            }
            // What is not known is left to the operation, which says so.
            _ => {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(fields)
}
