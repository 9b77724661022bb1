//! Operators who log in at a provider: who is let in, and every way of not being.

use std::time::Duration;

use axum::body::Body;
use http::Request;
use serde_json::{Map, Value, json};
use trivium::simulator::{OAuthScript, Script};

use super::support::{Answer, TestHub};

/// The start of the hub's clock, in seconds.
const START: u64 = 1_767_225_600;
const ADMIN: &str = "someone@example.com";

async fn hub(auth: &str, claims: Value) -> TestHub {
    let claims: Map<String, Value> = claims.as_object().unwrap().clone();
    let oauth = OAuthScript { claims, client_secret: Some("s3:+".to_owned()), ..OAuthScript::default() };
    let script = Script { epoch: Some(START), oauth, ..Script::default() };
    let yaml = format!(
        "auth:\n  oidc_issuer: http://login.localhost\n  oidc_client_id: hub\n  oidc_client_secret: 's3:+'\n{auth}\n"
    );
    TestHub::builder().yaml(&yaml).account("a", "sim-ok").script(script).build().await
}

/// A hub that takes the simulator's one person.
async fn open_hub(claims: Value) -> TestHub {
    hub(&format!("  oidc_allowed_emails: [{ADMIN}]"), claims).await
}

async fn get(hub: &TestHub, path: &str, cookie: &str) -> Answer {
    let request = Request::get(path).header("host", "localhost").header("cookie", cookie);
    hub.send_bare(request.body(Body::empty()).unwrap()).await
}

/// A browser at the provider: the cookie that it holds, and the path with which it is sent back.
struct Visit {
    cookie: String,
    back: String,
}

async fn visit(hub: &TestHub) -> Visit {
    let sent = get(hub, "/api/session/oidc", "").await;
    assert_eq!(sent.status, 303, "{sent:?}");
    let set = sent.header("set-cookie");
    for word in ["HttpOnly", "SameSite=Lax", "Path=/api/session/oidc", "Max-Age=600"] {
        assert!(set.contains(word), "{set}");
    }
    let cookie = set.split(';').next().unwrap().to_owned();
    let there = sent.header("location").to_owned();
    for word in ["code_challenge_method=S256", "state=", "nonce=", "scope=openid+email"] {
        assert!(there.contains(word), "{there}");
    }
    let request = Request::get(there).body(Body::empty()).unwrap();
    let answer = hub.simulator.call(request).await.unwrap();
    assert_eq!(answer.status(), 302);
    let back = answer.headers()["location"].to_str().unwrap();
    Visit { cookie, back: back.strip_prefix("http://hub.test").unwrap().to_owned() }
}

async fn log_in(hub: &TestHub) -> Answer {
    let Visit { cookie, back } = visit(hub).await;
    get(hub, &back, &cookie).await
}

/// The answer did not log in anybody, and says why.
fn refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.text.contains(why), "{why}: {}", answer.text);
    assert!(answer.header("set-cookie").is_empty(), "{answer:?}");
}

async fn entries(hub: &TestHub) -> Vec<Value> {
    let page = hub.get("/api/audit?operation=log_in").await.json();
    page["entries"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn who_is_admitted_gets_an_ordinary_session() {
    let hub = open_hub(json!({})).await;
    let page = log_in(&hub).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.text.contains("You are logged in") && page.text.contains(ADMIN));
    let cookies: Vec<_> =
        page.headers.get_all("set-cookie").iter().map(|one| one.to_str().unwrap()).collect();
    let session = cookies.iter().find(|one| one.starts_with("trivium_session=")).unwrap();
    assert!(session.contains("HttpOnly") && session.contains("SameSite=Strict"), "{session}");
    assert!(cookies.iter().any(|one| one.starts_with("trivium_login=;") && one.contains("Max-Age=0")));
    let cookie = session.split(';').next().unwrap();
    let who = get(&hub, "/api/session", cookie).await.json();
    assert_eq!((&who["who"], &who["must_change_password"]), (&json!(ADMIN), &json!(false)));
    assert!(get(&hub, "/api/keys", cookie).await.status.is_success());
    let make = Request::post("/api/keys").header("host", "localhost").header("cookie", cookie);
    let unproved = hub.send_bare(make.body(Body::from(r#"{"name":"x"}"#)).unwrap()).await;
    assert_eq!(unproved.code(), "csrf_failed", "a change needs the proof, as in every session");
    let noted = entries(&hub).await;
    assert_eq!(noted.len(), 1);
    assert_eq!((&noted[0]["outcome"], &noted[0]["caller_name"]), (&json!("done"), &json!(ADMIN)));
}

#[tokio::test(start_paused = true)]
async fn domains_and_groups_let_in_and_others_are_denied_by_name() {
    let by_domain = hub("  oidc_allowed_domains: [Example.com]", json!({})).await;
    assert_eq!(log_in(&by_domain).await.status, 200);
    let groups = "  oidc_allowed_groups: [hub-admins]\n  oidc_groups_claim: /realm/groups";
    let by_group = hub(groups, json!({"realm": {"groups": ["x", "hub-admins"]}, "email": null})).await;
    assert_eq!(log_in(&by_group).await.status, 200);
    let foreign = open_hub(json!({"email": "eve@example.com"})).await;
    let answer = log_in(&foreign).await;
    refused(&answer, 403, "`eve@example.com` is not among those who may manage this hub");
    let noted = entries(&foreign).await;
    assert_eq!(
        (&noted[0]["outcome"], &noted[0]["caller_name"]),
        (&json!("denied"), &json!("eve@example.com"))
    );
    let unverified = open_hub(json!({"email_verified": false})).await;
    refused(&log_in(&unverified).await, 403, "not among those");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_the_token_lacks_is_asked_for() {
    let hub = open_hub(json!({"email": null, "email_verified": null})).await;
    assert_eq!(log_in(&hub).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_does_not_hold_logs_nobody_in() {
    for (claims, why) in [
        (json!({"nonce": "another"}), "belongs to another login"),
        (json!({"nonce": null}), "belongs to another login"),
        (json!({"aud": "another"}), "is for another application"),
        (json!({"aud": ["hub", "another"]}), "is for several applications"),
        (json!({"iss": "http://evil.localhost"}), "is from another issuer"),
        (json!({"exp": START - 61}), "has ended"),
        (json!({"exp": null}), "is not readable"),
        (json!({"sub": null}), "is not readable"),
    ] {
        let hub = open_hub(claims).await;
        refused(&log_in(&hub).await, 401, why);
        assert!(entries(&hub).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn only_the_browser_that_began_comes_back_and_once() {
    let hub = open_hub(json!({})).await;
    let Visit { cookie, back } = visit(&hub).await;
    refused(&get(&hub, &back, "").await, 401, "does not belong to this browser");
    let other = visit(&hub).await;
    refused(&get(&hub, &back, &other.cookie).await, 401, "does not belong to this browser");
    assert_eq!(get(&hub, &back, &cookie).await.status, 200);
    refused(&get(&hub, &back, &cookie).await, 401, "was finished before");
    let late = visit(&hub).await;
    tokio::time::sleep(Duration::from_secs(601)).await;
    refused(&get(&hub, &late.back, &late.cookie).await, 401, "took longer than ten minutes");
}

#[tokio::test(start_paused = true)]
async fn failures_are_told_and_counted() {
    let hub = open_hub(json!({})).await;
    for round in 0..5 {
        let Visit { cookie, back } = visit(&hub).await;
        let state = back.split("state=").nth(1).unwrap();
        let no = format!(
            "/api/session/oidc/callback?error=access_denied&error_description=%3Cb%3Eno&state={state}"
        );
        let answer = get(&hub, &no, &cookie).await;
        refused(&answer, 401, "access_denied (&lt;b&gt;no)");
        assert!(round < 5);
    }
    let stopped = get(&hub, "/api/session/oidc", "").await;
    refused(&stopped, 429, "Too many failed logins");
    tokio::time::sleep(Duration::from_secs(301)).await;
    assert_eq!(log_in(&hub).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn without_a_provider_nothing_is_there() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    for path in ["/api/session/oidc", "/api/session/oidc/callback?code=1&state=2"] {
        refused(&get(&hub, path, "").await, 404, "auth.oidc_issuer");
    }
    // Nobody is said to be let in, so that nobody is.
    let closed = self::hub("", json!({})).await;
    refused(&get(&closed, "/api/session/oidc", "").await, 404, "auth.oidc_issuer");
}
