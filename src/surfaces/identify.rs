//! Who is calling over HTTP: the key from the headers, the address from the connection, and the rate that
//! the address is allowed.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::extract::Request;
use canon::Dialect;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use operations::{Scopes, keys::KEY_TEXT_PREFIX};

use super::{
    Handles,
    front::{self, Peer, spoken},
};
use crate::{
    auth::{AuthError, Gate, SessionIndex, Visitor, csrf_of},
    engine::{
        Engine,
        caller::{Caller, CallerKind},
        code::Code,
        policy,
        refusal::Refusal,
    },
};

/// The cookie that opens a session.
pub(super) const COOKIE: &str = "trivium_session";

/// The header in which a page of the hub proves that it is one.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// The headers in which Anthropic's and Google's clients send a key.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-goog-api-key"];

/// Tells who is calling. Clones are the same: each request has one.
#[derive(Clone)]
pub(super) struct Identify(Arc<Known>);

struct Known {
    gate: Arc<Gate>,
    engine: Arc<Engine>,
    sessions: Arc<SessionIndex>,
    required: bool,
    hosts: Arc<[String]>,
}

impl Identify {
    pub(super) fn new(handles: &Handles) -> Self {
        Self(Arc::new(Known {
            gate: Arc::clone(&handles.gate),
            engine: Arc::clone(&handles.engine),
            sessions: Arc::clone(handles.admin.sessions()),
            required: handles.auth_required,
            hosts: Arc::clone(&handles.allowed_hosts),
        }))
    }

    /// The caller of `request`.
    ///
    /// # Errors
    /// When it has no valid key, or its address sends too much.
    pub(super) fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let address = self.arrive(request)?;
        let token = token_of(request.headers()).map(Cow::Borrowed).or_else(|| token_in(request.uri()));
        if token.is_none() && cookie_of(request.headers()).is_some() {
            match self.visitor(request) {
                Ok((visitor, _)) if visitor.must_change => {
                    let text = "The password was made for a first login and must be changed.";
                    return Err(Refusal::new(Code::PasswordChangeRequired, text));
                }
                Ok((visitor, _)) => return Ok(visitor.caller),
                Err(refusal) if self.0.required => return Err(refusal),
                Err(_) => {}
            }
        }
        match self.0.gate.identify(token.as_deref(), address) {
            Ok(caller) => policy::enter(&caller, self.0.engine.clock().now()).map(|()| caller),
            // Without required keys a client may send none, or whatever its settings demand of it. But not
            // a web page: any page that somebody visits could spend money and make keys here.
            Err(_) if !self.0.required => match front::foreign_origin(request.headers(), &self.0.hosts) {
                Some(origin) => Err(Refusal::new(
                    Code::HostNotAllowed,
                    format!("Pages of `{origin}` may not use this hub without a key."),
                )),
                None => Ok(anybody(address)),
            },
            Err(error) => Err(refusal(&error)),
        }
    }

    /// Where a request comes from; counts it as one of its address.
    ///
    /// # Errors
    /// When the address sends too much.
    pub(super) fn arrive(&self, request: &Request) -> Result<Option<IpAddr>, Refusal> {
        let address = request.extensions().get::<Peer>().map(|peer| peer.0);
        let snapshot = self.0.engine.snapshot();
        self.0.engine.admission().rate(address, &snapshot.settings.limits, self.0.engine.clock().now())?;
        Ok(address)
    }

    /// Whose session the cookie of `request` opens, and its token. A change has to prove that a page of the hub asks for it.
    ///
    /// # Errors
    /// When it opens none, or the proof is missing.
    pub(super) fn visitor(&self, request: &Request) -> Result<(Visitor, String), Refusal> {
        let headers = request.headers();
        let Some(token) = cookie_of(headers) else {
            return Err(Refusal::new(Code::MissingKey, "There is no session: log in first."));
        };
        let address = request.extensions().get::<Peer>().map(|peer| peer.0);
        let visitor = self
            .0
            .sessions
            .identify(token, address)
            .map_err(|_| Refusal::new(Code::InvalidKey, "The session has ended: log in again."))?;
        if !request.method().is_safe() {
            let sent = headers.get(CSRF).map(HeaderValue::as_bytes);
            // Both are of one length and follow from a secret: how long the comparison takes tells nothing of use.
            if sent != Some(csrf_of(token).as_bytes()) || !is_same_origin(headers, &self.0.hosts) {
                return Err(Refusal::new(
                    Code::CsrfFailed,
                    "It is not certain that a page of this hub asks.",
                ));
            }
        }
        Ok((visitor, token.to_owned()))
    }

    /// Host names that the hub answers for.
    pub(super) fn hosts(&self) -> &[String] {
        &self.0.hosts
    }

    /// The caller, if there is a valid key; for routes that tell more to those who have one.
    pub(super) fn known_caller(&self, request: &Request) -> Option<Caller> {
        self.caller(request).ok()
    }
}

/// The key among what a request carries. Clients whose settings have several send several, some of them left over: one
/// that looks like the hub's own goes first.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
    });
    let others = KEY_HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    let sent: Vec<&str> = bearer.into_iter().chain(others).filter(|token| !token.is_empty()).collect();
    sent.iter().find(|token| token.starts_with(KEY_TEXT_PREFIX)).or(sent.first()).copied()
}

/// Whether a request carries a key of any kind, right or wrong.
pub(super) fn has_credential(headers: &HeaderMap) -> bool {
    token_of(headers).is_some()
}

/// The token in the session's cookie.
fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    cookie_named(headers, COOKIE)
}

/// What a cookie holds, unless that is nothing.
pub(super) fn cookie_named<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == wanted).map(|(_, token)| token).find(|token| !token.is_empty())
}

/// Whether a browser, if it is one, says that a page of the hub asks: by the kind of request, and by the page's origin,
/// which has the host that is asked, or one that the hub answers for.
pub(super) fn is_same_origin(headers: &HeaderMap, hosts: &[String]) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(site, None | Some(b"same-origin" | b"none")) {
        return false;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let place = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, place)| place);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    place.is_some_and(|place| {
        host.is_some_and(|host| host.eq_ignore_ascii_case(place))
            || hosts
                .iter()
                .any(|allowed| front::without_port(place).eq_ignore_ascii_case(front::without_port(allowed)))
    })
}

/// The key in the query, as Gemini's REST examples send it. Nowhere else: addresses end up in the logs of whatever
/// stands between.
fn token_in(uri: &Uri) -> Option<Cow<'_, str>> {
    if spoken(uri.path(), &HeaderMap::new()) != Dialect::Gemini {
        return None;
    }
    let pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.filter(|(name, _)| name == "key").map(|(_, token)| token).find(|token| !token.is_empty())
}

/// Everybody, when the operator has switched keys off. Configuration allows that on loopback only.
fn anybody(address: Option<IpAddr>) -> Caller {
    Caller {
        id: "anybody".into(),
        name: "anybody".into(),
        kind: CallerKind::Environment,
        scopes: Scopes::all(),
        address,
        policy: None,
    }
}

fn refusal(error: &AuthError) -> Refusal {
    match error {
        AuthError::Missing => Refusal::new(Code::MissingKey, "No API key was sent."),
        AuthError::Throttled { retry_after } => {
            Refusal::new(Code::TooManyFailures, "Too many wrong keys came from your address.")
                .retry_after(*retry_after)
        }
        other => Refusal::new(Code::InvalidKey, format!("The API key is not accepted: {other}.")),
    }
}
