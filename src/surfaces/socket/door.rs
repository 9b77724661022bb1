//! Who opens a socket: the key from the headers or, since pages in browsers cannot set those, from the list of
//! subprotocols. Never from the query, which ends up in logs and histories.

use axum::{body::Body, extract::Request};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use crate::{
    engine::{caller::Caller, refusal::Refusal},
    surfaces::{front::Peer, identify::Identify},
};

/// The subprotocol that is spoken here.
pub(super) const SUBPROTOCOL: &str = "trivium";

/// What a subprotocol begins with that carries a key.
pub(super) const KEY_PREFIX: &str = "bearer.";

/// The headers that carry a key.
const KEY_HEADERS: [HeaderName; 3] =
    [header::AUTHORIZATION, HeaderName::from_static("x-api-key"), HeaderName::from_static("x-goog-api-key")];

/// What tells who has opened a socket, kept as long as that is open: a key that is revoked meanwhile opens no
/// further request, as over HTTP.
pub(in super::super) struct Credentials(Request);

impl Credentials {
    /// Takes from `request` what tells who sent it, and nothing more.
    pub(super) fn of(request: &Request) -> Self {
        let mut kept = Request::new(Body::empty());
        let headers = request.headers();
        for name in KEY_HEADERS.into_iter().chain([header::ORIGIN]) {
            if let Some(value) = headers.get(&name) {
                kept.headers_mut().insert(name, value.clone());
            }
        }
        let named = KEY_HEADERS.iter().any(|name| kept.headers().contains_key(name));
        if let Some(bearer) = bearer(headers).filter(|_| !named) {
            kept.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        if let Some(peer) = request.extensions().get::<Peer>() {
            kept.extensions_mut().insert(*peer);
        }
        Self(kept)
    }

    /// The caller, as of now. Counts as one request of its address.
    ///
    /// # Errors
    /// As for a request over HTTP.
    pub(in super::super) fn caller(&self, identify: &Identify) -> Result<Caller, Refusal> {
        identify.caller(&self.0)
    }
}

/// Whether `uri` asks for the dry check: `?handshake=1`.
pub(super) fn is_probe(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "handshake=1"))
}

/// Whether the client offers the subprotocol that is spoken here.
pub(super) fn speaks_ours(headers: &HeaderMap) -> bool {
    subprotocols(headers).any(|one| one == SUBPROTOCOL)
}

fn bearer(headers: &HeaderMap) -> Option<HeaderValue> {
    let key = subprotocols(headers).find_map(|one| one.strip_prefix(KEY_PREFIX))?;
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn subprotocols(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',').map(str::trim))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(headers: &[(&'static str, &'static str)]) -> Option<String> {
        let mut request = Request::new(Body::empty());
        for (name, value) in headers {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        let kept = Credentials::of(&request).0;
        kept.headers()
            .get(header::AUTHORIZATION)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into())
    }

    #[test]
    fn a_key_may_come_as_a_subprotocol_and_headers_go_first() {
        let offered = ("sec-websocket-protocol", "trivium, bearer.k1");
        assert_eq!(authorization(&[offered]).as_deref(), Some("Bearer k1"));
        let lines = [("sec-websocket-protocol", "trivium"), ("sec-websocket-protocol", "bearer.k2,x")];
        assert_eq!(authorization(&lines).as_deref(), Some("Bearer k2"));
        assert_eq!(authorization(&[offered, ("authorization", "Bearer h")]).as_deref(), Some("Bearer h"));
        assert_eq!(authorization(&[offered, ("x-api-key", "h")]), None, "the other header speaks for itself");
        assert_eq!(authorization(&[("sec-websocket-protocol", "bearer, trivium")]), None);
    }

    #[test]
    fn the_probe_is_asked_for_by_its_name_and_value() {
        for (uri, is) in [
            ("/v1/ws?handshake=1", true),
            ("/v1/ws?a=b&handshake=1", true),
            ("/v1/ws?handshake=0", false),
            ("/v1/ws?xhandshake=1", false),
            ("/v1/ws", false),
        ] {
            assert_eq!(is_probe(&Uri::from_static(uri)), is, "{uri}");
        }
    }
}
