//! What providers tell of their windows: in headers of any answer, and in the body of a refusal. Every vendor's names are
//! read wherever they occur, since servers that imitate a vendor send its headers too. Pure; what follows from it is the
//! engine's business.

mod anthropic;
mod codex;
mod generic;
mod google;
mod named;
#[cfg(test)]
mod tests;
mod text;

use std::time::Duration;

use canon::Dialect;
use http::{HeaderMap, StatusCode};

use super::{retry, wire};
use crate::engine::{
    ports::Reading,
    settings::{Span, Unit},
};

/// How the names of all headers begin that are read here.
const PREFIXES: [&str; 4] = ["x-ratelimit-", "ratelimit", "anthropic-ratelimit-", "x-codex-"];

/// What a good answer's headers tell. Most answers have none of them, which is found out without an allocation.
pub(super) fn told(headers: &HeaderMap, now: i64) -> Option<Box<[Reading]>> {
    let found = read(headers, now);
    (!found.is_empty()).then(|| found.into())
}

/// What a refusal tells, in its headers and in its body; and how long to wait by its body's word.
pub(super) fn refused(
    dialect: Dialect,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now: i64,
) -> (Option<Box<[Reading]>>, Option<Duration>) {
    let mut found = read(headers, now);
    let mut wait = None;
    if status == StatusCode::TOO_MANY_REQUESTS {
        // Of windows that are whole at once, those with nothing left are the reason. A bucket that refills says only how
        // long it would take to be full.
        for reading in &mut found {
            reading.exhausted = !reading.refills && reading.used >= 1.0 && reading.resets_at.is_some();
        }
        let asked = retry::retry_after(headers, now);
        let said = text::read(&wire::message_of(dialect, body), asked, now);
        wait = said.wait;
        found.extend(said.reading);
        found.extend(google::read(body, now));
    }
    ((!found.is_empty()).then(|| found.into()), wait)
}

fn read(headers: &HeaderMap, now: i64) -> Vec<Reading> {
    let mut found = Vec::new();
    if headers.keys().any(|name| PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix))) {
        let headers = Headers { headers, now };
        named::read(&headers, &mut found);
        generic::read(&headers, &mut found);
        anthropic::read(&headers, &mut found);
        codex::read(&headers, &mut found);
    }
    found
}

/// Headers, and the time at which they came.
struct Headers<'a> {
    headers: &'a HeaderMap,
    now: i64,
}

impl Headers<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// A number that can be one: finite and not negative.
    fn number(&self, name: &str) -> Option<f64> {
        let number: f64 = self.text(name)?.parse().ok()?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    /// When a window is whole again, however the provider writes it.
    fn reset(&self, name: &str) -> Option<i64> {
        let wait = retry::reset_in(self.text(name)?, self.now)?;
        Some(self.now.saturating_add(i64::try_from(wait.as_millis()).ok()?))
    }
}

/// A window by how much of it is left; `None` where that is no share.
fn left_of(limit: Option<f64>, remaining: f64) -> Option<(Option<u64>, f64)> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a finite number above zero")]
    let whole = limit.filter(|limit| *limit >= 1.0).map(|limit| limit as u64);
    match limit {
        Some(limit) if limit > 0.0 => Some((whole, 1.0 - (remaining / limit).clamp(0.0, 1.0))),
        _ if remaining <= 0.0 => Some((None, 1.0)),
        _ => None,
    }
}

/// A window of the whole account that is whole at once.
const fn reading(name: &'static str, unit: Option<Unit>, span: Option<Span>) -> Reading {
    Reading {
        name,
        unit,
        span,
        of_model: false,
        limit: None,
        used: 0.0,
        resets_at: None,
        refills: false,
        exhausted: false,
    }
}
