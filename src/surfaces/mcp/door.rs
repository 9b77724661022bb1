//! What an HTTP request passes before the protocol sees it: the switch, the page that sends it, who asks, and whose session
//! it names. Also what clients get wrong and need not suffer for: the `Accept` header, and the questions of browsers.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use rmcp::transport::streamable_http_server::StreamableHttpService;
use tokio_util::sync::DropGuard;

use super::{
    super::{
        Handles,
        front::{Ids, foreign_origin},
        identify::{Identify, has_credential},
        render,
        stay::Stays,
    },
    handler::Handler,
    metadata::Place,
    opening, profile,
    sessions::{CALLER, Sessions},
    sse::{self, Sse},
    stdio,
    visitor::Visitor,
};
use crate::{
    engine::{Engine, caller::Caller, code::Code, refusal::Refusal},
    ops::mcp::McpServer,
};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");

/// How often a stream looks whether it may stand: so long it does after the server was switched off.
const LOOK: Duration = Duration::from_secs(1);

/// The request that stays open to tell of changes.
const LISTEN: &[u8] = b"subscriptions/listen";

/// What a page of this machine may send, and read of the answer.
const MAY_SEND: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, last-event-id, mcp-protocol-version, mcp-session-id, mcp-method, mcp-name",
);
const MAY_READ: HeaderValue =
    HeaderValue::from_static("mcp-session-id, mcp-protocol-version, www-authenticate, x-request-id");

/// What stands before the protocol.
#[derive(Clone)]
pub(super) struct Door {
    identify: Identify,
    engine: Arc<Engine>,
    service: StreamableHttpService<Handler, Sessions>,
    sessions: Arc<Sessions>,
    others: Sse,
    place: Place,
    server: Arc<McpServer>,
    _ending: Arc<DropGuard>,
}

impl Door {
    pub(super) fn new(
        handles: &Handles,
        identify: &Identify,
        service: StreamableHttpService<Handler, Sessions>,
        others: Sse,
        ending: DropGuard,
    ) -> Self {
        let (identify, engine) = (identify.clone(), Arc::clone(&handles.engine));
        let sessions = Arc::clone(&others.sessions);
        let (place, server) = (Place::new(handles), Arc::clone(&handles.mcp));
        Self { identify, engine, service, sessions, others, place, server, _ending: Arc::new(ending) }
    }
}

/// A request to the server.
pub(super) async fn enter(State(door): State<Door>, ids: axum::Extension<Ids>, request: Request) -> Response {
    let ids = ids.0;
    if let Some(origin) = foreign_origin(request.headers(), door.identify.hosts()) {
        let text = format!("Pages of `{origin}` may not use this hub.");
        return render::refusal(&Refusal::new(Code::HostNotAllowed, text), &ids, false);
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        preflight()
    } else {
        // On the heap, so that other requests do not carry its state.
        Box::pin(door.answer(&ids, request)).await
    };
    if let Some(origin) = origin {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, MAY_READ);
        headers.append(header::VARY, HeaderValue::from_static("origin"));
    }
    response
}

/// The answer to a browser that asks before it sends.
fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers
        .insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST, DELETE, OPTIONS"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, MAY_SEND);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    response
}

impl Door {
    async fn answer(&self, ids: &Ids, mut request: Request) -> Response {
        let caller = match self.let_in(&request) {
            Ok(caller) => caller,
            Err(refusal) => return self.refused(&refusal, ids, request.headers()),
        };
        if let Some(answered) = self.answer_elsewhere(&caller, ids, &mut request).await {
            return answered.unwrap_or_else(|refusal| render::refusal(&refusal, ids, false));
        }
        let session: Option<Arc<str>> =
            request.headers().get(SESSION).and_then(|id| id.to_str().ok()).map(Arc::from);
        if let Some(id) = session.as_deref()
            && !self.may_use(id, &caller.id, request.method()).await
        {
            let refusal = Refusal::new(Code::NotFound, "There is no such session.");
            return render::refusal(&refusal, ids, false);
        }
        if session.is_none() && request.method() == Method::POST {
            request = match opening::bounded(request).await {
                Ok(Ok(request)) => request,
                Ok(Err(answered)) => return answered,
                Err(refusal) => return render::refusal(&refusal, ids, false),
            };
        }
        accept_both(&mut request);
        let stands = stays_open(&request);
        let mut stay = request.extensions().get::<Stays>().cloned().unwrap_or_default().enter();
        let owner = Arc::clone(&caller.id);
        let profile = profile::wanted(request.uri().query());
        request.extensions_mut().insert(Visitor {
            caller,
            transport: "http",
            session,
            request: Some(Arc::clone(&ids.own)),
            profile,
        });
        let ends = request.method() == Method::DELETE;
        let mut answered = CALLER.scope(owner, self.service.handle(request)).await.map(Body::new);
        if ends && answered.status() == StatusCode::ACCEPTED {
            // It has ended when this is answered. Clients take "accepted" for a failure.
            *answered.status_mut() = StatusCode::NO_CONTENT;
        }
        if !stands {
            return answered;
        }
        // It would keep the hub from stopping, and outlive the switch: nothing else ends it.
        let (counted, engine) = (self.server.open_stream(), Arc::clone(&self.engine));
        let over = async move {
            let _counted = counted;
            tokio::select! {
                () = stay.draining() => {}
                () = switched_off(&engine) => {}
            }
        };
        answered.map(|body| Body::from_stream(body.into_data_stream().take_until(Box::pin(over))))
    }

    /// The answer of another transport, if the request is for one.
    async fn answer_elsewhere(
        &self,
        caller: &Caller,
        ids: &Ids,
        request: &mut Request,
    ) -> Option<Result<Response, Refusal>> {
        let path = request.uri().path();
        let (is_stream, is_message) = (path == sse::STREAM, path == sse::MESSAGES);
        if path == stdio::PATH {
            return Some(stdio::attach(&self.others.offer, &self.engine, caller, std::mem::take(request)));
        }
        if !is_stream && !is_message {
            return None;
        }
        if !self.engine.snapshot().settings.mcp.legacy_sse {
            let text = "The HTTP+SSE transport of 2024 is switched off (`mcp.legacy_sse`); use `/mcp`.";
            return Some(Err(Refusal::new(Code::NotFound, text)));
        }
        if is_stream {
            return Some(self.others.open(caller, std::mem::take(request), self.server.open_stream()).await);
        }
        Some(self.others.take(caller.clone(), ids, std::mem::take(request)).await)
    }

    /// Whether a request may name the session. What nobody knows is the library's to refuse, but not to end.
    async fn may_use(&self, id: &str, caller: &str, method: &Method) -> bool {
        match *method {
            Method::DELETE => self.sessions.is_of(id, caller).await,
            _ => !self.sessions.is_anothers(id, caller).await,
        }
    }

    fn let_in(&self, request: &Request) -> Result<Caller, Refusal> {
        if !self.engine.snapshot().settings.mcp.enabled {
            return Err(Refusal::new(Code::NotFound, "MCP is switched off (`mcp.enabled`)."));
        }
        self.identify.caller(request)
    }

    fn refused(&self, refusal: &Refusal, ids: &Ids, headers: &HeaderMap) -> Response {
        let mut response = render::refusal(refusal, ids, false);
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = self.place.challenge(headers, has_credential(headers));
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
        }
        response
    }
}

/// Waits until the operator switches the server off.
pub(super) async fn switched_off(engine: &Engine) {
    while engine.snapshot().settings.mcp.enabled {
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether the answer is a stream without an end of its own.
fn stays_open(request: &Request) -> bool {
    let method = request.headers().get(METHOD).map(HeaderValue::as_bytes);
    request.method() == Method::GET || method == Some(LISTEN)
}

/// Clients have to accept JSON and event streams, and many say `*/*`, or JSON alone, and take both.
fn accept_both(request: &mut Request) {
    let value = match *request.method() {
        Method::POST => HeaderValue::from_static("application/json, text/event-stream"),
        Method::GET => HeaderValue::from_static("text/event-stream"),
        _ => return,
    };
    request.headers_mut().insert(header::ACCEPT, value);
}
