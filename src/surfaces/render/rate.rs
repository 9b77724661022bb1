//! How a caller's limits stand, in the headers that OpenAI's clients know.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::whole_seconds;
use crate::engine::policy::{Gauge, Told};

const REQUESTS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-requests"),
    HeaderName::from_static("x-ratelimit-remaining-requests"),
    HeaderName::from_static("x-ratelimit-reset-requests"),
];

const TOKENS: [HeaderName; 3] = [
    HeaderName::from_static("x-ratelimit-limit-tokens"),
    HeaderName::from_static("x-ratelimit-remaining-tokens"),
    HeaderName::from_static("x-ratelimit-reset-tokens"),
];

/// Puts the gauges that there are among the headers.
pub(in super::super) fn rate(headers: &mut HeaderMap, told: &Told) {
    for (names, gauge) in [(REQUESTS, told.requests), (TOKENS, told.tokens)] {
        let Some(Gauge { limit, remaining, reset }) = gauge else { continue };
        let [limit_name, remaining_name, reset_name] = names;
        headers.insert(limit_name, HeaderValue::from(limit));
        headers.insert(remaining_name, HeaderValue::from(remaining));
        if let Ok(reset) = HeaderValue::try_from(format!("{}s", whole_seconds(reset))) {
            headers.insert(reset_name, reset);
        }
    }
}
