//! From HTTP to a WebSocket: what the request must say, the answer, and the stream that is left (RFC 6455).

use std::future::Future;

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        handshake::derive_accept_key,
        protocol::{Role, WebSocketConfig},
    },
};

use super::door::SUBPROTOCOL;
use crate::engine::{code::Code, refusal::Refusal};

/// A client's socket.
pub(super) type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// What a socket sets aside to read into. Most frames are small, and most sockets idle.
const READ_BUFFER: usize = 16 * 1024;

/// Base64 of the 16 bytes that a client draws.
const KEY_LENGTH: usize = 24;

/// What `Sec-WebSocket-Accept` has to say, when `request` asks for a WebSocket.
///
/// # Errors
/// When it asks for something else, or in another version of the protocol.
pub(super) fn check(request: &Request) -> Result<String, Refusal> {
    let headers = request.headers();
    let asks = request.method() == Method::GET
        && request.version() == Version::HTTP_11
        && lists(headers, &header::CONNECTION, "upgrade")
        && lists(headers, &header::UPGRADE, "websocket")
        && request.extensions().get::<OnUpgrade>().is_some();
    if !asks {
        return Err(Refusal::new(Code::WsUpgradeRequired, "Only WebSockets are served here."));
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::new(Code::WsUpgradeRequired, "This version of WebSockets is not spoken here."));
    }
    match headers.get(header::SEC_WEBSOCKET_KEY) {
        Some(key) if key.len() == KEY_LENGTH => Ok(derive_accept_key(key.as_bytes())),
        _ => Err(Refusal::new(Code::MalformedRequest, "`Sec-WebSocket-Key` is absent or no key.")),
    }
}

/// The answer that makes the connection a WebSocket.
pub(super) fn switching(accept: &str, ours: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    if ours {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    response
}

/// The socket, once that answer is out. It takes messages of up to `limit` bytes.
pub(super) fn socket(
    request: &mut Request,
    limit: usize,
) -> impl Future<Output = Option<Socket>> + Send + use<> {
    let upgrade = hyper::upgrade::on(request);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    async move {
        let stream = TokioIo::new(upgrade.await.ok()?);
        Some(WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await)
    }
}

fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}
