//! Who is taken, and which tokens are not believed though their signature is right.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use serde_json::json;

use super::*;

fn settings() -> Settings {
    Settings {
        issuer: "https://id.example".into(),
        client_id: "hub".into(),
        client_secret: None,
        scopes: Arc::new(["openid".to_owned()]),
        emails: Arc::new(["ann@example.net".to_owned()]),
        domains: Arc::new(["admins.example".to_owned()]),
        groups: Arc::new(["ops".to_owned()]),
        groups_claim: "/realm/groups".into(),
    }
}

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

fn who(claims: Value, told: Value) -> Person {
    person(object(claims), object(told), &settings()).unwrap()
}

#[test]
fn verified_addresses_domains_and_groups_are_taken_and_nothing_else() {
    let mail = |email: &str, verified: Value| json!({"sub": "1", "email": email, "email_verified": verified});
    for (claims, admitted) in [
        (mail("Ann@Example.NET", json!(true)), true),
        (mail("ann@example.net", json!("true")), true),
        (mail("ann@example.net", json!(false)), false),
        (mail("ann@example.net", json!(1)), false),
        (json!({"sub": "1", "email": "ann@example.net"}), false),
        (mail("eve@example.net", json!(true)), false),
        (mail("bob@admins.example", json!(true)), true),
        (mail("bob@sub.admins.example", json!(true)), false),
        (mail("bob@admins.example@evil.example", json!(true)), false),
        (json!({"sub": "1", "realm": {"groups": ["x", "ops"]}}), true),
        (json!({"sub": "1", "realm": {"groups": "ops"}}), true),
        (json!({"sub": "1", "groups": ["ops"]}), false),
        (json!({"sub": "1", "realm": {"groups": {"ops": true}}}), false),
    ] {
        assert_eq!(who(claims.clone(), json!({})).admitted, admitted, "{claims}");
    }
}

#[test]
fn what_is_told_beside_the_token_counts_for_the_same_account_alone() {
    let mail = |sub: &str| json!({"sub": sub, "email": "ann@example.net", "email_verified": true});
    assert!(lacks(&object(json!({"sub": "1"})), &settings()));
    assert!(who(json!({"sub": "1"}), mail("1")).admitted);
    assert!(!who(json!({"sub": "1"}), mail("2")).admitted);
    let unproved = who(json!({"sub": "1", "email": "ann@example.net"}), mail("1"));
    assert!(!unproved.admitted, "the proof of one address is none of another");
    assert_eq!(&*unproved.name, "1", "an address that nobody verified is no name");
    assert!(person(object(json!({})), Map::new(), &settings()).is_err());
}

#[test]
fn a_token_of_another_login_time_or_application_is_not_believed() {
    let good = json!({"exp": 1000, "nonce": "n", "aud": "hub"});
    let at = |changes: Value, now: i64| {
        let mut claims = object(good.clone());
        claims.extend(object(changes));
        check(&claims, &settings(), "n", now * 1000).is_ok()
    };
    assert!(at(json!({}), 900) && at(json!({}), 1059), "clocks may differ by a minute");
    assert!(!at(json!({}), 1060) && !at(json!({"exp": null}), 900) && !at(json!({"exp": "x"}), 900));
    assert!(!at(json!({"nbf": 2000}), 900));
    assert!(!at(json!({"nonce": "m"}), 900) && !at(json!({"nonce": null}), 900));
    assert!(!at(json!({"aud": ["hub", "other"]}), 900));
    assert!(at(json!({"aud": ["hub", "other"], "azp": "hub"}), 900));
    assert!(!at(json!({"azp": "other"}), 900));
}
