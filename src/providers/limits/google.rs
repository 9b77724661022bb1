//! Google's `QuotaFailure`: the quotas that a refusal is about, by ids such as
//! `GenerateRequestsPerDayPerProjectPerModel-FreeTier`. The delay beside it (`RetryInfo`) is meant for quotas of a minute;
//! those of a day begin anew at midnight in California.

use serde::Deserialize;

use super::reading;
use crate::engine::{
    ports::Reading,
    settings::{Span, Unit, calendar},
};

const MINUTE: i64 = 60_000;

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    /// As streams without `alt=sse` send it.
    Many(Vec<One>),
    One(One),
}

#[derive(Deserialize)]
struct One {
    error: Error,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    violations: Vec<Violation>,
}

#[derive(Deserialize)]
struct Violation {
    #[serde(default, rename = "quotaId")]
    id: String,
    #[serde(default, rename = "quotaValue")]
    value: Option<String>,
}

/// The windows that a refusal names.
pub(super) fn read(body: &[u8], now: i64) -> Vec<Reading> {
    let Ok(decoded) = serde_json::from_slice::<Body>(body) else { return Vec::new() };
    let error = match decoded {
        Body::One(one) => Some(one.error),
        Body::Many(many) => many.into_iter().next().map(|one| one.error),
    };
    let delay = gemini::fault::retry_delay(body).and_then(|delay| i64::try_from(delay.as_millis()).ok());
    let violations = error.into_iter().flat_map(|error| error.details).flat_map(|detail| detail.violations);
    violations.filter_map(|violation| window(&violation, delay, now)).collect()
}

fn window(violation: &Violation, delay: Option<i64>, now: i64) -> Option<Reading> {
    let id = violation.id.as_str();
    let (daily, tokens) = (id.contains("PerDay"), id.contains("Token"));
    if !daily && !id.contains("PerMinute") {
        return None;
    }
    let (name, span, ends) = match (daily, tokens) {
        (true, false) => ("requests a day", Span::DAY, calendar::next_pacific_midnight(now)),
        (true, true) => ("tokens a day", Span::DAY, calendar::next_pacific_midnight(now)),
        (false, false) => ("requests a minute", Span::MINUTE, now + delay.unwrap_or(MINUTE)),
        (false, true) => ("tokens a minute", Span::MINUTE, now + delay.unwrap_or(MINUTE)),
    };
    let unit = if tokens { Unit::Tokens } else { Unit::Requests };
    Some(Reading {
        of_model: id.contains("PerModel"),
        limit: violation.value.as_deref().and_then(|value| value.parse().ok()),
        used: 1.0,
        resets_at: Some(ends),
        exhausted: true,
        ..reading(name, Some(unit), Some(span))
    })
}
