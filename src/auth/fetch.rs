//! Short answers of issuers: their keys, their discovery documents, their tokens. Through the one door to the network.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Limited};

use crate::outbound::Transport;

/// How long an answer may take, and what it may bring: a key is under a kilobyte.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST_BYTES: usize = 256 * 1024;
/// The hub names itself honestly.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("trivium/", env!("CARGO_PKG_VERSION")));

/// What is at a URL, which must be there.
///
/// # Errors
/// In words that follow the name of who was asked.
pub(super) async fn get(transport: &dyn Transport, url: &str) -> Result<Bytes, String> {
    let request = Request::get(url).body(Bytes::new()).map_err(|error| error.to_string())?;
    let answer = ask(transport, request).await?;
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status()));
    }
    Ok(answer.into_body())
}

/// The whole answer to a request.
///
/// # Errors
/// In words, as [`get`].
pub(super) async fn ask(
    transport: &dyn Transport,
    mut request: Request<Bytes>,
) -> Result<Response<Bytes>, String> {
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, AGENT);
    let answer = async {
        let answer = transport.call(request, PATIENCE).await.map_err(|error| error.to_string())?;
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, MOST_BYTES).collect().await;
        let body = body.map_err(|_| "its answer broke or is too large".to_owned())?.to_bytes();
        Ok(Response::from_parts(parts, body))
    };
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| "it did not answer in time".to_owned())?
}
