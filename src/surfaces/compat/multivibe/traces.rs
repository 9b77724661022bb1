//! `/admin/traces`: the last thousand requests, as MultiVibe keeps them, by the page or (`limit`) at once. Prompts and answers
//! are not among them.

use std::collections::HashMap;

use axum::{Router, response::Response, routing::get};
use http::Uri;
use operations::Scope;
use serde_json::{Value, json};

use super::{
    super::{Compat, Problem, invalid},
    Admin,
    stats::trace_stats,
};
use crate::{engine::policy, ops::ports::ReceiptRow};

/// As many as MultiVibe keeps.
const KEPT: u32 = 1000;
/// Most on a page, and as many as there are when nothing is said.
const MAX_PAGE: usize = 100;

pub(super) fn routes() -> Router<Compat> {
    Router::new().route("/admin/traces", get(list))
}

/// The parameters of a query. Of those that are given twice, the last one counts.
pub(super) struct Query(HashMap<String, String>);

impl Query {
    pub(super) fn of(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(pairs.into_owned().collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| invalid(name, &format!("`{name}` must be a whole number.")));
        number.map(Some)
    }

    /// `sinceMs` and `untilMs`.
    pub(super) fn range(&self) -> Result<Range, Problem> {
        Ok(Range { since: self.number("sinceMs")?, until: self.number("untilMs")? })
    }
}

/// From when until when, both included.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub(super) since: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Range {
    pub(super) fn holds(self, at: i64) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
    }
}

async fn list(admin: Admin) -> Response {
    let traces = traces(&admin).await;
    admin.told(traces)
}

async fn traces(admin: &Admin) -> Result<Value, Problem> {
    policy::require(&admin.caller, Scope::ReadTraces)?;
    let query = Query::of(&admin.uri);
    let rows = admin.call().receipts(KEPT).await?;
    let paged = query.text("page").is_some() || query.text("pageSize").is_some();
    match query.number("limit")?.filter(|_| !paged) {
        Some(limit) => Ok(at_once(&rows, limit)),
        None => page(rows, &query),
    }
}

/// The older form: the last ones, oldest first.
fn at_once(rows: &[ReceiptRow], limit: i64) -> Value {
    let limit = usize::try_from(limit.max(1)).unwrap_or(usize::MAX);
    let mut traces: Vec<Value> = rows.iter().take(limit).map(trace).collect();
    traces.reverse();
    json!({ "traces": traces })
}

fn page(mut rows: Vec<ReceiptRow>, query: &Query) -> Result<Value, Problem> {
    let range = query.range()?;
    rows.retain(|row| range.holds(row.at));
    let whole = |number: i64| usize::try_from(number.max(1)).unwrap_or(usize::MAX);
    let page = query.number("page")?.map_or(1, whole);
    let size = query.number("pageSize")?.map_or(MAX_PAGE, whole).min(MAX_PAGE);
    let total = rows.len();
    let pages = total.div_ceil(size).max(1);
    let traces: Vec<Value> =
        rows.iter().skip((page - 1).saturating_mul(size)).take(size).map(trace).collect();
    Ok(json!({
        "traces": traces,
        "pagination": {
            "page": page,
            "pageSize": size,
            "total": total,
            "totalPages": pages,
            "hasPrev": page > 1,
            "hasNext": page < pages,
        },
        "stats": trace_stats(&rows),
    }))
}

/// A request as MultiVibe shows it. What is not known is left out.
fn trace(row: &ReceiptRow) -> Value {
    let mut trace = json!({
        "id": row.id,
        "at": row.at,
        "route": route(row),
        "model": row.model,
        "status": row.status,
        "isError": is_error(row),
        "stream": row.detail.stream,
        "latencyMs": row.total_ms,
    });
    let Some(fields) = trace.as_object_mut() else { return trace };
    let mut put = |name: &str, value: Option<Value>| {
        fields.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("accountId", row.connection.clone().map(Value::from));
    put("error", row.detail.error.clone().map(Value::from));
    let failed = row.detail.attempts.iter().rev().find_map(|attempt| attempt.message.clone());
    put("upstreamError", failed.map(Value::from));
    put("costUsd", row.cost.map(|cost| cost.dollars().into()));
    put("tokensInput", row.input_tokens.map(Value::from));
    put("tokensOutput", row.output_tokens.map(Value::from));
    if row.input_tokens.is_some() || row.output_tokens.is_some() {
        let (input, output) = (row.input_tokens.unwrap_or_default(), row.output_tokens.unwrap_or_default());
        put("tokensTotal", Some((input + output).into()));
        let usage =
            json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output });
        put("usage", Some(usage));
    }
    trace
}

pub(super) fn is_error(row: &ReceiptRow) -> bool {
    row.status >= 400
}

/// The path that the client asked.
pub(super) fn route(row: &ReceiptRow) -> &str {
    path_of(&row.detail.dialect)
}

/// The path that a client of this dialect asks.
pub(super) fn path_of(dialect: &str) -> &str {
    match dialect {
        "chat" => "/v1/chat/completions",
        "responses" => "/v1/responses",
        "messages" => "/v1/messages",
        "gemini" => "/v1beta/models",
        other => other,
    }
}
