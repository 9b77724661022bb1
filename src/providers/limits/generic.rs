//! Names that no vendor owns: `x-ratelimit-{limit,remaining,reset}`, and the IETF's draft on rate limits in its older form
//! (`ratelimit-remaining`) and its newer one (`ratelimit: "name";r=5;t=30`).

use super::{Headers, left_of, reading};
use crate::engine::{
    ports::Reading,
    settings::{Span, Unit},
};

pub(super) fn read(headers: &Headers<'_>, found: &mut Vec<Reading>) {
    for (limit, remaining, reset) in [
        ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    ] {
        // The draft's limit may be followed by its policies: `100, 100;w=60`.
        let limit = headers.text(limit).and_then(|text| text.split([',', ';']).next()?.trim().parse().ok());
        let left = headers.number(remaining);
        let Some((limit, used)) = left.and_then(|left| left_of(limit, left)) else { continue };
        let resets_at = headers.reset(reset);
        found.push(Reading { limit, used, resets_at, ..reading("requests", Some(Unit::Requests), None) });
        return;
    }
    found.extend(structured(headers));
}

/// The first window of the newer form, with its policy.
fn structured(headers: &Headers<'_>) -> Option<Reading> {
    let window = headers.text("ratelimit")?.split(',').next()?;
    let (left, seconds) = (parameter(window, "r")?, parameter(window, "t"));
    let name = window.split(';').next()?.trim();
    let policies = headers.text("ratelimit-policy").unwrap_or_default();
    let policy =
        policies.split(',').find(|policy| policy.split(';').next().is_some_and(|it| it.trim() == name));
    let limit = policy.and_then(|policy| parameter(policy, "q"));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be within the range"
    )]
    let span = policy
        .and_then(|policy| parameter(policy, "w"))
        .filter(|seconds| (1.0..=31.0 * 86_400.0).contains(seconds))
        .map(|seconds| Span::Seconds(seconds as u32));
    let (limit, used) = left_of(limit, left)?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    let resets_at = seconds.map(|seconds| headers.now.saturating_add((seconds * 1000.0) as i64));
    Some(Reading { limit, used, resets_at, ..reading("requests", Some(Unit::Requests), span) })
}

/// A parameter of a structured field's item.
fn parameter(item: &str, name: &str) -> Option<f64> {
    let value = item.split(';').skip(1).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))?;
    value.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}
