//! `/v1/providers/status`: the providers that there are connections at, whether they can be used, what of today's requests
//! went there, and their routes.

use std::collections::BTreeMap;

use axum::{
    Extension, Router,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use http::StatusCode;
use operations::Scope;
use serde_json::{Value, json};

use super::{
    super::{Call, Compat, Problem},
    answered,
    catalogue::{Catalogue, Entry},
    may_see,
};
use crate::{
    engine::{health::Standing, policy},
    ops::ports::ReceiptRow,
    surfaces::front::Ids,
};

/// As many receipts as one call looks at for what happened today.
const LOOKED_AT: u32 = 10_000;
const DAY: i64 = 86_400_000;
const MINUTE: i64 = 60_000;

pub(super) fn routes() -> Router<Compat> {
    Router::new().route("/v1/providers/status", get(status))
}

async fn status(State(compat): State<Compat>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    let (compat, ids) = (&compat, &ids);
    let done = async move {
        let call = compat.call(&request, ids)?;
        may_see(&call).await?;
        policy::require(&call.caller, Scope::ReadHealth)?;
        Ok((StatusCode::OK, json!({ "object": "list", "data": providers(&call).await? })))
    };
    answered(done.await, ids)
}

async fn providers(call: &Call<'_>) -> Result<Vec<Value>, Problem> {
    let engine = &call.compat.engine;
    let now = engine.clock().now();
    let today = now - now.rem_euclid(DAY);
    let mut rows = call.compat.receipts.recent(LOOKED_AT).await?;
    rows.retain(|row| row.at >= today);
    let mut providers: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in Catalogue::of(engine).entries {
        providers.entry(entry.connection.provider.id.to_string()).or_default().push(entry);
    }
    let shown = providers.into_iter().map(|(name, routes)| {
        let mut provider = availability(call, &routes, now);
        let used = used(&routes, &rows, now);
        let largest = routes.iter().filter_map(|entry| entry.connection.facts_of(&entry.model).context).max();
        let models: Vec<Value> = routes.iter().map(|entry| model(call, entry, &rows)).collect();
        if let (Some(provider), Some(used)) = (provider.as_object_mut(), used.as_object()) {
            provider.insert("name".to_owned(), name.into());
            provider.insert("configured".to_owned(), true.into());
            provider.extend(used.clone());
            provider.insert("max_context_tokens".to_owned(), json!(largest));
            provider.insert("models".to_owned(), models.into());
        }
        provider
    });
    Ok(shown.collect())
}

/// Whether one of the routes can be used; if none can, why and until when the first cannot.
fn availability(call: &Call<'_>, routes: &[Entry], now: i64) -> Value {
    let engine = &call.compat.engine;
    let (health, quota) = (engine.health().view(), engine.quota().view());
    let closed = |entry: &Entry| match health.standing(&entry.connection, &entry.model) {
        Standing::Cooling(why) => Some((why.until, why.message.to_string())),
        _ => quota
            .blocked(&entry.connection, &entry.model)
            .map(|window| (window.until, format!("the window `{}` is used up", window.window))),
    };
    let closed: Option<Vec<(i64, String)>> = routes.iter().map(closed).collect();
    let first = closed.and_then(|all| all.into_iter().min_by_key(|(until, _)| *until));
    let (until, reason) = first.unzip();
    json!({
        "available": until.is_none(),
        "unavailable_reason": reason,
        "retry_after_seconds": until.map(|until| (until - now).max(0).div_euclid(1000) + 1),
        "cooldown_until": until.map_or(0, |until| until / 1000),
    })
}

fn used(routes: &[Entry], rows: &[ReceiptRow], now: i64) -> Value {
    let here = |row: &&ReceiptRow| {
        let served = row.connection.as_deref();
        routes.iter().any(|entry| Some(&*entry.connection.id) == served)
    };
    let tokens =
        |row: &ReceiptRow| row.input_tokens.unwrap_or_default() + row.output_tokens.unwrap_or_default();
    json!({
        "tokens_used_today": rows.iter().filter(here).map(tokens).sum::<u64>(),
        "requests_today": rows.iter().filter(here).count(),
        "requests_this_minute": rows.iter().filter(here).filter(|row| row.at > now - MINUTE).count(),
    })
}

/// A route with what attempts at it came to today.
fn model(call: &Call<'_>, entry: &Entry, rows: &[ReceiptRow]) -> Value {
    let mut shown = entry.shown(&call.compat.engine, true);
    let (mut successes, mut failures, mut limits, mut timeouts, mut missing) =
        (0_u64, 0_u64, 0_u64, 0_u64, 0_u64);
    let (mut input, mut output, mut last, mut status) = (0_u64, 0_u64, None::<i64>, None::<u16>);
    // The oldest first, so that what is said last is the latest.
    for row in rows.iter().rev() {
        for attempt in &row.detail.attempts {
            if *attempt.connection != *entry.connection.id || *attempt.model != *entry.model {
                continue;
            }
            last = Some(row.at);
            status = attempt.status;
            let Some(fault) = &attempt.fault else {
                successes += 1;
                input += row.input_tokens.unwrap_or_default();
                output += row.output_tokens.unwrap_or_default();
                continue;
            };
            failures += 1;
            limits += u64::from(fault == "rate_limited");
            timeouts += u64::from(fault.contains("time"));
            missing += u64::from(fault.contains("not_found"));
        }
    }
    let usage = json!({
        "route_id": entry.id(),
        "total_events": successes + failures,
        "successes": successes,
        "failures": failures,
        "rate_limits": limits,
        "timeouts": timeouts,
        "not_found": missing,
        "prompt_tokens": input,
        "completion_tokens": output,
        "total_tokens": input + output,
        "last_used_at": last.map(|at| at / 1000),
        "last_status_code": status,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("usage".to_owned(), usage);
    }
    shown
}
