//! The headers around an answer: rate limits, when to come back, and the ids that providers add.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::account::Standing;
use super::clock::{Clock, ceil_seconds, go_duration};
use super::script::RetryAfter;

/// Tokens that an account may use in a minute: OpenAI's figure for a busy paying account.
const TOKENS_PER_MINUTE: u64 = 2_000_000;

/// The `x-ratelimit-*` family.
pub(super) fn rate_limits(headers: &mut HeaderMap, standing: Standing, prompt_tokens: u64) {
    let used = prompt_tokens.min(TOKENS_PER_MINUTE);
    let refill = Duration::from_millis(used * 60_000 / TOKENS_PER_MINUTE);
    put(headers, "x-ratelimit-limit-requests", standing.limit.to_string());
    put(headers, "x-ratelimit-limit-tokens", TOKENS_PER_MINUTE.to_string());
    put(headers, "x-ratelimit-remaining-requests", standing.remaining.to_string());
    put(headers, "x-ratelimit-remaining-tokens", (TOKENS_PER_MINUTE - used).to_string());
    put(headers, "x-ratelimit-reset-requests", go_duration(standing.reset));
    put(headers, "x-ratelimit-reset-tokens", go_duration(refill));
}

/// When to come back, said as the script wants it said.
pub(super) fn come_back(headers: &mut HeaderMap, style: RetryAfter, wait: Duration, clock: &Clock) {
    match style {
        RetryAfter::Header => put(headers, "retry-after", ceil_seconds(wait).to_string()),
        RetryAfter::Date => put(headers, "retry-after", clock.http_date(wait)),
        RetryAfter::RatelimitResetHeader => put(headers, "x-ratelimit-reset-requests", go_duration(wait)),
        RetryAfter::None => {}
    }
}

/// Sets one header. A value that no header may hold (there is none among ours) is left out.
pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
