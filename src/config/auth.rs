//! The section `auth`: who may call. Keys that are made with `trivium keys` live in the store, not here.

use std::{net::IpAddr, sync::Arc};

use super::{
    effective::Sink,
    fields::{Fields, Written},
    mask::shown,
    oidc,
    origin::Origin,
    providers::key::{is_placeholder, is_sendable},
    schema::{Key, Section},
};
use crate::engine::settings::{Issuer, Oidc, Secret};

const API_KEY: Key = Key::new("api_key", "a key as text", "${API_KEY}").short("API_KEY").secret();
const ADMIN_TOKEN: Key =
    Key::new("admin_token", "a token as text", "${ADMIN_TOKEN}").short("ADMIN_TOKEN").secret();
const REQUIRED: Key = Key::new("required", "true or false", "true");

const JWT_ISSUER: Key = Key::new("jwt_issuer", "the `iss` of tokens", "https://id.example.net");
const JWT_AUDIENCE: Key = Key::new("jwt_audience", "the `aud` of tokens", "trivium");
const JWT_JWKS_URL: Key =
    Key::new("jwt_jwks_url", "a URL with https, or of this machine", "https://id.example.net/jwks.json");
const JWT_SCOPES_CLAIM: Key = Key::new("jwt_scopes_claim", "the name of a claim", "scope");
const JWT_KEY_CLAIM: Key = Key::new("jwt_key_claim", "the name of a claim", "team");

pub(super) static SECTION: Section = Section {
    name: "auth",
    keys: &[
        API_KEY,
        ADMIN_TOKEN,
        REQUIRED,
        JWT_ISSUER,
        JWT_AUDIENCE,
        JWT_JWKS_URL,
        JWT_SCOPES_CLAIM,
        JWT_KEY_CLAIM,
        oidc::ISSUER,
        oidc::CLIENT_ID,
        oidc::CLIENT_SECRET,
        oidc::SCOPES,
        oidc::EMAILS,
        oidc::DOMAINS,
        oidc::GROUPS,
        oidc::GROUPS_CLAIM,
    ],
};

#[derive(Debug)]
pub(super) struct Auth {
    pub(super) api_key: Option<Secret>,
    pub(super) admin_token: Option<Secret>,
    pub(super) required: bool,
    pub(super) issuer: Option<Issuer>,
    pub(super) oidc: Option<Oidc>,
}

pub(super) fn read(fields: &Fields<'_>, host: &Written<IpAddr>, sink: &mut Sink) -> Auth {
    let api_key = secret(fields, &API_KEY, sink);
    let admin_token = secret(fields, &ADMIN_TOKEN, sink);
    let required = fields.truth(sink, &REQUIRED, true);
    if !required && !host.value.is_loopback() {
        let path = fields.path_of(&REQUIRED);
        let origin = fields.node(&REQUIRED).map_or_else(|| host.origin.clone(), |node| node.origin.clone());
        sink.problems.error(
            &path,
            &origin,
            format!("callers need no key, and the hub listens on {} (set by: {})", host.value, host.origin),
            "remove `required: false`, or listen on 127.0.0.1: whoever reaches the port would spend your keys",
        );
    }
    Auth { api_key, admin_token, required, issuer: issuer(fields, sink), oidc: oidc::read(fields, sink) }
}

/// Whose tokens are trusted. As long as it is not said who, for whom and with which keys, no token is.
fn issuer(fields: &Fields<'_>, sink: &mut Sink) -> Option<Issuer> {
    let named = text(fields, &JWT_ISSUER, sink);
    let audience = text(fields, &JWT_AUDIENCE, sink);
    let jwks_url = text(fields, &JWT_JWKS_URL, sink);
    let scopes_claim = text(fields, &JWT_SCOPES_CLAIM, sink).map(|written| written.value);
    let key_claim = text(fields, &JWT_KEY_CLAIM, sink).map(|written| written.value);
    if let Some(Written { value, origin }) = &jwks_url
        && !is_safe(value)
    {
        let message = format!("expected {}, found {}", JWT_JWKS_URL.kind, shown(value));
        let remedy = "write an https URL: whoever can change the keys on their way can let anybody in";
        sink.problems.error(&fields.path_of(&JWT_JWKS_URL), origin, message, remedy);
        return None;
    }
    let first = [(&JWT_ISSUER, &named), (&JWT_AUDIENCE, &audience), (&JWT_JWKS_URL, &jwks_url)];
    let given = first.iter().find_map(|(key, written)| Some((*key, written.as_ref()?)));
    if let (Some((key, written)), true) = (given, first.iter().any(|(_, written)| written.is_none())) {
        let message =
            "tokens are not trusted: `jwt_issuer`, `jwt_audience` and `jwt_jwks_url` belong together";
        sink.problems.warning(&fields.path_of(key), &written.origin, message, "write all three of them");
    }
    Some(Issuer {
        issuer: named?.value,
        audience: audience?.value,
        jwks_url: jwks_url?.value,
        scopes_claim,
        key_claim,
    })
}

pub(super) fn text(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<Written<Arc<str>>> {
    let path = fields.path_of(key);
    let Some(Written { value, origin }) = fields.text(sink, key).filter(|text| !text.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    sink.holds(path, key, value.as_str(), origin.clone());
    Some(Written { value: value.into(), origin })
}

pub(super) fn is_safe(url: &str) -> bool {
    let plain = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let host = |rest: &str| rest.starts_with(['/', ':']) || rest.is_empty();
    url.starts_with("https://") || plain.iter().any(|start| url.strip_prefix(start).is_some_and(host))
}

fn secret(fields: &Fields<'_>, key: &'static Key, sink: &mut Sink) -> Option<Secret> {
    let path = fields.path_of(key);
    let Some(Written { value, origin }) = fields.text(sink, key).filter(|text| !text.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    if !is_sendable(&value) {
        let remedy = "take the key alone, without `Bearer`, spaces or line breaks";
        sink.problems.error(&path, &origin, "the key has characters that no client can send", remedy);
    } else if is_placeholder(&value) {
        let remedy = "make one of your own, for example with `openssl rand -hex 24`";
        sink.problems.warning(
            &path,
            &origin,
            "the key looks like a placeholder that others know too",
            remedy,
        );
    }
    sink.holds(path, key, "", origin);
    Some(Secret::new(value))
}
