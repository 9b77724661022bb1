//! `/v1/providers/status`: the providers that there are connections at, whether they can be used, what of today's requests
//! went there, and their routes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    let midnight = now - now.rem_euclid(DAY);
    let mut rows = call.compat.receipts.recent(LOOKED_AT).await?;
    rows.retain(|row| row.at >= midnight);
    let mut providers: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for entry in Catalogue::of(engine).entries {
        providers.entry(entry.connection.provider.id.to_string()).or_default().push(entry);
    }
    let today = Today::of(&rows, now);
    let shown = providers.into_iter().map(|(name, routes)| {
        let mut provider = availability(call, &routes, now);
        let used = used(&routes, &today);
        let largest = routes.iter().filter_map(|entry| entry.connection.facts_of(&entry.model).context).max();
        let models: Vec<Value> = routes.iter().map(|entry| model(call, entry, &today)).collect();
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

/// What happened today, by where: looked up once for each route, and not looked for in every receipt.
#[derive(Default)]
struct Today<'a> {
    connections: HashMap<&'a str, Served>,
    /// Of a model on a connection.
    attempts: HashMap<(&'a str, &'a str), Tally>,
}

/// What a connection served.
#[derive(Default, Clone, Copy)]
struct Served {
    tokens: u64,
    requests: u64,
    this_minute: u64,
}

/// What attempts at a route came to.
#[derive(Default)]
struct Tally {
    successes: u64,
    failures: u64,
    rate_limits: u64,
    timeouts: u64,
    not_found: u64,
    input: u64,
    output: u64,
    last: Option<i64>,
    status: Option<u16>,
}

impl<'a> Today<'a> {
    fn of(rows: &'a [ReceiptRow], now: i64) -> Self {
        let mut today = Self::default();
        // The oldest first, so that what is said last is the latest.
        for row in rows.iter().rev() {
            if let Some(connection) = row.connection.as_deref() {
                let served = today.connections.entry(connection).or_default();
                served.tokens += row.input_tokens.unwrap_or_default() + row.output_tokens.unwrap_or_default();
                served.requests += 1;
                served.this_minute += u64::from(row.at > now - MINUTE);
            }
            for attempt in &row.detail.attempts {
                let place = (&*attempt.connection, &*attempt.model);
                let tally = today.attempts.entry(place).or_default();
                tally.add(row, attempt.status, attempt.fault.as_deref());
            }
        }
        today
    }
}

impl Tally {
    fn add(&mut self, row: &ReceiptRow, status: Option<u16>, fault: Option<&str>) {
        self.last = Some(row.at);
        self.status = status;
        let Some(fault) = fault else {
            self.successes += 1;
            self.input += row.input_tokens.unwrap_or_default();
            self.output += row.output_tokens.unwrap_or_default();
            return;
        };
        self.failures += 1;
        self.rate_limits += u64::from(fault == "rate_limited");
        self.timeouts += u64::from(fault.contains("time"));
        self.not_found += u64::from(fault.contains("not_found"));
    }
}

/// What the connections of these routes served together.
fn used(routes: &[Entry], today: &Today<'_>) -> Value {
    let connections: BTreeSet<&str> = routes.iter().map(|entry| &*entry.connection.id).collect();
    let served: Vec<Served> =
        connections.into_iter().filter_map(|id| today.connections.get(id).copied()).collect();
    json!({
        "tokens_used_today": served.iter().map(|one| one.tokens).sum::<u64>(),
        "requests_today": served.iter().map(|one| one.requests).sum::<u64>(),
        "requests_this_minute": served.iter().map(|one| one.this_minute).sum::<u64>(),
    })
}

/// A route with what attempts at it came to today.
fn model(call: &Call<'_>, entry: &Entry, today: &Today<'_>) -> Value {
    let mut shown = entry.shown(&call.compat.engine, true);
    let nothing = Tally::default();
    let tally = today.attempts.get(&(&*entry.connection.id, &*entry.model)).unwrap_or(&nothing);
    let usage = json!({
        "route_id": entry.id(),
        "total_events": tally.successes + tally.failures,
        "successes": tally.successes,
        "failures": tally.failures,
        "rate_limits": tally.rate_limits,
        "timeouts": tally.timeouts,
        "not_found": tally.not_found,
        "prompt_tokens": tally.input,
        "completion_tokens": tally.output,
        "total_tokens": tally.input + tally.output,
        "last_used_at": tally.last.map(|at| at / 1000),
        "last_status_code": tally.status,
    });
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("usage".to_owned(), usage);
    }
    shown
}
