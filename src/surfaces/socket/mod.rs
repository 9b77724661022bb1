//! WebSockets: how one is opened, kept alive and closed. What is spoken on them is a [`Protocol`]'s business: chat at
//! `GET /v1/ws` is in `chat`, Responses are among OpenAI's surfaces.

mod chat;
mod door;
mod ending;
mod fault;
mod line;
mod pulse;
mod upgrade;

pub(super) use chat::routes;
pub(super) use door::Credentials;
pub(super) use fault::error_object;
pub(super) use line::{Line, Protocol};

use axum::{extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, header};

use super::{front::Ids, identify::Identify, render, stay::Stays};
use crate::engine::{code::Code, refusal::Refusal};

/// Frames that wait for a client to read them. When there are so many, the answers' providers wait too.
const QUEUE: usize = 64;

/// A request that has been let in, and can become a socket.
pub(super) struct Opening {
    request: Request,
    accept: String,
}

/// Checks that `request` asks for a WebSocket, and that its caller is known.
///
/// # Errors
/// When not. What is told first is that this is no WebSocket.
pub(super) fn admit(request: Request, identify: &Identify) -> Result<(Opening, Credentials), Refusal> {
    let accept = upgrade::check(&request)?;
    let credentials = Credentials::of(&request);
    credentials.caller(identify)?;
    Ok((Opening { request, accept }, credentials))
}

impl Opening {
    /// What the client says in its headers.
    pub(super) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// Opens the socket, which takes messages of up to `limit` bytes, and speaks `protocol` on it. The answer is the
    /// one that makes the connection a socket.
    pub(super) fn open(mut self, limit: usize, protocol: impl Protocol) -> Response {
        let stay = self.request.extensions().get::<Stays>().cloned().unwrap_or_default().enter();
        let socket = upgrade::socket(&mut self.request, limit);
        let response = upgrade::switching(&self.accept, door::speaks_ours(self.request.headers()));
        tokio::spawn(async move {
            // A client that left meanwhile has no socket.
            if let Some(socket) = socket.await {
                line::run(socket, protocol, stay).await;
            }
        });
        response
    }
}

/// The answer to a request that does not become a socket.
pub(super) fn refused(refusal: &Refusal, ids: &Ids) -> Response {
    let mut response = render::refusal(refusal, ids, false);
    if refusal.code == Code::WsUpgradeRequired {
        let headers = response.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    response
}
