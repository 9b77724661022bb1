//! The headers around an answer: rate limits, when to come back, and the ids that providers add.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::account::Standing;
use super::clock::{Clock, ceil_seconds, go_duration};
use super::problem::Voice;
use super::script::RetryAfter;

/// Tokens that an account may use in a minute: OpenAI's figure for a busy paying account.
const TOKENS_PER_MINUTE: u64 = 2_000_000;

/// The headers on rate limits; Google sends none.
pub(super) fn rate_limits(
    headers: &mut HeaderMap,
    voice: Voice,
    standing: Standing,
    prompt_tokens: u64,
    clock: &Clock,
) {
    let used = prompt_tokens.min(TOKENS_PER_MINUTE);
    let left = (TOKENS_PER_MINUTE - used).to_string();
    let refill = Duration::from_millis(used * 60_000 / TOKENS_PER_MINUTE);
    let (limit, remaining) = (standing.limit.to_string(), standing.remaining.to_string());
    match voice {
        Voice::Openai => {
            put(headers, "x-ratelimit-limit-requests", limit);
            put(headers, "x-ratelimit-limit-tokens", TOKENS_PER_MINUTE.to_string());
            put(headers, "x-ratelimit-remaining-requests", remaining);
            put(headers, "x-ratelimit-remaining-tokens", left);
            put(headers, "x-ratelimit-reset-requests", go_duration(standing.reset));
            put(headers, "x-ratelimit-reset-tokens", go_duration(refill));
        }
        Voice::Anthropic => {
            put(headers, "anthropic-ratelimit-requests-limit", limit);
            put(headers, "anthropic-ratelimit-requests-remaining", remaining);
            put(headers, "anthropic-ratelimit-requests-reset", clock.rfc3339(standing.reset));
            put(headers, "anthropic-ratelimit-tokens-limit", TOKENS_PER_MINUTE.to_string());
            put(headers, "anthropic-ratelimit-tokens-remaining", left);
            put(headers, "anthropic-ratelimit-tokens-reset", clock.rfc3339(refill));
        }
        Voice::Gemini => {}
    }
}

/// When to come back, said as the script wants it said. Google says it in the body.
pub(super) fn come_back(
    headers: &mut HeaderMap,
    voice: Voice,
    style: RetryAfter,
    wait: Duration,
    clock: &Clock,
) {
    match (style, voice) {
        (RetryAfter::None, _) | (_, Voice::Gemini) => {}
        (RetryAfter::Header, _) => put(headers, "retry-after", ceil_seconds(wait).to_string()),
        (RetryAfter::Date, _) => put(headers, "retry-after", clock.http_date(wait)),
        (RetryAfter::RatelimitResetHeader, Voice::Openai) => {
            put(headers, "x-ratelimit-reset-requests", go_duration(wait));
        }
        (RetryAfter::RatelimitResetHeader, Voice::Anthropic) => {
            put(headers, "anthropic-ratelimit-requests-reset", clock.rfc3339(wait));
        }
    }
}

/// The headers by which a vendor's answer can be told.
pub(super) fn identity(headers: &mut HeaderMap, voice: Voice, id: String, took_ms: u64) {
    match voice {
        Voice::Openai => {
            put(headers, "x-request-id", id);
            put(headers, "openai-processing-ms", took_ms.to_string());
            put(headers, "openai-version", "2020-10-01".to_owned());
        }
        Voice::Anthropic => {
            put(headers, "request-id", id);
            put(headers, "anthropic-organization-id", "00000000-0000-4000-8000-000000000000".to_owned());
        }
        Voice::Gemini => put(headers, "server-timing", format!("gfet4t7; dur={took_ms}")),
    }
}

/// Sets one header. A value that no header may hold (there is none among ours) is left out.
pub(super) fn put(headers: &mut HeaderMap, name: &'static str, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
