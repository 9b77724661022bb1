//! The HTTP request to a provider, and the head of its answer.

use std::borrow::Cow;

use bytes::Bytes;
use canon::Dialect;
use http::{
    HeaderValue, Method, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT},
};

use super::{Providers, refusal, tape, via, wire};
use crate::{
    engine::{
        fault::{Fault, FaultKind, Scope, Stage},
        ports::{Call, Task},
        settings::{AuthStyle, Connection},
    },
    outbound::{Body, TransportError, TransportFailure},
};

/// The hub names itself honestly.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("trivium/", env!("CARGO_PKG_VERSION")));

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The version of Anthropic's API that the hub speaks where the client names none. There has been no other since 2023.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Where Gemini's own dialect carries the key.
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Sends `body` to the call's target and waits for the head of a good answer.
pub(super) async fn send(providers: &Providers, call: &Call, body: Bytes) -> Result<Response<Body>, Fault> {
    let request = build(call, body)?;
    let taping = tape::sent(call, &request);
    let answer = providers
        .transport
        .call(request, call.timeouts.connect)
        .await
        .map_err(|error| unreachable_fault(&error))?;
    let answer = match taping {
        Some(taping) => taping.answered(answer),
        None => answer,
    };
    if answer.status().is_success() {
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let mut fault = refusal::read(&call.target, &parts, body, providers.clock.now()).await;
    fault.kind = as_of_task(&call.request.task, fault.kind, parts.status);
    if call.request.dialect != call.target.dialect {
        // In words that the client's dialect does not have.
        fault.answer = None;
    }
    Err(fault)
}

/// What a refusal means where something other than generation was asked for. It may be this way of asking that the
/// provider does not know, the thing that is asked for, or a limit or a right of its own: none of that is held against
/// the account, or the model on it.
fn as_of_task(task: &Task, kind: FaultKind, status: StatusCode) -> FaultKind {
    let is_limit = matches!(kind, FaultKind::RateLimited | FaultKind::ModelLimited | FaultKind::DailyQuota);
    let is_of_account = kind.scope() == Scope::Connection || is_limit;
    match task {
        Task::Generate => kind,
        Task::Complete | Task::Embed => match (kind, status) {
            (FaultKind::ModelNotFound, _)
            | (_, StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) => {
                FaultKind::Unserved
            }
            _ if is_limit => FaultKind::Unserved,
            _ => kind,
        },
        Task::CountTokens => match (kind, status) {
            (FaultKind::ModelNotFound, _)
            | (_, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) => FaultKind::Unserved,
            _ if is_of_account => FaultKind::Unserved,
            _ => kind,
        },
        // That a provider has no such thing, or not this one, is the client's to know.
        Task::Compact | Task::Kept { .. } if kind == FaultKind::ModelNotFound => FaultKind::InvalidRequest,
        Task::Compact | Task::Kept { .. } if is_of_account => FaultKind::Unserved,
        Task::Compact | Task::Kept { .. } => kind,
    }
}

fn build(call: &Call, body: Bytes) -> Result<Request<Bytes>, Fault> {
    let (connection, dialect, task) = (&call.target.connection, call.target.dialect, &call.request.task);
    let stream = call.request.facts.stream;
    let broken =
        |what: &str| Fault::new(FaultKind::Unreachable, format!("the connection's {what} cannot be used"));
    let base = connection.endpoints.get(&dialect).ok_or_else(|| broken("base URL for its dialect"))?;
    let accept = if stream { "text/event-stream" } else { "application/json" };
    let method = match task {
        Task::Kept { method, .. } => method.clone(),
        _ => Method::POST,
    };
    let path = wire::path(dialect, task, &call.target.model, stream);
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{base}{path}"))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(accept))
        .header(USER_AGENT, AGENT)
        .body(body)
        .map_err(|_| broken("base URL"))?;
    let headers = request.headers_mut();
    if call.request.dialect == dialect {
        headers.extend(call.request.headers.clone());
    }
    if let Some(traceparent) = &call.traceparent {
        headers.insert(TRACEPARENT, traceparent.clone());
    }
    sign(connection, dialect, &mut request)?;
    Ok(request)
}

/// Adds what every request to a provider carries: the version of its dialect and the key.
pub(super) fn sign<B>(
    connection: &Connection,
    dialect: Dialect,
    request: &mut Request<B>,
) -> Result<(), Fault> {
    let headers = request.headers_mut();
    headers.entry(USER_AGENT).or_insert(AGENT);
    if dialect == Dialect::Messages && !headers.contains_key(ANTHROPIC_VERSION) {
        headers.insert(ANTHROPIC_VERSION, VERSION);
    }
    let broken = || Fault::new(FaultKind::Unreachable, "the connection's key cannot be used");
    if let Some((name, value)) = credential(connection, dialect).ok_or_else(broken)? {
        headers.insert(name, value);
    }
    via::mark(request, connection);
    Ok(())
}

/// The header that carries the key: `Some(None)` where none is to be sent, `None` where the key fits into no header.
fn credential(connection: &Connection, dialect: Dialect) -> Option<Option<(HeaderName, HeaderValue)>> {
    let Some(key) = &connection.credential else { return Some(None) };
    let (name, text) = match &connection.provider.auth {
        // A token travels in one way alone (RFC 6750), whatever becomes of keys here.
        _ if connection.oauth.is_some() => (AUTHORIZATION, Cow::Owned(format!("Bearer {}", key.expose()))),
        AuthStyle::None => return Some(None),
        AuthStyle::Bearer if dialect == Dialect::Gemini => (X_GOOG_API_KEY, Cow::Borrowed(key.expose())),
        AuthStyle::Bearer | AuthStyle::OptionalBearer => {
            (AUTHORIZATION, Cow::Owned(format!("Bearer {}", key.expose())))
        }
        AuthStyle::Header(name) => (HeaderName::try_from(name.as_str()).ok()?, Cow::Borrowed(key.expose())),
    };
    let mut value = HeaderValue::try_from(&*text).ok()?;
    value.set_sensitive(true);
    Some(Some((name, value)))
}

pub(super) fn unreachable_fault(error: &TransportError) -> Fault {
    let kind = match error.failure {
        TransportFailure::ConnectTimeout => FaultKind::TimedOut(Stage::Connect),
        TransportFailure::Proxy => FaultKind::ProxyFailed,
        _ => FaultKind::Unreachable,
    };
    Fault::new(kind, error.to_string())
}
