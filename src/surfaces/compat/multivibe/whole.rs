//! The whole history behind statistics, from `get_usage`: laid over what the latest receipts tell, for the fields that it knows.
//! Of streams, single statuses, sums of latencies and first and last times only the latest receipts tell.

use operations::usage::{UsageGroup, UsageReport};
use serde_json::{Map, Value, json};

use super::{
    super::{Call, Problem},
    traces::{Range, path_of},
};
use crate::engine::{code::Code, refusal::Refusal};

/// Most groups of the operation.
const GROUPS: u32 = 5000;

/// The dialects of which `get_usage` tells apart what came in.
const DIALECTS: [&str; 4] = ["chat", "responses", "messages", "gemini"];

/// What is to be summed up.
#[derive(Clone, Copy)]
pub(super) struct Only<'a> {
    pub(super) range: Range,
    pub(super) account: Option<&'a str>,
    /// The path of a dialect.
    pub(super) path: Option<&'a str>,
}

/// Sums by `group`. The operation checks the right and covers whole hours.
pub(super) async fn usage(call: &Call<'_>, group: &str, only: Only<'_>) -> Result<UsageReport, Problem> {
    let mut args =
        json!({ "group_by": group, "since_at": only.range.since.unwrap_or(0).max(0), "limit": GROUPS });
    if let Some(args) = args.as_object_mut() {
        let until = only.range.until.map(|until| until.saturating_add(1).max(0));
        args.extend(until.map(|until| ("until_at".to_owned(), until.into())));
        args.extend(only.account.map(|account| ("connection".to_owned(), account.into())));
        // A path that is none of a dialect's has no usage: its own name is asked for, and found nowhere.
        let dialect =
            |path: &str| DIALECTS.into_iter().find(|dialect| path_of(dialect) == path).map(str::to_owned);
        args.extend(
            only.path.map(|path| ("route".to_owned(), dialect(path).unwrap_or(path.to_owned()).into())),
        );
    }
    let answer = call.operation("get_usage", args).await?;
    let unreadable = |_| Refusal::new(Code::Internal, "The hub's own answer could not be read.").into();
    serde_json::from_value(answer).map_err(unreadable)
}

/// Puts what is known of all requests in place of what the latest tell.
pub(super) fn lay_over(sum: &mut Value, group: &UsageGroup) {
    let ok = group.requests.saturating_sub(group.errors);
    let rate = if group.requests == 0 {
        0.0
    } else {
        (ok as f64 * 10_000.0 / group.requests as f64).round() / 100.0
    };
    let known = json!({
        "requests": group.requests,
        "ok": ok,
        "errors": group.errors,
        "successRate": rate,
        "tokens": {
            "prompt": group.input_tokens,
            "completion": group.output_tokens,
            "total": group.input_tokens.saturating_add(group.output_tokens),
        },
    });
    if let (Some(sum), Value::Object(known)) = (sum.as_object_mut(), known) {
        sum.extend(known);
    }
}

/// The same of groups; those that the latest receipts do not know have only what is known of all. The largest comes first.
pub(super) fn lay_over_groups(
    groups: &mut Vec<Value>,
    key: &str,
    all: &[UsageGroup],
    name: impl Fn(&str) -> String,
) {
    for group in all {
        let name = name(&group.name);
        let at = groups.iter().position(|known| known.get(key).and_then(Value::as_str) == Some(&*name));
        let at = at.unwrap_or_else(|| {
            let fresh: Map<String, Value> = [(key.to_owned(), name.into())].into_iter().collect();
            groups.push(Value::Object(fresh));
            groups.len() - 1
        });
        if let Some(known) = groups.get_mut(at) {
            lay_over(known, group);
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.get("requests").and_then(Value::as_u64)));
}

/// Totals, models and hours of all requests. `latest` is what the latest receipts tell.
pub(super) fn trace_stats(latest: &Value, models: &UsageReport, hours: &UsageReport) -> Value {
    let tokens = |group: &UsageGroup| {
        json!({
            "tokensInput": group.input_tokens,
            "tokensOutput": group.output_tokens,
            "tokensTotal": group.input_tokens.saturating_add(group.output_tokens),
            "costUsd": group.cost_usd.unwrap_or_default(),
        })
    };
    let with = |mut fields: Value, more: Value| {
        if let (Some(fields), Value::Object(more)) = (fields.as_object_mut(), more) {
            fields.extend(more);
        }
        fields
    };
    let total = &models.total;
    let share = if total.requests == 0 { 0.0 } else { total.errors as f64 / total.requests as f64 };
    let totals = json!({ "requests": total.requests, "errors": total.errors, "errorRate": share });
    let latest = latest.get("totals").cloned().unwrap_or_default();
    let models = models.groups.iter();
    let models = models.map(|one| with(json!({ "model": one.name, "count": one.requests }), tokens(one)));
    let hours = hours.groups.iter().map(|one| {
        let took = one.total_ms.unwrap_or_default();
        let hour = json!({
            "at": one.name.parse::<i64>().unwrap_or_default(),
            "requests": one.requests,
            "errors": one.errors,
            "latencyP50Ms": took.p50,
            "latencyP95Ms": took.p95,
        });
        with(hour, tokens(one))
    });
    json!({
        "totals": with(with(latest, totals), tokens(total)),
        "models": models.collect::<Vec<_>>(),
        "timeseries": hours.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, requests: u64, errors: u64) -> UsageGroup {
        UsageGroup {
            name: name.to_owned(),
            requests,
            errors,
            input_tokens: 10,
            output_tokens: 5,
            ..UsageGroup::default()
        }
    }

    #[test]
    fn what_is_known_of_all_takes_the_place_of_what_the_latest_tell() {
        let mut groups = vec![
            json!({"accountId": "a", "requests": 2, "stream": 1}),
            json!({"accountId": "b", "requests": 1}),
        ];
        lay_over_groups(&mut groups, "accountId", &[group("a", 3, 1), group("c", 40, 0)], str::to_owned);
        let told: Vec<_> =
            groups.iter().map(|one| (one["accountId"].as_str(), one["requests"].as_u64())).collect();
        assert_eq!(told, [(Some("c"), Some(40)), (Some("a"), Some(3)), (Some("b"), Some(1))]);
        assert_eq!((&groups[1]["stream"], &groups[1]["successRate"]), (&json!(1), &json!(66.67)));
        assert_eq!(groups[1]["tokens"]["total"], 15);
    }

    #[test]
    fn hours_and_models_are_those_of_all() {
        let report = |groups: Vec<UsageGroup>| UsageReport {
            total: group("", 43, 1),
            groups,
            ..UsageReport::default()
        };
        let latest = json!({"totals": {"requests": 2, "latencyAvgMs": 7.0}});
        let told =
            trace_stats(&latest, &report(vec![group("m", 43, 1)]), &report(vec![group("3600000", 43, 1)]));
        assert_eq!((&told["totals"]["requests"], &told["totals"]["latencyAvgMs"]), (&json!(43), &json!(7.0)));
        assert_eq!(
            (&told["models"][0]["count"], &told["timeseries"][0]["at"]),
            (&json!(43), &json!(3_600_000))
        );
    }
}
