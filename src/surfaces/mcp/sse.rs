//! The HTTP+SSE transport of 2024, for clients that know no other: one stream for all that the hub says, and a request for
//! each message of the client. Off unless the operator switches it on.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, ServerJsonRpcMessage},
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{Transport, streamable_http_server::session::SessionId},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{
    super::{body, front::Ids, stay::Stays},
    BODY_LIMIT,
    handler::Handler,
    line,
    offer::Offer,
    profile,
    sessions::Sessions,
    visitor::Visitor,
};
use crate::{
    engine::{caller::Caller, code::Code, refusal::Refusal},
    ops::mcp::OpenStream,
};

/// Where the stream is.
pub(super) const STREAM: &str = "/api/mcp/sse";

/// Where messages go.
pub(super) const MESSAGES: &str = "/api/mcp/messages";

/// Messages of a client that wait to be read. When there are so many, its requests wait.
const INCOMING: usize = 16;

/// Messages that wait for a client to read them. When there are so many, answers wait.
const OUTGOING: usize = 64;

/// How long a client's message may wait to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the transport is made of.
#[derive(Clone)]
pub(super) struct Sse {
    pub(super) offer: Arc<dyn Offer>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) keep_alive: Duration,
}

impl Sse {
    /// The stream of a new session.
    ///
    /// # Errors
    /// When it is asked for in another way.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        request: Request,
        counted: OpenStream,
    ) -> Result<Response, Refusal> {
        only(&Method::GET, &request)?;
        let (messages, incoming) = mpsc::channel(INCOMING);
        let (answers, mut outgoing) = mpsc::channel(OUTGOING);
        let ending = CancellationToken::new();
        let owner = Arc::clone(&caller.id);
        let id = self.sessions.open_sse(owner, messages, ending.clone()).await;
        let guard =
            Guard { sessions: Arc::clone(&self.sessions), id: Arc::clone(&id), ending: ending.clone() };
        let stay = request.extensions().get::<Stays>().cloned().unwrap_or_default().enter();
        let handler = Handler::new(Arc::clone(&self.offer));
        tokio::spawn(line::serve(handler, Channels { incoming, answers: Some(answers) }, stay, ending));
        let mut first = Some(Bytes::from(endpoint(&id, request.uri().query())));
        let keep_alive = self.keep_alive;
        let events = async_stream::stream! {
            let _guard = (guard, counted);
            if let Some(first) = first.take() {
                yield Ok::<_, Infallible>(first);
            }
            loop {
                match tokio::time::timeout(keep_alive, outgoing.recv()).await {
                    Ok(Some(message)) => yield Ok(event(&message)),
                    Ok(None) => break,
                    Err(_) => yield Ok(Bytes::from_static(b": still here\n\n")),
                }
            }
        };
        let mut response = Response::new(Body::from_stream(events));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        Ok(response)
    }

    /// Takes a message of a session's client.
    ///
    /// # Errors
    /// When there is no such session of this caller, or the message cannot be read or taken.
    pub(super) async fn take(
        &self,
        caller: Caller,
        ids: &Ids,
        request: Request,
    ) -> Result<Response, Refusal> {
        only(&Method::POST, &request)?;
        let (parts, body) = request.into_parts();
        let query = parts.uri.query();
        let unknown = || Refusal::new(Code::NotFound, "There is no such session.");
        let id = session_in(query).ok_or_else(unknown)?;
        let line = self.sessions.line(&id, &caller.id).ok_or_else(unknown)?;
        let bytes = body::read(&parts.headers, body, BODY_LIMIT).await?;
        let mut message: ClientJsonRpcMessage = serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::new(Code::InvalidJson, format!("The message could not be read: {error}."))
        })?;
        let visitor = Visitor {
            caller,
            transport: "sse",
            session: Some(id.into()),
            request: Some(Arc::clone(&ids.own)),
            profile: profile::wanted(query),
        };
        say_who(&mut message, visitor);
        match tokio::time::timeout(PATIENCE, line.send(message)).await {
            Ok(Ok(())) => Ok((StatusCode::ACCEPTED, "Accepted").into_response()),
            Ok(Err(_)) => Err(unknown()),
            Err(_) => {
                Err(Refusal::new(Code::QueueFull, "Too many messages of this session wait to be worked on."))
            }
        }
    }
}

/// Ends a session with its stream.
struct Guard {
    sessions: Arc<Sessions>,
    id: SessionId,
    ending: CancellationToken,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.ending.cancel();
        self.sessions.end_sse(&self.id);
    }
}

fn only(method: &Method, request: &Request) -> Result<(), Refusal> {
    if request.method() == method {
        return Ok(());
    }
    let text = format!("{} does not take {}.", request.uri().path(), request.method());
    Err(Refusal::new(Code::MethodNotAllowed, text))
}

/// The first event: where messages go. What the client said in the stream's address holds for them, too.
fn endpoint(id: &str, query: Option<&str>) -> String {
    let profile = profile::wanted(query).map(|profile| format!("&profile={}", profile.as_str()));
    format!("event: endpoint\ndata: {MESSAGES}?sessionId={id}{}\n\n", profile.unwrap_or_default())
}

fn event(message: &ServerJsonRpcMessage) -> Bytes {
    // What is made of maps with texts for keys can be written.
    let text = serde_json::to_string(message).unwrap_or_default();
    Bytes::from(format!("event: message\ndata: {text}\n\n"))
}

fn session_in(query: Option<&str>) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find(|(name, _)| name == "sessionId").map(|(_, id)| id.into_owned())
}

/// Notes with a message who sent it, where the handler looks for it.
fn say_who(message: &mut ClientJsonRpcMessage, visitor: Visitor) {
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.extensions.insert(visitor);
    match message {
        JsonRpcMessage::Request(one) => {
            one.request.extensions_mut().insert(parts);
        }
        JsonRpcMessage::Notification(one) => {
            one.notification.extensions_mut().insert(parts);
        }
        _ => {}
    }
}

/// The two directions of a session.
struct Channels {
    incoming: mpsc::Receiver<ClientJsonRpcMessage>,
    answers: Option<mpsc::Sender<ServerJsonRpcMessage>>,
}

/// The client does not listen any more.
#[derive(Debug, thiserror::Error)]
#[error("the client does not listen any more")]
struct Gone;

impl Transport<RoleServer> for Channels {
    type Error = Gone;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Gone>> + Send + 'static {
        let answers = self.answers.clone();
        async move { answers.ok_or(Gone)?.send(item).await.map_err(|_| Gone) }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.incoming.recv().await
    }

    async fn close(&mut self) -> Result<(), Gone> {
        self.answers = None;
        Ok(())
    }
}
