//! `/admin/stats`: sums over requests, by account, route, model and hour, under MultiVibe's names. Computed from the latest
//! receipts, to the millisecond; where there are older ones, which `truncated` says, from what `get_usage` sums up.

use std::collections::{BTreeMap, HashMap};

use axum::{Router, response::Response, routing::get};
use operations::Scope;
use serde_json::{Map, Value, json};

use super::{
    super::{Compat, Problem},
    Admin,
    traces::{Query, Range, is_error, path_of, route},
    whole::{self, Only},
};
use crate::{
    engine::{pipeline::Snapshot, policy},
    ops::ports::ReceiptRow,
};

/// As many receipts as one call looks at: a fraction of a second's work, and bounded however many are kept.
const LOOKED_AT: u32 = 10_000;
const HOUR: i64 = 3_600_000;

pub(super) fn routes() -> Router<Compat> {
    Router::new().route("/admin/stats/usage", get(usage)).route("/admin/stats/traces", get(traces))
}

async fn usage(admin: Admin) -> Response {
    let sums = sums(&admin).await;
    admin.told(sums)
}

async fn sums(admin: &Admin) -> Result<Value, Problem> {
    policy::require(&admin.caller, Scope::ReadUsage)?;
    let query = Query::of(&admin.uri);
    let range = query.range()?;
    let mut rows = admin.call().receipts(LOOKED_AT).await?;
    let truncated = is_truncated(&rows, range);
    rows.retain(|row| range.holds(row.at));
    let mut evaluated = rows.len() as u64;
    let (account, path) = (query.text("accountId"), query.text("route"));
    rows.retain(|row| {
        account.is_none_or(|account| row.connection.as_deref() == Some(account))
            && path.is_none_or(|path| route(row) == path)
    });
    let mut filters = filters(range);
    filters.extend(account.map(|account| ("accountId".to_owned(), account.into())));
    filters.extend(path.map(|path| ("route".to_owned(), path.into())));
    let snapshot = admin.compat.engine.snapshot();
    let mut matched = rows.len() as u64;
    let mut totals = Value::Object(Sum::of(rows.iter()).written());
    let mut by_account = by_account(&rows, &snapshot);
    let by_route = grouped(&rows, route).into_iter().map(|(path, sum)| named("route", path, &sum));
    let mut by_route: Vec<Value> = by_route.collect();
    if truncated {
        // The latest receipts are a part of it. What was summed up by the hour knows the rest.
        let only = Only { range, account, path };
        let accounts = whole::usage(&admin.call(), "connection", only).await?;
        let routes = whole::usage(&admin.call(), "route", only).await?;
        matched = accounts.total.requests;
        let everything = Only { account: None, path: None, ..only };
        evaluated = whole::usage(&admin.call(), "outcome", everything).await?.total.requests;
        whole::lay_over(&mut totals, &accounts.total);
        whole::lay_over_groups(&mut by_account, "accountId", &accounts.groups, |name| match name {
            "" => "unknown".to_owned(),
            name => name.to_owned(),
        });
        whole::lay_over_groups(&mut by_route, "route", &routes.groups, |name| path_of(name).to_owned());
    }
    Ok(json!({
        "ok": true,
        "filters": filters,
        "totals": totals,
        "byAccount": by_account,
        "byRoute": by_route,
        "bySession": [],
        "tracesEvaluated": evaluated,
        "tracesMatched": matched,
        "truncated": truncated,
    }))
}

async fn traces(admin: Admin) -> Response {
    let totals = totals(&admin).await;
    admin.told(totals)
}

async fn totals(admin: &Admin) -> Result<Value, Problem> {
    policy::require(&admin.caller, Scope::ReadUsage)?;
    let range = Query::of(&admin.uri).range()?;
    let mut rows = admin.call().receipts(LOOKED_AT).await?;
    let truncated = is_truncated(&rows, range);
    let seen = rows.len() as u64;
    let stored = if admin.caller.sees_others() { admin.compat.receipts.count().await? } else { seen };
    rows.retain(|row| range.holds(row.at));
    let mut stats = trace_stats(&rows);
    let mut matched = rows.len() as u64;
    if truncated {
        let only = Only { range, account: None, path: None };
        let models = whole::usage(&admin.call(), "model", only).await?;
        let hours = whole::usage(&admin.call(), "hour", only).await?;
        matched = models.total.requests;
        stats = whole::trace_stats(&stats, &models, &hours);
    }
    Ok(json!({
        "ok": true,
        "filters": filters(range),
        "totalStored": stored,
        "matched": matched,
        "stats": stats,
        "truncated": truncated,
    }))
}

/// Whether older receipts may belong to the range too.
fn is_truncated(rows: &[ReceiptRow], range: Range) -> bool {
    let full = rows.len() >= usize::try_from(LOOKED_AT).unwrap_or(usize::MAX);
    full && rows.last().is_some_and(|oldest| range.since.is_none_or(|since| since < oldest.at))
}

fn filters(range: Range) -> Map<String, Value> {
    let bounds = [("sinceMs", range.since), ("untilMs", range.until)];
    bounds.into_iter().filter_map(|(name, at)| Some((name.to_owned(), at?.into()))).collect()
}

fn by_account(rows: &[ReceiptRow], snapshot: &Snapshot) -> Vec<Value> {
    let account = |row: &ReceiptRow| row.connection.clone().unwrap_or_else(|| "unknown".to_owned());
    let sums = grouped(rows, account).into_iter().map(|(id, sum)| {
        let known = snapshot.settings.connections.iter().find(|connection| *connection.id == *id);
        let provider = known.map(|connection| connection.provider.id.as_str());
        let about = match provider {
            Some(provider) => json!({ "id": id, "provider": provider, "enabled": true }),
            None => json!({ "id": id }),
        };
        let mut group = named("accountId", id, &sum);
        if let Some(group) = group.as_object_mut() {
            group.insert("account".to_owned(), about);
        }
        group
    });
    sums.collect()
}

fn named(name: &str, value: impl Into<Value>, sum: &Sum) -> Value {
    let mut group = Map::new();
    group.insert(name.to_owned(), value.into());
    group.extend(sum.written());
    Value::Object(group)
}

/// Groups, the largest first.
fn grouped<'a, K: Ord + Clone>(rows: &'a [ReceiptRow], key: impl Fn(&'a ReceiptRow) -> K) -> Vec<(K, Sum)> {
    let mut groups: BTreeMap<K, Vec<&ReceiptRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(key(row)).or_default().push(row);
    }
    let mut sums: Vec<(K, Sum)> =
        groups.into_iter().map(|(key, rows)| (key, Sum::of(rows.into_iter()))).collect();
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.requests));
    sums
}

/// What several requests come to.
#[derive(Default)]
struct Sum {
    requests: u64,
    errors: u64,
    stream: u64,
    latency: u64,
    latencies: Vec<u32>,
    with_usage: u64,
    prompt: u64,
    completion: u64,
    cost: f64,
    statuses: HashMap<u16, u64>,
    first: Option<i64>,
    last: Option<i64>,
}

impl Sum {
    fn of<'a>(rows: impl Iterator<Item = &'a ReceiptRow>) -> Self {
        let mut sum = Self::default();
        for row in rows {
            sum.requests += 1;
            sum.errors += u64::from(is_error(row));
            sum.stream += u64::from(row.detail.stream);
            sum.latency += u64::from(row.total_ms);
            sum.latencies.push(row.total_ms);
            sum.with_usage += u64::from(row.input_tokens.is_some() || row.output_tokens.is_some());
            sum.prompt += row.input_tokens.unwrap_or_default();
            sum.completion += row.output_tokens.unwrap_or_default();
            sum.cost += row.cost.map_or(0.0, |cost| cost.dollars());
            *sum.statuses.entry(row.status).or_default() += 1;
            sum.first = Some(sum.first.map_or(row.at, |first| first.min(row.at)));
            sum.last = Some(sum.last.map_or(row.at, |last| last.max(row.at)));
        }
        sum.latencies.sort_unstable();
        sum
    }

    /// The latency that a share of the requests does not exceed.
    fn percentile(&self, percent: usize) -> u32 {
        let place = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        self.latencies.get(place).copied().unwrap_or_default()
    }

    fn written(&self) -> Map<String, Value> {
        let percent = |part: u64| rounded(part as f64 * 100.0, self.requests);
        let statuses: BTreeMap<String, u64> =
            self.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect();
        let ok = self.requests - self.errors;
        let written = json!({
            "requests": self.requests,
            "ok": ok,
            "errors": self.errors,
            "successRate": percent(ok),
            "stream": self.stream,
            "streamingRate": percent(self.stream),
            "latencyMsTotal": self.latency,
            "avgLatencyMs": rounded(self.latency as f64, self.requests),
            "requestsWithUsage": self.with_usage,
            "tokens": {
                "prompt": self.prompt,
                "completion": self.completion,
                "total": self.prompt + self.completion,
            },
            "statusCounts": statuses,
        });
        let mut written = written.as_object().cloned().unwrap_or_default();
        for (name, at) in [("firstAt", self.first), ("lastAt", self.last)] {
            written.extend(at.map(|at| (name.to_owned(), at.into())));
        }
        written
    }
}

/// A mean with two digits; 0 of nothing.
fn rounded(sum: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { (sum / count as f64 * 100.0).round() / 100.0 }
}

/// Totals, models and hours of requests.
pub(super) fn trace_stats(rows: &[ReceiptRow]) -> Value {
    let tokens = |sum: &Sum| {
        json!({
            "tokensInput": sum.prompt,
            "tokensOutput": sum.completion,
            "tokensTotal": sum.prompt + sum.completion,
            "costUsd": sum.cost,
        })
    };
    let with = |mut fields: Value, more: Value| {
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
        }
        fields
    };
    let all = Sum::of(rows.iter());
    let share = if all.requests == 0 { 0.0 } else { all.errors as f64 / all.requests as f64 };
    let mean = rounded(all.latency as f64, all.requests);
    let totals = json!({
        "requests": all.requests, "errors": all.errors, "errorRate": share, "latencyAvgMs": mean,
    });
    let models = grouped(rows, |row| row.model.clone()).into_iter();
    let models =
        models.map(|(model, sum)| with(json!({ "model": model, "count": sum.requests }), tokens(&sum)));
    let mut hours = grouped(rows, |row| row.at - row.at.rem_euclid(HOUR));
    hours.sort_by_key(|(at, _)| *at);
    let hours = hours.into_iter().map(|(at, sum)| {
        let hour = json!({
            "at": at,
            "requests": sum.requests,
            "errors": sum.errors,
            "latencyP50Ms": sum.percentile(50),
            "latencyP95Ms": sum.percentile(95),
        });
        with(hour, tokens(&sum))
    });
    json!({
        "totals": with(totals, tokens(&all)),
        "models": models.collect::<Vec<_>>(),
        "timeseries": hours.collect::<Vec<_>>(),
    })
}
