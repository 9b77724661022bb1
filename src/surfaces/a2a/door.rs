//! What a request passes before the protocol sees it: the page that sends it, the switch, who asks, and the body within its
//! bounds. What the protocol itself refuses is not decided here.

use std::sync::Arc;

use a2a::version;
use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    super::{
        Handles, body,
        front::{Ids, foreign_origin},
        identify::Identify,
        place::Place,
        render,
        stay::Stays,
    },
    BODY_LIMIT,
    agent::Agent,
    methods::Table,
    visitor::{Visitor, echo, said, wants_extension},
};
use crate::engine::{Engine, code::Code, refusal::Refusal};

const JSON: &str = "application/json";

/// What a page of this machine may send, and read of the answer.
const MAY_SEND: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, accept, last-event-id, a2a-version, a2a-extensions, x-a2a-extensions",
);
const MAY_READ: HeaderValue =
    HeaderValue::from_static("a2a-extensions, x-a2a-extensions, www-authenticate, x-request-id");

/// What stands before the protocol.
#[derive(Clone)]
pub(super) struct Door {
    identify: Identify,
    engine: Arc<Engine>,
    place: Place,
    pub(super) agent: Arc<Agent>,
    pub(super) methods: Table,
    pub(super) keep_alive: std::time::Duration,
}

/// Why a request does not come in.
pub(super) enum Closed {
    /// The operator has switched it off.
    Off,
    /// Somebody or something is not let in.
    Refused(Box<Refusal>),
}

/// A request that came in.
pub(super) struct Entered {
    pub(super) visitor: Visitor,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    stays: Option<Stays>,
}

impl Door {
    pub(super) fn new(handles: &Handles, identify: &Identify, agent: Arc<Agent>) -> Self {
        Self {
            identify: identify.clone(),
            engine: Arc::clone(&handles.engine),
            place: Place::new(handles),
            methods: Table::new(Arc::clone(&agent)),
            agent,
            keep_alive: handles.keep_alive,
        }
    }

    /// Lets a request in, or answers why not by `closed`. `answer` does the rest.
    pub(super) async fn enter<Answer>(
        &self,
        ids: &Ids,
        request: Request,
        closed: impl Fn(&Closed) -> Bytes,
        answer: impl FnOnce(Entered) -> Answer,
    ) -> Response
    where
        Answer: Future<Output = Response>,
    {
        if let Some(origin) = foreign_origin(request.headers(), self.identify.hosts()) {
            let text = format!("Pages of `{origin}` may not use this hub.");
            let refused = Closed::Refused(Box::new(Refusal::new(Code::HostNotAllowed, text)));
            return Self::turned_away(&refused, ids, &closed);
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = if request.method() == Method::OPTIONS {
            preflight()
        } else {
            let extended = wants_extension(request.headers());
            // On the heap, so that other requests do not carry its state.
            match Box::pin(self.let_in(ids, request)).await {
                Ok(entered) => {
                    let mut response = Box::pin(answer(entered)).await;
                    if extended {
                        echo(response.headers_mut());
                    }
                    response
                }
                Err(refused) => Self::turned_away(&refused, ids, &closed),
            }
        };
        if let Some(origin) = origin {
            let headers = response.headers_mut();
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, MAY_READ);
            headers.append(header::VARY, HeaderValue::from_static("origin"));
        }
        response
    }

    async fn let_in(&self, ids: &Ids, request: Request) -> Result<Entered, Closed> {
        if !self.engine.snapshot().settings.a2a.enabled {
            return Err(Closed::Off);
        }
        let refused = |refusal| Closed::Refused(Box::new(refusal));
        let caller = self.identify.caller(&request).map_err(refused)?;
        let (parts, body) = request.into_parts();
        let body = body::read(&parts.headers, body, BODY_LIMIT).await.map_err(refused)?;
        let visitor = Visitor {
            caller,
            request: Arc::clone(&ids.own),
            base: self.place.base(&parts.headers).into(),
            last_event: said(&parts.headers, "last-event-id").and_then(|id| id.trim().parse().ok()),
        };
        let stays = parts.extensions.get::<Stays>().cloned();
        Ok(Entered { visitor, headers: parts.headers, body, stays })
    }

    fn turned_away(why: &Closed, ids: &Ids, body: &impl Fn(&Closed) -> Bytes) -> Response {
        let mut response = match why {
            Closed::Off => render::refusal(&Refusal::new(Code::NotFound, ""), ids, false),
            Closed::Refused(refusal) => render::refusal(refusal, ids, false),
        };
        if matches!(why, Closed::Off) {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        }
        *response.body_mut() = Body::from(body(why));
        response
    }
}

impl Closed {
    /// In words, with what to do next.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Off => "A2A is switched off (`a2a.enabled`).".to_owned(),
            Self::Refused(refusal) => {
                format!("{} {}", refusal.message, refusal.code.remedy()).trim_end().to_owned()
            }
        }
    }
}

impl Entered {
    /// The version that the client names, in the header or in the query.
    pub(super) fn version<'a>(&'a self, query: Option<&'a str>) -> Option<std::borrow::Cow<'a, str>> {
        let named = query.and_then(|query| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(name, _)| name.eq_ignore_ascii_case(version::VERSION_HEADER)).map(|(_, value)| value)
        });
        let header = said(&self.headers, version::VERSION_HEADER);
        version::said(header, named.as_deref()).map(|said| said.to_owned().into())
    }

    /// The type of an answer over HTTP+JSON: the protocol's own, unless the client speaks plain JSON and does not ask for it.
    pub(super) fn answered_in(&self) -> &'static str {
        let own = a2a::rest::CONTENT_TYPE;
        let names = |name| self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let asks = names(header::ACCEPT).any(|value| value.contains(own));
        let plain = names(header::CONTENT_TYPE).any(|value| value.starts_with(JSON));
        if plain && !asks { JSON } else { own }
    }

    /// Whether the body says that it is JSON. One that says nothing is taken for it.
    pub(super) fn is_json(&self) -> bool {
        let Some(kind) = self.headers.get(header::CONTENT_TYPE) else { return true };
        let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case(JSON) || kind.eq_ignore_ascii_case(a2a::rest::CONTENT_TYPE)
    }

    /// A stream's answer: it ends when the hub stops, or nothing else would.
    pub(super) fn standing(&self, response: Response) -> Response {
        let Some(mut stay) = self.stays.as_ref().map(Stays::enter) else { return response };
        response.map(|body| {
            let draining = async move { stay.draining().await };
            Body::from_stream(body.into_data_stream().take_until(Box::pin(draining)))
        })
    }
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

/// An answer in JSON.
pub(super) fn json(status: u16, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A header that tells which methods a path takes.
pub(super) fn allow(response: &mut Response, methods: &str) {
    if let Ok(methods) = HeaderValue::from_str(methods) {
        response.headers_mut().insert(HeaderName::from_static("allow"), methods);
    }
}
