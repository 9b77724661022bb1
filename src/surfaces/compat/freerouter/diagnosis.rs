//! `/v1/gateway/endpoint-diagnosis`: what was found out about providers' models and waits for a person. The hub's own
//! operations on suggestions do the work; a hub without them says 501.

use axum::{
    Extension, Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::{
    super::{Compat, invalid, json as body_of},
    answered,
};
use crate::surfaces::front::Ids;

pub(super) fn routes() -> Router<Compat> {
    Router::new()
        .route("/v1/gateway/endpoint-diagnosis", get(show))
        .route("/v1/gateway/endpoint-diagnosis/refresh", post(refresh))
        .route("/v1/gateway/endpoint-diagnosis/apply", post(apply))
}

async fn show(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let suggestions = call.operation("list_suggestions", json!({})).await?;
        let enabled = call.operation("get_setting", json!({ "id": "diagnosis.enabled" })).await;
        let enabled = enabled.ok().and_then(|setting| setting.pointer("/definition/value").cloned());
        Ok((
            StatusCode::OK,
            json!({
                "enabled": enabled.unwrap_or(Value::Bool(false)),
                "auto_maintenance_enabled": false,
                "last_auto_applied": [],
                "last_report": suggestions,
            }),
        ))
    };
    answered(done.await, ids)
}

async fn refresh(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let report = call.operation("diagnose_connections", json!({})).await?;
        Ok((StatusCode::OK, json!({ "data": report })))
    };
    answered(done.await, ids)
}

async fn apply(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let body = body_of(request).await?;
        let wanted = body.get("suggestion_ids").and_then(Value::as_array);
        let texts = wanted.map(|all| all.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let message = "The body must be `{\"suggestion_ids\": [text, …]}`.";
        let texts = texts.flatten().ok_or_else(|| invalid("suggestion_ids", message))?;
        let mut applied = Vec::new();
        for id in texts {
            applied.push(call.operation("accept_suggestion", json!({ "suggestion": id })).await?);
        }
        Ok((StatusCode::OK, json!({ "data": applied })))
    };
    answered(done.await, ids)
}
