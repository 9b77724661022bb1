//! Reads a request's body, within limits of size and patience.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;

use crate::engine::{code::Code, refusal::Refusal};

/// How long a body may pause. A client that says nothing for so long holds a connection for nothing.
const PAUSE: Duration = Duration::from_secs(30);

/// The most that is set aside in advance on the word of a `Content-Length`.
const TRUST: usize = 64 * 1024;

/// The whole body.
///
/// # Errors
/// When it is larger than `limit` bytes, pauses for too long, or breaks off.
pub(super) async fn read(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > limit as u64) {
        return Err(too_large(limit));
    }
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    loop {
        let frame = tokio::time::timeout(PAUSE, body.frame()).await.map_err(|_| {
            Refusal::new(Code::BodyTimeout, format!("The body paused for {} s.", PAUSE.as_secs()))
        })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| {
            Refusal::new(Code::MalformedRequest, "The body broke off, or its chunks are malformed.")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + joined.len() + data.len() > limit {
            return Err(too_large(limit));
        }
        // Most bodies arrive in one piece, which is then used without a copy.
        if first.is_empty() && joined.is_empty() {
            first = data;
            continue;
        }
        if joined.is_empty() {
            let expected = announced.and_then(|length| usize::try_from(length).ok()).unwrap_or(0).min(TRUST);
            joined.reserve(expected.max(first.len() + data.len()));
            joined.extend_from_slice(&std::mem::take(&mut first));
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

fn too_large(limit: usize) -> Refusal {
    let megabytes = limit as f64 / (1024.0 * 1024.0);
    Refusal::new(
        Code::BodyTooLarge,
        format!("The body is larger than {megabytes} MB, which is the limit here."),
    )
}
