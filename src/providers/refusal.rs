//! What an answer with a bad status means: whose fault it is, and how far it reaches.

use std::time::Duration;

use bytes::Bytes;
use canon::Dialect;
use http::{StatusCode, response::Parts};
use http_body_util::{BodyExt, Limited};

use super::{
    limits, retry,
    taxonomy::{self, Said},
    wire, words,
};
use crate::{
    engine::{
        fault::{Fault, FaultKind, PassedOn},
        ports::Target,
        settings::Connection,
    },
    outbound::Body,
};

/// How much of an error's body is read.
const BODY_LIMIT: usize = 256 * 1024;

/// How long an error's body may take: its status has already said enough to go on.
const BODY_TIME: Duration = Duration::from_secs(5);

/// Reads an answer with a bad status into a fault.
pub(super) async fn read(target: &Target, parts: &Parts, body: Body, now: i64) -> Fault {
    let (connection, dialect) = (&target.connection, target.dialect);
    let body = match tokio::time::timeout(BODY_TIME, Limited::new(body, BODY_LIMIT).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) | Err(_) => Bytes::new(),
    };
    let message = wire::message_of(dialect, &body);
    let told = Said::read(&body, &message, now);
    let rule = taxonomy::rule_for(&connection.provider.id, parts.status.as_u16(), &told);
    let kind = rule.map_or_else(|| kind_of(parts.status, dialect, &body), taxonomy::Rule::kind);
    let said = words::clean(&message, connection);
    let message = match (said.is_empty(), parts.status.canonical_reason()) {
        (false, _) => format!("answered {}: {said}", parts.status.as_u16()),
        (true, Some(reason)) => format!("answered {} {reason}", parts.status.as_u16()),
        (true, None) => format!("answered {}", parts.status.as_u16()),
    };
    let mut fault = Fault::new(kind, message).with_status(parts.status);
    let (readings, wait) = limits::refused(dialect, parts.status, &parts.headers, &body, now);
    fault.readings = readings;
    if rule.is_none_or(taxonomy::Rule::is_believed) {
        let of_body = match dialect {
            Dialect::Gemini => gemini::fault::retry_delay(&body),
            // A text is believed on limits alone.
            _ => wait.or_else(|| told.wait()).filter(|_| kind.is_exhaustion()),
        };
        fault.retry_after = retry::retry_after(&parts.headers, now).or(of_body);
    }
    fault.answer = passed_on(connection, dialect, parts.status, &body).map(Box::new);
    fault
}

/// What a status says by itself.
fn kind_of(status: StatusCode, dialect: Dialect, body: &[u8]) -> FaultKind {
    match status.as_u16() {
        // Google refuses a wrong key as if the request were wrong.
        400 if dialect == Dialect::Gemini && gemini::fault::is_of_key(body) => FaultKind::Unauthorized,
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

/// The provider's own words for the client, if the client's dialect can read them. A body that still holds the
/// credential once it is decoded (written with escapes, say) is not handed on.
fn passed_on(
    connection: &Connection,
    dialect: Dialect,
    status: StatusCode,
    body: &Bytes,
) -> Option<PassedOn> {
    let text = std::str::from_utf8(body).ok()?;
    let body = words::without_secret(text, connection);
    let decoded = wire::message_of(dialect, body.as_bytes());
    let safe = words::without_secret(&decoded, connection) == decoded;
    (safe && wire::is_error_body(dialect, body.as_bytes())).then(|| PassedOn { status, body: body.into() })
}
