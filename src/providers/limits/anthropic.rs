//! `anthropic-ratelimit-*`. Those of API keys are buckets of the model's class; those of subscriptions (`unified`) are
//! shares of five hours and of seven days. Further unified windows are about some models of which nobody says which, and
//! about money on top: they are left alone.

use super::{Headers, left_of, reading};
use crate::engine::{
    ports::Reading,
    settings::{Span, Unit},
};

/// A bucket's name, its headers, and its unit.
const BUCKETS: [(&str, [&str; 3], Unit); 4] = [
    (
        "requests",
        [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
        Unit::Requests,
    ),
    (
        "tokens",
        [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
        Unit::Tokens,
    ),
    (
        "input tokens",
        [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
        Unit::Tokens,
    ),
    (
        "output tokens",
        [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
        Unit::Tokens,
    ),
];

/// A share's name, its headers, and its span.
const SHARES: [(&str, [&str; 2], Span); 2] = [
    (
        "5h",
        ["anthropic-ratelimit-unified-5h-utilization", "anthropic-ratelimit-unified-5h-reset"],
        Span::FIVE_HOURS,
    ),
    (
        "week",
        ["anthropic-ratelimit-unified-7d-utilization", "anthropic-ratelimit-unified-7d-reset"],
        Span::WEEK,
    ),
];

pub(super) fn read(headers: &Headers<'_>, found: &mut Vec<Reading>) {
    for (name, [limit, remaining, reset], unit) in BUCKETS {
        let left = headers.number(remaining);
        let Some((limit, used)) = left.and_then(|left| left_of(headers.number(limit), left)) else {
            continue;
        };
        let resets_at = headers.reset(reset);
        let window = reading(name, Some(unit), None);
        found.push(Reading { of_model: true, limit, used, resets_at, refills: true, ..window });
    }
    for (name, [used, reset], span) in SHARES {
        let Some(used) = headers.number(used) else { continue };
        let resets_at = headers.reset(reset);
        found.push(Reading { used: used.min(1.0), resets_at, ..reading(name, None, Some(span)) });
    }
}
