//! `x-ratelimit-{limit,remaining,reset}-<what>`: OpenAI's family, and those of Groq, Cerebras, Mistral and others who name
//! the span too. Both of the first kind are buckets, of the model that was asked: the reset is when the bucket will be
//! full, at the rate at which it fills. With a span in the name, the window is whole all at once.

use super::{Headers, left_of, reading};
use crate::engine::{
    ports::Reading,
    settings::{Span, Unit},
};

const REMAINING: &str = "x-ratelimit-remaining-";

/// What stands behind the prefix, and what it means.
const WINDOWS: [(&str, &str, Unit, Option<Span>); 15] = [
    ("requests", "requests", Unit::Requests, None),
    ("tokens", "tokens", Unit::Tokens, None),
    ("requests-minute", "requests a minute", Unit::Requests, Some(Span::MINUTE)),
    ("tokens-minute", "tokens a minute", Unit::Tokens, Some(Span::MINUTE)),
    ("requests-hour", "requests an hour", Unit::Requests, Some(Span::HOUR)),
    ("tokens-hour", "tokens an hour", Unit::Tokens, Some(Span::HOUR)),
    ("requests-day", "requests a day", Unit::Requests, Some(Span::DAY)),
    ("tokens-day", "tokens a day", Unit::Tokens, Some(Span::DAY)),
    ("requests-month", "requests a month", Unit::Requests, Some(Span::Month)),
    ("tokens-month", "tokens a month", Unit::Tokens, Some(Span::Month)),
    ("req-minute", "requests a minute", Unit::Requests, Some(Span::MINUTE)),
    ("req-hour", "requests an hour", Unit::Requests, Some(Span::HOUR)),
    ("req-day", "requests a day", Unit::Requests, Some(Span::DAY)),
    ("req-month", "requests a month", Unit::Requests, Some(Span::Month)),
    ("input-tokens", "input tokens", Unit::Tokens, None),
];

pub(super) fn read(headers: &Headers<'_>, found: &mut Vec<Reading>) {
    for name in headers.headers.keys() {
        let Some(what) = name.as_str().strip_prefix(REMAINING) else { continue };
        let Some((_, name, unit, span)) = WINDOWS.iter().find(|(suffix, ..)| *suffix == what) else {
            continue;
        };
        let limit = headers.number(&format!("x-ratelimit-limit-{what}"));
        let left = headers.number(&format!("{REMAINING}{what}"));
        let Some((limit, used)) = left.and_then(|left| left_of(limit, left)) else { continue };
        let resets_at = headers.reset(&format!("x-ratelimit-reset-{what}"));
        let window = reading(name, Some(*unit), *span);
        found.push(Reading { of_model: true, limit, used, resets_at, refills: span.is_none(), ..window });
    }
}
