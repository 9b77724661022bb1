//! What an answer with a bad status means: whose fault it is, and how far it reaches.

use std::time::Duration;

use bytes::Bytes;
use http::{StatusCode, response::Parts};
use http_body_util::{BodyExt, Limited};

use super::retry;
use crate::{
    engine::{
        fault::{Fault, FaultKind, PassedOn},
        settings::{Connection, Secret},
    },
    outbound::Body,
};

/// How much of an error's body is read.
const BODY_LIMIT: usize = 256 * 1024;

/// How long an error's body may take: its status has already said enough to go on.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Reads an answer with a bad status into a fault.
pub(super) async fn read(connection: &Connection, parts: &Parts, body: Body, now: i64) -> Fault {
    let body = match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => without_secret(body.to_bytes(), connection.credential.as_ref()),
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    let kind = kind_of(parts.status);
    let said = openai::fault::message_of(&body);
    let message = match (said.is_empty(), parts.status.canonical_reason()) {
        (false, _) => format!("answered {}: {said}", parts.status.as_u16()),
        (true, Some(reason)) => format!("answered {} {reason}", parts.status.as_u16()),
        (true, None) => format!("answered {}", parts.status.as_u16()),
    };
    let mut fault = Fault::new(kind, message).with_status(parts.status);
    fault.retry_after = retry::retry_after(&parts.headers, now);
    if openai::fault::is_error_body(&body) {
        fault.answer = Some(Box::new(PassedOn { status: parts.status, body }));
    }
    fault
}

fn kind_of(status: StatusCode) -> FaultKind {
    match status.as_u16() {
        401 | 403 => FaultKind::Unauthorized,
        402 => FaultKind::PaymentRequired,
        404 => FaultKind::ModelNotFound,
        429 => FaultKind::RateLimited,
        408 | 500.. => FaultKind::Unavailable,
        400..=499 => FaultKind::InvalidRequest,
        // 1xx and 3xx: nothing that a model API answers with. Redirects are not followed: the key would travel along.
        _ => FaultKind::Malformed,
    }
}

/// Takes the credential out of a text that the provider wrote: some quote it when they refuse it.
fn without_secret(body: Bytes, credential: Option<&Secret>) -> Bytes {
    let secret = credential.map_or("", Secret::expose);
    match std::str::from_utf8(&body) {
        Ok(text) if !secret.is_empty() && text.contains(secret) => {
            Bytes::from(text.replace(secret, "[redacted]"))
        }
        _ => body,
    }
}
