//! Refusals in the shape of OpenAI's errors: the one place where a code of the table becomes an answer.

use std::time::Duration;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use openai::fault::{ErrorBody, ErrorObject, kind_of};
use serde::Serialize;

use super::front::Ids;
use crate::engine::{
    receipt::{AttemptRecord, SkipRecord},
    refusal::Refusal,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The hub's fields of an error.
#[derive(Serialize)]
struct Details<'a> {
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    skipped: Vec<Skip<'a>>,
}

#[derive(Serialize)]
struct Attempt<'a> {
    connection: &'a str,
    provider: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    outcome: &'static str,
    reason: &'a str,
    took_ms: u32,
}

#[derive(Serialize)]
struct Skip<'a> {
    connection: &'a str,
    model: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

/// An error answer. `topology` says whether the caller may see which connections there are.
pub(super) fn refusal(refusal: &Refusal, ids: &Ids, topology: bool) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(body(refusal, ids, topology)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    if let Some(wait) = refusal.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
    }
    if refusal.status() == 401 {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(attempts) = u64::try_from(refusal.attempts.len()).ok().filter(|&attempts| attempts > 0) {
        headers.insert(HeaderName::from_static("x-gateway-attempts"), HeaderValue::from(attempts));
    }
    response
}

/// The event that tells in a stream that its answer broke.
pub(super) fn event(refusal: &Refusal, ids: &Ids, topology: bool) -> Bytes {
    let mut event = b"data: ".to_vec();
    let body = body(refusal, ids, topology);
    // A provider's own words may be spread over several lines, which would end the event.
    let one_line =
        serde_json::from_slice::<serde_json::Value>(&body).and_then(|value| serde_json::to_vec(&value));
    event.extend_from_slice(one_line.as_deref().unwrap_or(&body));
    event.extend_from_slice(b"\n\n");
    event.into()
}

/// The body alone, for errors that arise where there is no request yet.
pub(super) fn body(refusal: &Refusal, ids: &Ids, topology: bool) -> Bytes {
    if let Some(answer) = &refusal.passed_on {
        return answer.body.clone();
    }
    let message = match refusal.code.remedy() {
        "" => refusal.message.clone(),
        remedy => format!("{} {remedy}", refusal.message),
    };
    let details = Details {
        request_id: &ids.own,
        retry_after_seconds: refusal.retry_after.map(whole_seconds),
        attempts: if topology { refusal.attempts.iter().map(attempt).collect() } else { Vec::new() },
        skipped: if topology { refusal.skipped.iter().map(skip).collect() } else { Vec::new() },
    };
    let error = ErrorObject {
        message: &message,
        kind: kind_of(refusal.status()),
        param: refusal.param,
        code: refusal.code.as_str(),
        details,
    };
    // Strings and numbers always serialise; the fallback is for the type's sake.
    serde_json::to_vec(&ErrorBody { error }).unwrap_or_else(|_| br#"{"error":{}}"#.to_vec()).into()
}

fn attempt(record: &AttemptRecord) -> Attempt<'_> {
    Attempt {
        connection: &record.connection,
        provider: &record.provider,
        model: &record.model,
        status: record.status,
        outcome: record.fault.map_or("served", |kind| kind.as_str()),
        reason: record.message.as_deref().unwrap_or_default(),
        took_ms: record.took_ms,
    }
}

fn skip(record: &SkipRecord) -> Skip<'_> {
    Skip { connection: &record.connection, model: &record.model, reason: &record.reason, until: record.until }
}

/// Rounded up: a client that obeys to the second must not come too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
