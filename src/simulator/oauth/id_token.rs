//! ID tokens, signed with a key that guards nothing, and the half of it that proves them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Map, Value, json};

use super::ledger::Grant;

/// An Ed25519 key in PKCS #8, made for this file.
const KEY: &str = "MC4CAQAwBQYDK2VwBCIEINyJCnuGJqMeegb/nLo7hduHtHfClATUJXpqvGbHWuq9";
/// Its public half.
const PUBLIC: &str = "VkCOQFltik4xzzjsU0WtqKLRyG_-FlwrnA5_JlP-MQA";
const KEY_ID: &str = "simulated-1";

/// The keys, as a JWK set.
pub(super) fn keys() -> Value {
    json!({"keys": [
        {"kty": "unheard-of", "kid": "other"},
        {"kty": "OKP", "crv": "Ed25519", "x": PUBLIC, "kid": KEY_ID, "alg": "EdDSA", "use": "sig"},
    ]})
}

/// The answer with what belongs to a login: applications that speak for themselves get neither a refresh token nor an ID
/// token.
pub(super) fn with(
    mut answer: Value,
    grant: &Grant,
    login: bool,
    (issuer, claims): (&str, &Map<String, Value>),
    now: u64,
) -> Value {
    if !login {
        if let Some(fields) = answer.as_object_mut() {
            fields.remove("refresh_token");
        }
        return answer;
    }
    if grant.scope.split_whitespace().any(|scope| scope == "openid")
        && let Some(token) = made(grant, issuer, claims, now)
    {
        answer["id_token"] = json!(token);
    }
    answer
}

fn made(grant: &Grant, issuer: &str, changed: &Map<String, Value>, now: u64) -> Option<String> {
    let mut claims = json!({
        "iss": issuer, "sub": format!("sub-{}", grant.email), "aud": grant.client, "email": grant.email,
        "email_verified": true, "iat": now, "exp": now + 3600,
    });
    if let Some(workspace) = &grant.workspace {
        claims["org_id"] = json!(workspace);
    }
    if let Some(nonce) = &grant.nonce {
        claims["nonce"] = json!(nonce);
    }
    if let Some(claims) = claims.as_object_mut() {
        claims.extend(changed.clone());
        claims.retain(|_, value| !value.is_null());
    }
    let key = EncodingKey::from_ed_der(&STANDARD.decode(KEY).ok()?);
    let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
    encode(&header, &claims, &key).ok()
}
