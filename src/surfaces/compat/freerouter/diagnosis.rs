//! `/v1/gateway/endpoint-diagnosis`: what was found out about providers' models and waits for a person, as FreeRouter shows it. The
//! hub's own operations on suggestions do the work. Times are seconds since the Unix epoch.

use std::collections::BTreeMap;

use axum::{
    Extension, Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use http::StatusCode;
use operations::diagnosis::{
    ConnectionDiagnosed, DiagnosisReport, DiagnosisRun, SuggestionKind, SuggestionPage, SuggestionView,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    super::{Call, Compat, Problem, invalid, json as body_of},
    answered,
    catalogue::Entry,
};
use crate::{
    engine::{code::Code, refusal::Refusal},
    surfaces::front::Ids,
};

/// Who accepts suggestions where no person did.
const HUB: &str = "hub";

/// Most suggestions on a page of the operation.
const PAGE: u32 = 500;

/// Most suggestions that one call applies.
const AT_ONCE: usize = 500;

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
        let open = listed(&call, "open").await?;
        let accepted = listed(&call, "accepted").await?;
        let began = open.last_run.as_ref().map_or(i64::MAX, |run| run.began_at);
        let by_hub = accepted.suggestions.iter().filter(|one| {
            one.decided_by.as_deref() == Some(HUB) && one.decided_at.is_some_and(|at| at >= began)
        });
        let wanted = compat.engine.snapshot().settings.diagnosis;
        let shown = json!({
            "enabled": wanted.enabled,
            "auto_maintenance_enabled": wanted.enabled && wanted.safe_maintenance,
            "last_auto_applied": by_hub.map(|one| suggestion(&call, one)).collect::<Vec<_>>(),
            "last_report": open.last_run.as_ref().map(|run| report(&call, run, &open.suggestions)),
        });
        Ok((StatusCode::OK, shown))
    };
    answered(done.await, ids)
}

async fn refresh(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let done: DiagnosisReport = read(call.operation("diagnose_connections", json!({})).await?)?;
        Ok((StatusCode::OK, json!({ "data": report(&call, &done.run, &done.suggestions) })))
    };
    answered(done.await, ids)
}

/// Accepts suggestions in the order that is given, up to the first that cannot be.
async fn apply(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        let body = body_of(request).await?;
        let wanted = body.get("suggestion_ids").and_then(Value::as_array);
        let texts = wanted.map(|all| all.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let message =
            format!("The body must be `{{\"suggestion_ids\": [text, …]}}`, at most {AT_ONCE} of them.");
        let texts = texts.flatten().filter(|texts| texts.len() <= AT_ONCE);
        let mut applied = Vec::new();
        for id in texts.ok_or_else(|| invalid("suggestion_ids", &message))? {
            let accepted = call.operation("accept_suggestion", json!({ "suggestion": id })).await?;
            applied.push(suggestion(&call, &read(accepted)?));
        }
        Ok((StatusCode::OK, json!({ "data": applied })))
    };
    answered(done.await, ids)
}

/// All suggestions in a state. The hub keeps a few thousand at most.
async fn listed(call: &Call<'_>, state: &str) -> Result<SuggestionPage, Problem> {
    let mut all = SuggestionPage::default();
    loop {
        let args = json!({ "limit": PAGE, "state": state, "cursor": all.next_cursor });
        let page: SuggestionPage = read(call.operation("list_suggestions", args).await?)?;
        all.suggestions.extend(page.suggestions);
        (all.next_cursor, all.last_run) = (page.next_cursor, page.last_run);
        if all.next_cursor.is_none() {
            return Ok(all);
        }
    }
}

/// An operation's answer in its own type.
fn read<T: DeserializeOwned>(answer: Value) -> Result<T, Problem> {
    let unreadable = |_| Refusal::new(Code::Internal, "The hub's own answer could not be read.").into();
    serde_json::from_value(answer).map_err(unreadable)
}

/// A diagnosis, its connections put together by their providers.
fn report(call: &Call<'_>, run: &DiagnosisRun, open: &[SuggestionView]) -> Value {
    let mut providers: BTreeMap<&str, Vec<&ConnectionDiagnosed>> = BTreeMap::new();
    for one in &run.connections {
        providers.entry(&one.provider).or_default().push(one);
    }
    let shown = providers.into_iter().map(|(name, here)| {
        let sum = |count: fn(&ConnectionDiagnosed) -> u32| -> u64 {
            here.iter().map(|one| u64::from(count(one))).sum()
        };
        json!({
            "provider_name": name,
            "configured": true,
            "ok": here.iter().all(|one| one.works),
            "discovered_model_count": sum(|one| one.listed),
            "new_route_suggestion_count": sum(|one| one.new),
            "confirmed_route_count": sum(|one| one.known),
            "stale_route_suggestion_count": sum(|one| one.gone),
            "recovered_route_suggestion_count": sum(|one| one.back),
            "error": here.iter().find_map(|one| one.error.clone()),
        })
    });
    json!({
        "checked_at": run.ended_at / 1000,
        "providers": shown.collect::<Vec<_>>(),
        "suggestions": open.iter().map(|one| suggestion(call, one)).collect::<Vec<_>>(),
    })
}

fn suggestion(call: &Call<'_>, one: &SuggestionView) -> Value {
    let model = one.model.as_deref().unwrap_or_default();
    let snapshot = call.compat.engine.snapshot();
    let connection = snapshot.settings.connections.iter().find(|known| *known.id == *one.connection);
    let (action, title) = match one.kind {
        SuggestionKind::ModelNew => ("add_route", format!("Add {model} on {}", one.connection)),
        SuggestionKind::ModelGone => ("remove_route", format!("Hide {model} on {}", one.connection)),
        SuggestionKind::ModelBack => ("clear_health", format!("Use {model} on {} again", one.connection)),
        _ => ("update_endpoint", format!("Change how {} is reached", one.connection)),
    };
    // What would be in the catalogue, at the end of it.
    let route = connection
        .filter(|_| one.kind == SuggestionKind::ModelNew)
        .map(|connection| Entry::proposed(connection, model).shown(&call.compat.engine, false));
    let route_id = one
        .model
        .as_ref()
        .map_or_else(|| one.connection.clone(), |model| format!("{}/{model}", one.connection));
    json!({
        "suggestion_id": one.id,
        "action": action,
        "provider_name": connection.map(|connection| connection.provider.id.as_str()),
        "model_id": model,
        "route_id": route_id,
        "title": title,
        "details": one.seen,
        "route": route,
    })
}
