//! Tokens that somebody signed (JWT, RFC 7519), and the keys that prove it. Only signatures of which the hub has the public
//! half: no secret that both share, and never `none`. Times are checked by whoever has the clock.

use std::collections::HashSet;

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, Jwk, JwkSet},
};
use serde_json::{Map, Value};

/// What clocks may differ, in seconds.
pub(super) const LEEWAY: i64 = 60;

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

/// Why a token is not taken at its word. Reads on from "the token".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unproved {
    #[error("is not readable, or signed in a way that proves nothing here")]
    Unreadable,
    #[error("is signed with a key that its issuer does not publish")]
    UnknownKey,
    #[error("is from another issuer")]
    Issuer,
    #[error("is for another application")]
    Audience,
    #[error("is not signed by its issuer")]
    Signature,
}

/// What a token says, if `issuer` signed it for `audience`. It has `exp` and `sub`.
pub(super) fn claims(
    keys: &JwkSet,
    token: &str,
    issuer: &str,
    audience: &str,
) -> Result<Map<String, Value>, Unproved> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| Unproved::Unreadable)?;
    if !ALGORITHMS.iter().any(|(_, algorithm)| *algorithm == header.alg) {
        return Err(Unproved::Unreadable);
    }
    let key = chosen(keys, header.kid.as_deref()).ok_or(Unproved::UnknownKey)?;
    if !fits(key, header.alg) {
        return Err(Unproved::Signature);
    }
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.required_spec_claims =
        ["exp", "iss", "aud", "sub"].into_iter().map(str::to_owned).collect::<HashSet<_>>();
    // The hub's clock decides, not the library's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let key = DecodingKey::from_jwk(key).map_err(|_| Unproved::Signature)?;
    let decoded = jsonwebtoken::decode(token, &key, &validation);
    decoded.map(|decoded| decoded.claims).map_err(|error| match error.kind() {
        ErrorKind::InvalidIssuer => Unproved::Issuer,
        ErrorKind::InvalidAudience => Unproved::Audience,
        ErrorKind::InvalidSignature => Unproved::Signature,
        _ => Unproved::Unreadable,
    })
}

/// The keys of an issuer. One by one: a kind of key that is not known here must not hide the others.
pub(super) fn key_set(body: &[u8]) -> Result<JwkSet, String> {
    let set: Value =
        serde_json::from_slice(body).map_err(|error| format!("it answered no key set: {error}"))?;
    let all = set.get("keys").and_then(Value::as_array).ok_or("it answered no key set")?;
    let keys = all.iter().filter_map(|key| serde_json::from_value(key.clone()).ok());
    Ok(JwkSet { keys: keys.collect() })
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
pub(super) fn whole(seconds: f64) -> i64 {
    seconds as i64
}
