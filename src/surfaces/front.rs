//! What every request passes before any route: an id, the checks of its address and its `Host`, and honest answers for paths and
//! methods that do not exist.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use canon::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use uuid::Uuid;

use super::{
    address,
    idempotent::{self, Idempotent},
    lent::lend,
    render,
};
use crate::engine::{Engine, code::Code, refusal::Refusal};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A client's own id longer than this is cut: it goes into receipts.
const CLIENT_ID_LIMIT: usize = 128;

/// The address of the client's end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// What is known of every request: its ids, the hub's and the one that the client gave it, and the dialect in which
/// its errors are told.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) own: Arc<str>,
    pub(super) client: Option<String>,
    pub(super) dialect: Dialect,
    /// Where it is noted that the answer broke, for somebody who has to know.
    pub(super) broke: Option<Arc<AtomicBool>>,
}

impl Ids {
    /// Notes that the answer broke.
    pub(super) fn note_broken(&self) {
        if let Some(broke) = &self.broke {
            broke.store(true, Ordering::Relaxed);
        }
    }
}

/// What stands before all routes.
#[derive(Clone)]
pub(super) struct Front {
    hosts: Arc<[String]>,
    idempotent: Arc<Idempotent>,
    engine: Arc<Engine>,
}

impl Front {
    pub(super) fn new(hosts: Arc<[String]>, idempotent: Idempotent, engine: Arc<Engine>) -> Self {
        Self { hosts, idempotent: Arc::new(idempotent), engine }
    }
}

/// Puts the front before `routes`.
pub(super) fn around(routes: Router, front: Front) -> Router {
    routes
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(front, enter))
}

async fn enter(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let own: Arc<str> = format!("req_{}", Uuid::now_v7().simple()).into();
    let client = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|id| id.to_str().ok())
        .map(|id| id.chars().take(CLIENT_ID_LIMIT).collect());
    let dialect = spoken(request.uri().path(), request.headers());
    let ids = Ids { own: Arc::clone(&own), client, dialect, broke: None };
    let (lender, body) = lend(std::mem::take(request.body_mut()));
    *request.body_mut() = body;
    let entered = address::settle(&front.engine.snapshot().settings.access, &mut request);
    let mut response = match entered.and_then(|()| check(&request, &front.hosts)) {
        // Boxed, so that requests without a key do not carry its state.
        Ok(()) if idempotent::is_meant(&request) => {
            Box::pin(front.idempotent.answer(ids, request, next)).await
        }
        Ok(()) => {
            request.extensions_mut().insert(ids);
            next.run(request).await
        }
        Err(refusal) => render::refusal(&refusal, &ids, false),
    };
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if refused && !lender.finish().await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(id) = HeaderValue::from_str(&own) {
        if dialect == Dialect::Messages {
            // Under this name Anthropic's SDKs look for it.
            response.headers_mut().insert(HeaderName::from_static("request-id"), id.clone());
        }
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// The dialect of a client, by the path that it asks for and the headers that only its SDKs send.
pub(super) fn spoken(path: &str, headers: &HeaderMap) -> Dialect {
    let verb = path.rsplit_once(':').map_or("", |(_, verb)| verb);
    if path.starts_with("/v1beta/")
        || matches!(verb, "generateContent" | "streamGenerateContent" | "countTokens")
    {
        return Dialect::Gemini;
    }
    if path.starts_with("/v1/messages") || path.starts_with("/messages") {
        return Dialect::Messages;
    }
    if path.contains("/responses") {
        return Dialect::Responses;
    }
    let shared = !["/chat/", "/completions", "/embeddings", "/api/"].iter().any(|part| path.contains(part));
    if shared && headers.contains_key("anthropic-version") {
        Dialect::Messages
    } else if shared && headers.contains_key("x-goog-api-key") {
        Dialect::Gemini
    } else {
        Dialect::Chat
    }
}

fn check(request: &Request, hosts: &[String]) -> Result<(), Refusal> {
    let headers = request.headers();
    if headers.contains_key(header::TRANSFER_ENCODING) && headers.contains_key(header::CONTENT_LENGTH) {
        let text = "The request states its length twice: by `Content-Length` and by `Transfer-Encoding`.";
        return Err(Refusal::new(Code::MalformedRequest, text));
    }
    let Some(host) = host_of(headers, request.uri())? else { return Ok(()) };
    if is_allowed(host, hosts) {
        return Ok(());
    }
    // A page in somebody's browser can be made to call this address under a name of its author's choice
    // (DNS rebinding). Addresses and `localhost` cannot be such a name.
    Err(Refusal::new(Code::HostNotAllowed, format!("This hub does not answer for the host `{host}`.")))
}

fn host_of<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(header::HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(uri.host()),
        (Some(host), None) => host
            .to_str()
            .map(Some)
            .map_err(|_| Refusal::new(Code::MalformedRequest, "The `Host` header is not text.")),
        (Some(_), Some(_)) => Err(Refusal::new(Code::MalformedRequest, "There are several `Host` headers.")),
    }
}

fn is_allowed(host: &str, hosts: &[String]) -> bool {
    let name = without_port(host);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok()
        || name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || hosts.iter().any(|allowed| name.eq_ignore_ascii_case(without_port(allowed)))
}

/// The origin of a web page that is not this machine's or one of `hosts`; `None` for programs, which send none.
pub(super) fn foreign_origin<'a>(headers: &'a HeaderMap, hosts: &[String]) -> Option<&'a str> {
    let origin = headers.get(header::ORIGIN)?.to_str().unwrap_or("(not text)");
    let host = origin.split_once("://").map_or("", |(_, host)| without_port(host));
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let ours = host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        || hosts.iter().any(|allowed| host.eq_ignore_ascii_case(without_port(allowed)));
    (!ours).then_some(origin)
}

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

async fn no_such_route(method: Method, uri: Uri, ids: axum::Extension<Ids>) -> Response {
    let refusal = Refusal::new(Code::UnknownRoute, format!("There is nothing at {method} {}.", uri.path()));
    render::refusal(&refusal, &ids, false)
}

async fn no_such_method(method: Method, uri: Uri, ids: axum::Extension<Ids>) -> Response {
    let refusal = Refusal::new(Code::MethodNotAllowed, format!("{} does not take {method}.", uri.path()));
    let mut response = render::refusal(&refusal, &ids, false);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_elsewhere_are_foreign() {
        let hosts = ["hub.example".to_owned()];
        let foreign = |origin: &'static str| {
            let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
            foreign_origin(&headers, &hosts).is_some()
        };
        for origin in ["http://evil.example", "null", "http://10.0.0.1", "https://localhost.evil.example", ""]
        {
            assert!(foreign(origin), "{origin}");
        }
        for origin in
            ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080", "https://hub.example"]
        {
            assert!(!foreign(origin), "{origin}");
        }
        assert!(foreign_origin(&HeaderMap::new(), &hosts).is_none());
    }

    #[test]
    fn errors_are_told_in_the_dialect_of_the_path() {
        let none = HeaderMap::new();
        let anthropic = HeaderMap::from_iter([(
            HeaderName::from_static("anthropic-version"),
            HeaderValue::from_static("2023-06-01"),
        )]);
        assert_eq!(spoken("/v1/messages", &none), Dialect::Messages);
        assert_eq!(spoken("/v1/messages/count_tokens", &none), Dialect::Messages);
        assert_eq!(spoken("/v1/models/a/b:generateContent", &none), Dialect::Gemini);
        assert_eq!(spoken("/v1beta/models", &none), Dialect::Gemini);
        assert_eq!(spoken("/v1/responses/resp_1/cancel", &none), Dialect::Responses);
        assert_eq!(spoken("/v1/models", &none), Dialect::Chat);
        assert_eq!(spoken("/v1/models", &anthropic), Dialect::Messages);
        assert_eq!(spoken("/v1/chat/completions", &anthropic), Dialect::Chat);
    }

    #[test]
    fn names_must_be_known_and_addresses_need_not() {
        let hosts = ["hub.example".to_owned(), "other.example:443".to_owned()];
        let yes = [
            "127.0.0.1:20128",
            "localhost",
            "LOCALHOST:1",
            "[::1]:20128",
            "::1",
            "10.1.2.3",
            "a.localhost",
            "hub.example:8080",
            "HUB.example",
            "other.example",
        ];
        for host in yes {
            assert!(is_allowed(host, &hosts), "{host}");
        }
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "hub.example.evil"]
        {
            assert!(!is_allowed(host, &hosts), "{host}");
        }
    }
}
