//! What a client says of itself when it opens a session (`initialize`). The session keeps it for as long as it lives, in
//! memory and in the database, so that it has a bound of its own, far below that of other messages.

use std::borrow::Cow;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use rmcp::{ErrorData, model::InitializeRequestParams};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{super::body, BODY_LIMIT, record::size};
use crate::engine::refusal::Refusal;

/// The largest one, in bytes. Those of clients have a few hundred.
pub(super) const LIMIT: usize = 64 * 1024;

/// What the message is called.
const METHOD: &str = "initialize";

/// As much of a message as says whether it is one.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(default)]
    id: Value,
}

/// Passes on a request that names no session. If it opens one and says too much, this is the answer instead, before anything
/// of it is kept.
///
/// # Errors
/// When the message could not be read.
pub(super) async fn bounded(request: Request) -> Result<Result<Request, Response>, Refusal> {
    if announced(request.headers()).is_some_and(|bytes| bytes <= LIMIT as u64) {
        return Ok(Ok(request));
    }
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body, BODY_LIMIT).await?;
    if bytes.len() > LIMIT
        && let Ok(head) = serde_json::from_slice::<Head<'_>>(&bytes)
        && head.method == METHOD
    {
        return Ok(Err(refused(&head.id, &too_large(bytes.len() as u64))));
    }
    Ok(Ok(Request::from_parts(parts, Body::from(bytes))))
}

/// The same, where the message has been read.
///
/// # Errors
/// When it says too much.
pub(super) fn check(params: &InitializeRequestParams) -> Result<(), ErrorData> {
    let bytes = size(params);
    if bytes > LIMIT as u64 { Err(too_large(bytes)) } else { Ok(()) }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(bytes: u64) -> ErrorData {
    let text = format!(
        "`initialize` may have up to {LIMIT} bytes, and this one has {bytes}: send less in `clientInfo`, `capabilities` and \
         `_meta`, such as no icons as data"
    );
    ErrorData::invalid_params(text, Some(json!({ "limit_bytes": LIMIT, "bytes": bytes })))
}

fn refused(id: &Value, error: &ErrorData) -> Response {
    let message = json!({ "jsonrpc": "2.0", "id": id, "error": error });
    (StatusCode::PAYLOAD_TOO_LARGE, axum::Json(message)).into_response()
}
