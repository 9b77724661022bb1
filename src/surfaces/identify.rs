//! Who is calling over HTTP: the key from the headers, the address from the connection, and the rate that
//! the address is allowed.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::extract::Request;
use canon::Dialect;
use http::{HeaderMap, Uri, header};
use operations::{Scopes, keys::KEY_TEXT_PREFIX};

use super::{
    Handles,
    front::{self, Peer, spoken},
};
use crate::{
    auth::{AuthError, Gate},
    engine::{
        Engine,
        caller::{Caller, CallerKind},
        code::Code,
        refusal::Refusal,
    },
};

/// The headers in which Anthropic's and Google's clients send a key.
const KEY_HEADERS: [&str; 2] = ["x-api-key", "x-goog-api-key"];

/// Tells who is calling.
#[derive(Clone)]
pub(super) struct Identify {
    gate: Arc<Gate>,
    engine: Arc<Engine>,
    required: bool,
    hosts: Arc<[String]>,
}

impl Identify {
    pub(super) fn new(handles: &Handles) -> Self {
        Self {
            gate: Arc::clone(&handles.gate),
            engine: Arc::clone(&handles.engine),
            required: handles.auth_required,
            hosts: Arc::clone(&handles.allowed_hosts),
        }
    }

    /// The caller of `request`.
    ///
    /// # Errors
    /// When it has no valid key, or its address sends too much.
    pub(super) fn caller(&self, request: &Request) -> Result<Caller, Refusal> {
        let address = request.extensions().get::<Peer>().map(|peer| peer.0);
        let snapshot = self.engine.snapshot();
        self.engine.admission().rate(address, &snapshot.settings.limits, self.engine.clock().now())?;
        let token = token_of(request.headers()).map(Cow::Borrowed).or_else(|| token_in(request.uri()));
        match self.gate.identify(token.as_deref(), address) {
            Ok(caller) => Ok(caller),
            // Without required keys a client may send none, or whatever its settings demand of it. But not
            // a web page: any page that somebody visits could spend money and make keys here.
            Err(_) if !self.required => match front::foreign_origin(request.headers(), &self.hosts) {
                Some(origin) => Err(Refusal::new(
                    Code::HostNotAllowed,
                    format!("Pages of `{origin}` may not use this hub without a key."),
                )),
                None => Ok(anybody(address)),
            },
            Err(error) => Err(refusal(&error)),
        }
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
