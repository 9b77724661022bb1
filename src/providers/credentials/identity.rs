//! Whose account it is, by the ID token that came with the tokens (OpenID Connect Core 1.0). With the issuer's keys its
//! signature is checked. Without them it is taken at its word: it came straight from the token endpoint over TLS, whose
//! certificate says who speaks (3.1.3.7, point 6).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::Jwk};
use serde_json::Value;

use super::endpoint::Door;
use crate::{
    engine::settings::{OAuth, Secret},
    ops::ports::oauth::{GrantError, Identity},
};

/// For how long an issuer's keys are good, in milliseconds.
const KEYS_LIVE: i64 = 600_000;
/// A key that is not known is looked for no more often than this, in milliseconds.
const KEYS_REST: i64 = 60_000;
/// Issuers whose keys are remembered; all are forgotten when there are more.
const ISSUERS: usize = 64;
/// By how much clocks may differ, in milliseconds.
const LEEWAY: i64 = 60_000;
/// Claims in which issuers name the organization, where the settings name none.
const WORKSPACES: [&str; 4] = ["org_id", "organization_id", "workspace_id", "tid"];

/// The keys of issuers, by where they are had.
#[derive(Default)]
pub(super) struct Issuers {
    known: Mutex<HashMap<String, Keys>>,
}

#[derive(Clone)]
struct Keys {
    had_at: i64,
    keys: Arc<[Jwk]>,
}

/// Who an ID token speaks of. `nonce` is what it must repeat, where a browser was involved.
///
/// # Errors
/// When it does not hold, or the issuer's keys cannot be had.
pub(super) async fn read(
    issuers: &Issuers,
    door: &Door,
    oauth: &OAuth,
    token: &Secret,
    nonce: Option<&Secret>,
    now: i64,
) -> Result<Identity, GrantError> {
    let claims = match &oauth.jwks_url {
        Some(url) => verified(issuers, door, url, token.expose(), now).await?,
        None => unverified(token.expose()).ok_or_else(|| bad("is not readable"))?,
    };
    check(&claims, oauth, nonce, now)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Identity {
        issuer: text("iss").unwrap_or_default(),
        subject: text("sub").ok_or_else(|| bad("names no account"))?,
        workspace: workspace(&claims, oauth.workspace_claim.as_deref()),
        email: text("email"),
    })
}

fn check(claims: &Value, oauth: &OAuth, nonce: Option<&Secret>, now: i64) -> Result<(), GrantError> {
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    if oauth.issuer.as_deref().is_some_and(|wanted| wanted != issuer) {
        return Err(bad("is from another issuer than `oauth.issuer`"));
    }
    let ours = match claims.get("aud") {
        Some(Value::String(one)) => *one == oauth.client_id,
        Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(&oauth.client_id)),
        _ => false,
    };
    if !ours {
        return Err(bad("is for another application"));
    }
    let ends = claims.get("exp").and_then(Value::as_f64).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest time there is")]
    let ends = (ends * 1000.0) as i64;
    if ends.saturating_add(LEEWAY) < now {
        return Err(bad("has ended"));
    }
    // One that says none was made by a server that knows none.
    match (nonce, claims.get("nonce").and_then(Value::as_str)) {
        (Some(nonce), Some(said)) if nonce.expose() != said => Err(bad("belongs to another login")),
        _ => Ok(()),
    }
}

/// The claim that tells workspaces apart: by name, or by JSON pointer where it lies deeper.
fn workspace(claims: &Value, claim: Option<&str>) -> Option<String> {
    let found = |name: &str| match name.starts_with('/') {
        true => claims.pointer(name),
        false => claims.get(name),
    };
    let text = |name: &str| found(name).and_then(Value::as_str).map(str::to_owned);
    match claim {
        Some(name) => text(name),
        None => WORKSPACES.into_iter().find_map(text),
    }
}

/// The claims as they are.
fn unverified(token: &str) -> Option<Value> {
    let body = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body.trim_end_matches('=')).ok()?).ok()
}

async fn verified(
    issuers: &Issuers,
    door: &Door,
    url: &str,
    token: &str,
    now: i64,
) -> Result<Value, GrantError> {
    let header = decode_header(token).map_err(|_| bad("is not readable"))?;
    if matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512) {
        return Err(bad("is signed with a shared secret, which proves nothing here"));
    }
    let fits = |key: &Jwk| header.kid.is_none() || key.common.key_id == header.kid;
    let mut keys = issuers.keys(door, url, now, KEYS_LIVE).await?;
    if !keys.iter().any(fits) {
        // The issuer may have changed its keys.
        keys = issuers.keys(door, url, now, KEYS_REST).await?;
    }
    let mut rules = Validation::new(header.alg);
    // The time is checked by the hub's own clock, and the audience where the settings are known.
    (rules.validate_exp, rules.validate_aud) = (false, false);
    rules.required_spec_claims.clear();
    let claims = keys.iter().filter(|key| fits(key)).find_map(|key| {
        let key = DecodingKey::from_jwk(key).ok()?;
        decode::<Value>(token, &key, &rules).ok().map(|found| found.claims)
    });
    claims.ok_or_else(|| bad("is not signed by its issuer"))
}

impl Issuers {
    /// The keys at a URL, no older than `live` milliseconds.
    async fn keys(&self, door: &Door, url: &str, now: i64, live: i64) -> Result<Arc<[Jwk]>, GrantError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(url).cloned();
        if let Some(known) = known.filter(|known| now.saturating_sub(known.had_at) < live) {
            return Ok(known.keys);
        }
        let unavailable = |why: String| GrantError::Unavailable(format!("the issuer's keys: {why}"));
        let request = http::Request::get(url)
            .body(Bytes::new())
            .map_err(|_| GrantError::Settings("`oauth.jwks_url` cannot be used".to_owned()))?;
        let answer = door.ask(request).await.map_err(|error| unavailable(error.to_string()))?;
        let set: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        // One by one: a kind of key that is not known here must not hide the others.
        let all = set.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let keys: Arc<[Jwk]> =
            all.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
        if keys.is_empty() {
            return Err(unavailable("there are none".to_owned()));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ISSUERS {
            known.clear();
        }
        known.insert(url.to_owned(), Keys { had_at: now, keys: Arc::clone(&keys) });
        Ok(keys)
    }
}

fn bad(what: &str) -> GrantError {
    GrantError::Identity(format!("the login was not accepted: its ID token {what}"))
}
