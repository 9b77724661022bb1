//! Bearer tokens that an issuer which the operator trusts has signed (JWT, RFC 7519). Who it is and what it may is in the
//! claims; whose signature it is, among the issuer's keys, which are fetched now and then and when a token names one that is
//! not known. Only signatures of which the hub has the public half: no secret that both share, and never `none`.

use std::{collections::HashSet, net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{AlgorithmParameters, Jwk, JwkSet},
};
use operations::Scopes;
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::{AuthError, KeyIndex, ports::scopes_from_text};
use crate::{
    engine::{
        caller::{Caller, CallerKind, Policy},
        ports::Clock,
        settings::Issuer,
    },
    observe::events,
    outbound::Transport,
};

/// The issuer's keys are looked at again after this time.
const FRESH: Duration = Duration::from_secs(15 * 60);
/// However many unknown keys tokens name, and however often a fetch fails, the issuer is asked no more often than this.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a fetch may take, and what it may bring: a key is under a kilobyte.
const PATIENCE: Duration = Duration::from_secs(10);
const MOST_BYTES: usize = 256 * 1024;
/// Longest token and longest subject that are looked at, in bytes.
const LONGEST: usize = 16 * 1024;
const SUBJECT: usize = 128;
/// What clocks may differ, in seconds.
const LEEWAY: i64 = 60;
/// What a caller's id begins with.
const ID_PREFIX: &str = "jwt:";

/// The signatures that are taken. What both sides could make (HS256 and the like) is not among them.
const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Tells callers by their tokens.
pub struct Tokens {
    issuer: Issuer,
    keys: ArcSwap<JwkSet>,
    index: Arc<KeyIndex>,
    clock: Arc<dyn Clock>,
    /// A token named a key that is not known.
    wanted: Notify,
}

impl Tokens {
    /// Tokens of `issuer`, whose keys are not known yet; policies are those of the keys in `index`.
    #[must_use]
    pub fn new(issuer: Issuer, index: Arc<KeyIndex>, clock: Arc<dyn Clock>) -> Self {
        let keys = ArcSwap::from_pointee(JwkSet { keys: Vec::new() });
        Self { issuer, keys, index, clock, wanted: Notify::new() }
    }

    /// Whether a text has the form of such a token.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.len() <= LONGEST
            && text.starts_with("eyJ")
            && text.bytes().filter(|byte| *byte == b'.').count() == 2
    }

    /// Takes the issuer's keys.
    pub fn trust(&self, keys: JwkSet) {
        self.keys.store(Arc::new(keys));
    }

    /// Who presents `token`.
    ///
    /// # Errors
    /// [`AuthError::Unknown`] when nobody vouches for it, or it is for somebody else; [`AuthError::Expired`].
    pub fn identify(&self, token: &str, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        let claims = self.claims(token).ok_or(AuthError::Unknown)?;
        let now = self.clock.now() / 1000;
        let second = |name: &str| claims.get(name).and_then(Value::as_f64).map(whole);
        if second("exp").is_none_or(|end| end.saturating_add(LEEWAY) <= now) {
            return Err(AuthError::Expired);
        }
        if second("nbf").is_some_and(|begin| begin.saturating_sub(LEEWAY) > now) {
            return Err(AuthError::Unknown);
        }
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .filter(|text| (1..=SUBJECT).contains(&text.len()) && !text.chars().any(char::is_control));
        let name = subject.ok_or(AuthError::Unknown)?;
        Ok(Caller {
            id: format!("{ID_PREFIX}{name}").into(),
            name: name.into(),
            kind: CallerKind::Token,
            scopes: self.scopes(&claims),
            address,
            policy: self.policy(&claims)?,
        })
    }

    /// What a token says, if its signature is the issuer's and it is for this hub.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        let header = jsonwebtoken::decode_header(token).ok()?;
        ALGORITHMS.iter().find(|(_, algorithm)| *algorithm == header.alg)?;
        let keys = self.keys.load();
        let Some(key) = chosen(&keys, header.kid.as_deref()) else {
            // It may be new: whoever fetches the keys looks, and the next try succeeds.
            self.wanted.notify_one();
            return None;
        };
        if !fits(key, header.alg) {
            return None;
        }
        let mut validation = Validation::new(header.alg);
        validation.set_issuer(&[&self.issuer.issuer]);
        validation.set_audience(&[&self.issuer.audience]);
        validation.required_spec_claims =
            ["exp", "iss", "aud", "sub"].into_iter().map(str::to_owned).collect::<HashSet<_>>();
        // The hub's clock decides, not the library's.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let key = DecodingKey::from_jwk(key).ok()?;
        jsonwebtoken::decode(token, &key, &validation).ok().map(|decoded| decoded.claims)
    }

    /// The hub's scopes among those of the token; what a client needs, where the operator named no claim for them.
    fn scopes(&self, claims: &Map<String, Value>) -> Scopes {
        let Some(claim) = &self.issuer.scopes_claim else { return Scopes::client() };
        match claims.get(&**claim) {
            Some(Value::String(words)) => scopes_from_text(words),
            Some(Value::Array(words)) => {
                words.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()).collect()
            }
            _ => Scopes::default(),
        }
    }

    /// The policy of the key that the token names, where the operator said which claim does. One that names none is
    /// nobody's: what nobody has limited is not let in by mistake.
    fn policy(&self, claims: &Map<String, Value>) -> Result<Option<Arc<Policy>>, AuthError> {
        let Some(claim) = &self.issuer.key_claim else { return Ok(None) };
        let name = claims.get(&**claim).and_then(Value::as_str).ok_or(AuthError::Unknown)?;
        self.index.policy_of(name).ok_or(AuthError::Unknown)
    }

    /// Fetches the issuer's keys, and again when it is time or a token names one that is not known. Never returns.
    pub async fn keep_fresh(self: Arc<Self>, transport: Arc<dyn Transport>) {
        loop {
            match fetch(&*transport, &self.issuer.jwks_url).await {
                Ok(keys) => self.trust(keys),
                // Those that are known go on to be trusted: an issuer that is down is no reason to lock all out.
                Err(error) => events::issuer_keys_failed(&self.issuer.jwks_url, &error),
            }
            tokio::time::sleep(PAUSE).await;
            drop(tokio::time::timeout(FRESH, self.wanted.notified()).await);
        }
    }
}

/// The key that a token names; the only one there is, where it names none.
fn chosen<'a>(keys: &'a JwkSet, id: Option<&str>) -> Option<&'a Jwk> {
    match (id, keys.keys.as_slice()) {
        (None, [only]) => Some(only),
        (None, _) => None,
        (Some(id), all) => all.iter().find(|key| key.common.key_id.as_deref() == Some(id)),
    }
}

/// Whether a key is of the kind that an algorithm takes, and the one that it says it is for.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match &key.algorithm {
        AlgorithmParameters::RSA(_) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, Algorithm::ES256 | Algorithm::ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => false,
    };
    let named = key.common.key_algorithm.is_none_or(|own| {
        ALGORITHMS.iter().any(|(word, known)| *known == algorithm && own.to_string() == *word)
    });
    kind && named
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "what does not fit is the end of time, which is what is meant"
)]
fn whole(seconds: f64) -> i64 {
    seconds as i64
}

async fn fetch(transport: &dyn Transport, url: &str) -> Result<JwkSet, String> {
    let request = http::Request::get(url)
        .header(http::header::ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let answer = transport.call(request, PATIENCE).await.map_err(|error| error.to_string())?;
        if !answer.status().is_success() {
            return Err(format!("it answered {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        serde_json::from_slice(&body).map_err(|error| format!("it answered no key set: {error}"))
    };
    tokio::time::timeout(PATIENCE, answer).await.map_err(|_| "it did not answer in time".to_owned())?
}

#[cfg(test)]
mod tests;
