//! Tokens that are right, and every way of being wrong.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use operations::{Scope, keys::KeyPolicy};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::json;

use super::*;
use crate::auth::{
    ports::KeyRecord,
    test_clock::{START, TestClock},
};

struct World {
    tokens: Tokens,
    private: Vec<u8>,
    clock: Arc<TestClock>,
}

fn pair() -> (Vec<u8>, Value) {
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref().to_vec();
    let public = Ed25519KeyPair::from_pkcs8(&private).unwrap();
    let x = URL_SAFE_NO_PAD.encode(public.public_key().as_ref());
    (private, json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "alg": "EdDSA", "use": "sig"}))
}

fn world(scopes_claim: Option<&str>, key_claim: Option<&str>) -> World {
    let clock = Arc::new(TestClock::default());
    let index = Arc::new(KeyIndex::new(clock.clone()));
    let policy = KeyPolicy { concurrent: Some(2), ..KeyPolicy::default() };
    let record = |id: &str, policy| KeyRecord {
        id: id.into(),
        name: id.into(),
        prefix: "tvm_".into(),
        hash: [id.len() as u8; 32],
        scopes: Scopes::client(),
        created_at: START,
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
        version: 1,
        disabled: None,
        policy: Arc::new(policy),
    };
    let ended = KeyRecord { revoked_at: Some(START), ..record("ended", KeyPolicy::default()) };
    index.put(&[record("team", policy), record("plain!", KeyPolicy::default()), ended]);
    let issuer = Issuer {
        issuer: "https://id.example".into(),
        audience: "hub".into(),
        jwks_url: "https://id.example/keys".into(),
        scopes_claim: scopes_claim.map(Arc::from),
        key_claim: key_claim.map(Arc::from),
    };
    let tokens = Tokens::new(issuer, index, clock.clone());
    let (private, public) = pair();
    tokens.trust(serde_json::from_value(json!({"keys": [public]})).unwrap());
    World { tokens, private, clock }
}

fn claims(more: &Value) -> Value {
    let now = START / 1000;
    let mut claims = json!({"iss": "https://id.example", "aud": "hub", "sub": "anna", "exp": now + 300});
    claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    claims
}

impl World {
    fn signed(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(&self.private)).unwrap()
    }

    fn who(&self, more: &Value) -> Result<Caller, AuthError> {
        let token = self.signed(Some("one"), &claims(more));
        assert!(Tokens::is_one(&token));
        self.tokens.identify(&token, None)
    }
}

#[test]
fn a_token_of_the_issuer_for_this_hub_is_a_caller() {
    let world = world(None, None);
    let caller = world.who(&json!({})).unwrap();
    assert_eq!((&*caller.id, &*caller.name, caller.kind), ("jwt:anna", "anna", CallerKind::Token));
    assert_eq!(caller.scopes, Scopes::client());
    for (why, more) in [
        ("another issuer", json!({"iss": "https://evil.example"})),
        ("another audience", json!({"aud": "other"})),
        ("nobody", json!({"sub": ""})),
        ("not yet", json!({"nbf": START / 1000 + 100})),
    ] {
        assert_eq!(world.who(&more).err(), Some(AuthError::Unknown), "{why}");
    }
    assert!(world.who(&json!({"aud": ["other", "hub"]})).is_ok());
    assert_eq!(world.who(&json!({"exp": START / 1000 - 60})).err(), Some(AuthError::Expired));
    world.clock.advance(360_000);
    assert_eq!(world.who(&json!({})).err(), Some(AuthError::Expired), "by the hub's clock");
}

#[test]
fn only_the_issuers_signature_counts() {
    let world = world(None, None);
    let refused = |token: &str| world.tokens.identify(token, None).err() == Some(AuthError::Unknown);
    let good = world.signed(Some("one"), &claims(&json!({})));
    assert!(refused(&world.signed(Some("two"), &claims(&json!({})))), "an unknown key");
    assert!(
        world.tokens.identify(&world.signed(None, &claims(&json!({}))), None).is_ok(),
        "there is but one"
    );
    let (private, _) = pair();
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let forged =
        jsonwebtoken::encode(&header, &claims(&json!({})), &EncodingKey::from_ed_der(&private)).unwrap();
    assert!(refused(&forged));
    let mut parts: Vec<&str> = good.split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    parts[0] = &none;
    assert!(refused(&parts.join(".")) && refused(&format!("{none}.{}.", parts[1])));
    // The public key as a secret that both share.
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let shared = jsonwebtoken::encode(&header, &claims(&json!({})), &EncodingKey::from_secret(b"x")).unwrap();
    assert!(refused(&shared));
    assert!(!Tokens::is_one("tvm_abc") && !Tokens::is_one("eyJ.x"));
}

#[test]
fn scopes_and_policy_follow_from_claims() {
    let world = world(Some("scope"), Some("team"));
    let caller = world.who(&json!({"scope": "read:models openid", "team": "team"})).unwrap();
    assert_eq!(caller.scopes, [Scope::ReadModels].into_iter().collect());
    assert_eq!(caller.policy.unwrap().limits.concurrent, Some(2));
    let listed = world.who(&json!({"scope": ["read:health"], "team": "plain!"})).unwrap();
    assert!(listed.may(Scope::ReadHealth) && listed.policy.is_none());
    assert_eq!(world.who(&json!({"team": "plain!"})).unwrap().scopes, Scopes::default(), "nothing is said");
    for team in [json!({}), json!({"team": "nobody"}), json!({"team": "ended"}), json!({"team": 3})] {
        assert_eq!(world.who(&team).err(), Some(AuthError::Unknown), "{team}");
    }
}
