//! Serving the card: for everybody at the places where clients look, for callers over the protocol; signed where the form allows
//! it, with the public key beside it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use a2a::{
    Code, Failure, Version,
    card::{self as wire, Card, Signature},
};
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    super::{Handles, front::Ids, place::Place, render},
    card,
    visitor::Visitor,
};
use crate::{
    engine::{Engine, code::Code as Public, refusal::Refusal},
    ops::signing::{Signer, SigningError},
};

/// Where clients of both versions, and of those before, look for the card.
pub(super) const PATHS: [&str; 2] = [wire::PATH, wire::OLD_PATH];

/// The card of 1.0 and nothing else: its schema allows no field of 0.3. Signed.
pub(super) const PURE: &str = "/a2a/v1/.well-known/agent-card.json";

/// The key to check signatures with.
pub(super) const KEYS: &str = "/.well-known/jwks.json";

/// For how long anybody may keep the card.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Who serves cards.
pub(super) struct Cards {
    engine: Arc<Engine>,
    signer: Arc<Signer>,
    place: Place,
    /// Since when it is as it is: the start of the process, as HTTP writes times.
    since: HeaderValue,
    /// The last signatures with the card that they are over: one differs from the next over the same, and what is asked for
    /// most is the same card.
    last: Mutex<Option<(String, Vec<Signature>)>>,
}

impl Cards {
    pub(super) fn new(handles: &Handles) -> Self {
        let (engine, signer) = (Arc::clone(&handles.engine), Arc::clone(&handles.card_signer));
        let since = u64::try_from(engine.clock().now()).unwrap_or_default();
        let since = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(since));
        let since = HeaderValue::from_str(&since).unwrap_or(HeaderValue::from_static(""));
        Self { engine, signer, place: Place::new(handles), since, last: Mutex::default() }
    }

    /// The card for a caller, in the words of a version.
    ///
    /// # Errors
    /// When there is no key to sign with, or the card cannot be said in that version.
    pub(super) async fn extended(&self, visitor: &Visitor, version: Version) -> Result<Value, Failure> {
        let internal = |_| Failure::from(Code::Internal);
        let card = card::extended(&visitor.base, &visitor.caller);
        match version {
            Version::V1 => Ok(wire::v1(&self.signed(card, &visitor.base).await.map_err(internal)?)),
            Version::V03 => wire::v03(&card).map_err(|_| Failure::from(Code::Internal)),
        }
    }

    /// The card with two signatures over it, of which a client needs one: over what the specification has signed, and over
    /// what the SDKs take that for, who leave out everything that is empty, required or not.
    async fn signed(&self, card: Card, base: &str) -> Result<Card, SigningError> {
        let key = self.signer.key().await?;
        let protected =
            json!({"alg": "ES256", "typ": "JOSE", "kid": key.id(), "jku": format!("{base}{KEYS}")});
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let canonical = wire::canonical(&card);
        if let Some((_, signatures)) = self.last().as_ref().filter(|(last, _)| *last == canonical) {
            return Ok(Card { signatures: signatures.clone(), ..card });
        }
        let sign = |payload: &str| {
            let over = format!("{protected}.{}", URL_SAFE_NO_PAD.encode(payload));
            let signature = URL_SAFE_NO_PAD.encode(key.sign(over.as_bytes())?);
            Ok::<_, SigningError>(Signature { protected: protected.clone(), signature, header: None })
        };
        let signatures = vec![sign(&canonical)?, sign(&wire::canonical_without_empty(&card))?];
        *self.last() = Some((canonical, signatures.clone()));
        Ok(Card { signatures, ..card })
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<(String, Vec<Signature>)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that may be kept, or the word that what was kept still holds.
    fn kept(&self, headers: &HeaderMap, body: String) -> Response {
        let hash = Sha256::digest(&body);
        let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or_default()));
        let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut known =
            known.flat_map(|value| value.split(',')).map(|one| one.trim().trim_start_matches("W/"));
        let mut response = if known.any(|one| one == tag || one == "*") {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Response::new(Body::from(body))
        };
        let answer = response.headers_mut();
        answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer.insert(header::CACHE_CONTROL, KEPT);
        answer.insert(header::LAST_MODIFIED, self.since.clone());
        // The addresses in it are those by which the client came.
        answer.insert(header::VARY, HeaderValue::from_static("host"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            answer.insert(header::ETAG, tag);
        }
        response
    }

    fn is_on(&self) -> bool {
        self.engine.snapshot().settings.a2a.enabled
    }
}

/// The card for clients of both versions.
pub(super) async fn both(
    State(cards): State<Arc<Cards>>,
    ids: axum::Extension<Ids>,
    headers: HeaderMap,
) -> Response {
    if !cards.is_on() {
        return off(&ids);
    }
    match wire::hybrid(&card::open(&cards.place.base(&headers))) {
        Ok(card) => cards.kept(&headers, card.to_string()),
        Err(error) => failed(&ids, &error.to_string()),
    }
}

/// The card of 1.0, signed.
pub(super) async fn pure(
    State(cards): State<Arc<Cards>>,
    ids: axum::Extension<Ids>,
    headers: HeaderMap,
) -> Response {
    if !cards.is_on() {
        return off(&ids);
    }
    let base = cards.place.base(&headers);
    match cards.signed(card::open(&base), &base).await {
        Ok(card) => cards.kept(&headers, wire::v1(&card).to_string()),
        Err(error) => failed(&ids, &error.to_string()),
    }
}

/// The public key.
pub(super) async fn keys(
    State(cards): State<Arc<Cards>>,
    ids: axum::Extension<Ids>,
    headers: HeaderMap,
) -> Response {
    if !cards.is_on() {
        return off(&ids);
    }
    match cards.signer.key().await {
        Ok(key) => cards.kept(&headers, json!({"keys": [key.public()]}).to_string()),
        Err(error) => failed(&ids, &error.to_string()),
    }
}

fn off(ids: &Ids) -> Response {
    render::refusal(&Refusal::new(Public::NotFound, "A2A is switched off (`a2a.enabled`)."), ids, false)
}

fn failed(ids: &Ids, why: &str) -> Response {
    render::refusal(
        &Refusal::new(Public::Internal, format!("The card could not be made: {why}.")),
        ids,
        false,
    )
}
