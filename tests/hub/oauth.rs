//! Connections that people log in to, in front of the simulator's login server.

use std::time::Duration;

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request};
use serde_json::{Value, json};
use trivium::simulator::{OAuthFault, OAuthScript, OAuthStats, Script};

use super::support::{Answer, TestHub};

/// The start of the hub's clock, in seconds.
const START: u64 = 1_767_225_600;

fn script(oauth: OAuthScript) -> Script {
    Script { epoch: Some(START), oauth, ..Script::default() }
}

/// Connections with these ids, and what else their `oauth` says.
fn connections(all: &[(&str, &str)]) -> String {
    let mut yaml = "providers:\n".to_owned();
    for (id, oauth) in all {
        yaml.push_str(&format!(
            "  - id: {id}\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    models: [m]\n    oauth: \
             {{client_id: app-1, authorization_url: 'http://login.localhost/oauth/authorize', token_url: \
             'http://login.localhost/oauth/token', device_url: 'http://login.localhost/oauth/device', jwks_url: \
             'http://login.localhost/oauth/jwks', scopes: [openid, email], {oauth}}}\n"
        ));
    }
    yaml
}

async fn hub(all: &[(&str, &str)], oauth: OAuthScript) -> TestHub {
    TestHub::builder().yaml(&connections(all)).script(script(oauth)).build().await
}

async fn start(hub: &TestHub, id: &str) -> Value {
    let answer = hub.json(Method::POST, "/api/oauth/logins", json!({"connection": id})).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// What a browser does: it goes where it is told, agrees, and says where it ended.
async fn browse(hub: &TestHub, url: &Value) -> String {
    let request = Request::get(url.as_str().unwrap()).body(Body::empty()).unwrap();
    let answer = hub.simulator.call(request).await.unwrap();
    assert_eq!(answer.status(), 302);
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// Lets the browser come back to the hub, without a key.
async fn come_back(hub: &TestHub, address: &str) -> Answer {
    let path = address.strip_prefix("http://hub.test").unwrap();
    hub.send(Request::get(path).header("authorization", "Bearer nobody").body(Body::empty()).unwrap()).await
}

async fn log_in(hub: &TestHub, id: &str) {
    let started = start(hub, id).await;
    let answer = come_back(hub, &browse(hub, &started["url"]).await).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.text.contains("You can close this page"));
}

async fn served(hub: &TestHub) {
    let answer = hub.chat("m").await;
    assert!(answer.is_whole(), "{answer:?}");
}

async fn credential(hub: &TestHub, id: &str) -> Value {
    let all = hub.get("/api/oauth/credentials").await.json();
    all["credentials"].as_array().unwrap().iter().find(|one| one["connection"] == id).unwrap().clone()
}

fn stats(hub: &TestHub) -> OAuthStats {
    hub.simulator.oauth_stats()
}

async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn an_application_that_speaks_for_itself_needs_nobody() {
    let oauth = OAuthScript { client_secret: Some("s3".to_owned()), ..OAuthScript::default() };
    let hub = hub(&[("a", "flow: client-credentials, client_secret: s3")], oauth).await;
    for _ in 0..3 {
        served(&hub).await;
    }
    assert_eq!(stats(&hub).applications, 1);
    let key = hub.upstream()[0].key.clone().unwrap();
    assert!(key.starts_with("oat_"), "{key}");
    pass(3600).await;
    served(&hub).await;
    assert_eq!(stats(&hub).applications, 2);
    assert_eq!(credential(&hub, "a").await["state"], "ready");
}

#[tokio::test(start_paused = true)]
async fn whoever_logged_in_is_served_and_nobody_else() {
    let hub = hub(&[("a", "")], OAuthScript::default()).await;
    let refused = hub.chat("m").await;
    assert_eq!(refused.code(), "no_executable_targets");
    assert!(refused.text.contains("needs_login"), "{refused:?}");
    assert_eq!(hub.get("/health").await.json()["details"]["connections"][0]["standing"], "needs_login");
    log_in(&hub, "a").await;
    served(&hub).await;
    let known = credential(&hub, "a").await;
    assert_eq!((&known["state"], &known["renews"]), (&json!("ready"), &json!(true)));
    assert_eq!(known["email"], "so*****@e****.com");
    let out = hub.json(Method::DELETE, "/api/oauth/credentials/a", json!({})).await.json();
    assert_eq!(out["had_tokens"], true);
    assert_eq!(hub.chat("m").await.code(), "no_executable_targets");
}

#[tokio::test(start_paused = true)]
async fn fifty_requests_at_the_end_of_a_token_renew_it_once() {
    let oauth = OAuthScript { delay_ms: 300, ..OAuthScript::default() };
    let hub = hub(&[("a", "")], oauth).await;
    log_in(&hub, "a").await;
    pass(3600).await;
    for answer in join_all((0..50).map(|_| hub.chat("m"))).await {
        assert!(answer.is_whole(), "{answer:?}");
    }
    assert_eq!(stats(&hub).refreshes, 1);
    assert_eq!(stats(&hub).revoked, 0, "no refresh token came twice");
    let keys: std::collections::BTreeSet<_> = hub.upstream().into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys.len(), 1, "all carry the new token: {keys:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_ends() {
    let hub = hub(&[("a", "refresh_lead_seconds: 600")], OAuthScript::default()).await;
    log_in(&hub, "a").await;
    hub.keep_fresh();
    pass(2990).await;
    assert_eq!(stats(&hub).refreshes, 0);
    pass(60).await;
    assert_eq!(stats(&hub).refreshes, 1);
    served(&hub).await;
    assert_eq!(stats(&hub).refreshes, 1);
    pass(86_400).await;
    assert!(stats(&hub).refreshes > 20, "{:?}", stats(&hub));
    served(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn a_refusal_needs_a_login_and_a_failure_does_not() {
    let hub = hub(&[("a", "")], OAuthScript::default()).await;
    log_in(&hub, "a").await;
    pass(3600).await;
    hub.simulator.oauth_fails(OAuthFault::Status(503));
    let failed = hub.chat("m").await;
    assert_eq!(failed.code(), "all_targets_failed", "{failed:?}");
    let paused = hub.chat("m").await;
    assert_eq!(paused.code(), "all_targets_cooling_down", "{paused:?}");
    pass(2).await;
    served(&hub).await;
    pass(3600).await;
    hub.simulator.oauth_fails(OAuthFault::Error("invalid_grant".to_owned()));
    hub.chat("m").await;
    let known = credential(&hub, "a").await;
    assert_eq!(known["state"], "needs_login");
    assert!(known["error"].as_str().unwrap().contains("invalid_grant"), "{known}");
    assert!(hub.chat("m").await.text.contains("needs_login"));
    log_in(&hub, "a").await;
    served(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn what_holds_outlives_the_failure_of_a_renewal() {
    let hub = hub(&[("a", "refresh_lead_seconds: 1800")], OAuthScript::default()).await;
    log_in(&hub, "a").await;
    for _ in 0..4 {
        hub.simulator.oauth_fails(OAuthFault::Status(500));
    }
    hub.keep_fresh();
    pass(1803).await;
    served(&hub).await;
    assert_eq!(stats(&hub).refreshes, 0);
    pass(60).await;
    assert_eq!(stats(&hub).refreshes, 1);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_the_provider_refuses_is_renewed_once() {
    let hub = hub(&[("a", "")], OAuthScript::default()).await;
    log_in(&hub, "a").await;
    served(&hub).await;
    let key = |hub: &TestHub| hub.upstream().last().and_then(|entry| entry.key.clone()).unwrap();
    hub.simulator.oauth_revokes(&key(&hub));
    for answer in join_all((0..20).map(|_| hub.chat("m"))).await {
        assert!(answer.is_whole(), "{answer:?}");
    }
    assert_eq!(stats(&hub).refreshes, 1);
}

async fn log_out(hub: &TestHub) -> Value {
    hub.json(Method::DELETE, "/api/oauth/credentials/a", json!({})).await.json()["had_tokens"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_renewal_under_way_does_not_undo_a_logout() {
    // Whether the login server answers or not.
    for lost in [false, true] {
        let hub = hub(&[("a", "")], OAuthScript { delay_ms: 300, ..OAuthScript::default() }).await;
        log_in(&hub, "a").await;
        pass(3599).await;
        if lost {
            hub.simulator.oauth_fails(OAuthFault::Lost);
        }
        let out = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            log_out(&hub).await
        };
        let (answer, out) = tokio::join!(hub.chat("m"), out);
        assert_eq!((out, answer.is_whole()), (json!(true), false), "{answer:?}");
        assert_eq!(stats(&hub).refreshes, 1, "it was under way");
        assert_eq!(log_out(&hub).await, false, "nothing was written down again");
        assert!(hub.chat("m").await.text.contains("needs_login"));
        let after = TestHub::builder().yaml(&connections(&[("a", "")])).after(&hub).build().await;
        assert!(after.chat("m").await.text.contains("needs_login"), "nor is it there after a restart");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_is_refused_does_not_undo_a_login() {
    let hub = hub(&[("a", "")], OAuthScript { delay_ms: 2000, ..OAuthScript::default() }).await;
    log_in(&hub, "a").await;
    pass(3600).await;
    let started = start(&hub, "a").await;
    let address = browse(&hub, &started["url"]).await;
    let asked = async {
        pass(1).await;
        hub.chat("m").await
    };
    let refused = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        hub.simulator.oauth_fails(OAuthFault::Error("invalid_grant".to_owned()));
    };
    let (page, answer, ()) = tokio::join!(come_back(&hub, &address), asked, refused);
    assert_eq!((page.status.as_u16(), stats(&hub).refused), (200, 1), "{page:?}");
    assert!(answer.is_whole(), "who waited gets the new token: {answer:?}");
    assert_eq!(credential(&hub, "a").await["state"], "ready");
    served(&hub).await;
}

#[tokio::test(start_paused = true)]
async fn a_device_is_approved_elsewhere() {
    let hub = hub(&[("a", "flow: device")], OAuthScript::default()).await;
    let started = start(&hub, "a").await;
    let login = format!("/api/oauth/logins/{}", started["login"].as_str().unwrap());
    pass(30).await;
    assert_eq!(hub.get(&login).await.json()["progress"], "pending");
    browse_to(&hub, started["verification_url_complete"].as_str().unwrap()).await;
    pass(10).await;
    let state = hub.get(&login).await.json();
    assert_eq!(state["progress"], "done", "{state}");
    assert_eq!(state["credential"]["email"], "so*****@e****.com");
    served(&hub).await;
    assert_eq!(stats(&hub).devices, 1);
}

async fn browse_to(hub: &TestHub, url: &str) {
    let answer = hub.simulator.call(Request::get(url).body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_nobody_approves_comes_to_nothing() {
    let hub = hub(&[("a", "flow: device")], OAuthScript::default()).await;
    let started = start(&hub, "a").await;
    pass(700).await;
    let login = format!("/api/oauth/logins/{}", started["login"].as_str().unwrap());
    let state = hub.get(&login).await.json();
    assert_eq!(state["progress"], "failed", "{state}");
}

#[tokio::test(start_paused = true)]
async fn a_state_is_checked_good_once_and_ends() {
    let hub =
        hub(&[("a", "redirect_url: 'http://localhost:1455/auth/callback'")], OAuthScript::default()).await;
    let finish = async |address: &str| {
        hub.json(Method::POST, "/api/oauth/logins/finish", json!({"redirect_url": address})).await
    };
    let started = start(&hub, "a").await;
    let address = browse(&hub, &started["url"]).await;
    assert!(address.starts_with("http://localhost:1455/auth/callback?code="), "{address}");
    let state = started["state"].as_str().unwrap();
    let forged = address.replace(state, "forged");
    assert_eq!(finish(&forged).await.code(), "invalid_parameter");
    assert_eq!(stats(&hub).codes, 0, "the code of a wrong state is not used");
    assert_eq!(finish(&address).await.json()["progress"], "done");
    assert_eq!(finish(&address).await.code(), "invalid_parameter", "good once");
    let late = start(&hub, "a").await;
    let address = browse(&hub, &late["url"]).await;
    pass(601).await;
    assert_eq!(finish(&address).await.code(), "invalid_parameter", "ten minutes are over");
    assert_eq!(stats(&hub).codes, 1);
    let denied = start(&hub, "a").await;
    let state = denied["state"].as_str().unwrap();
    let answer = finish(&format!("http://localhost:1455/?error=access_denied&state={state}")).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text.contains("access_denied"));
}

#[tokio::test(start_paused = true)]
async fn one_address_with_two_workspaces_is_two_and_one_workspace_is_one() {
    let of = |workspace: &str| format!("parameters: {{login_hint: dick@gmail.com, workspace: {workspace}}}");
    let (one, two) = (of("w1"), of("w2"));
    let hub = hub(&[("a", &one), ("b", &two), ("c", &two)], OAuthScript::default()).await;
    log_in(&hub, "a").await;
    log_in(&hub, "b").await;
    assert_eq!(credential(&hub, "a").await["email"], "di*****@g****.com");
    let spaces = [credential(&hub, "a").await, credential(&hub, "b").await];
    assert_eq!(spaces.map(|one| one["workspace"].clone()), [json!("w1"), json!("w2")]);
    let started = start(&hub, "c").await;
    let refused = come_back(&hub, &browse(&hub, &started["url"]).await).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text.contains("trivium logout b"), "{refused:?}");
    assert_eq!(credential(&hub, "c").await["state"], "needs_login");
}

#[tokio::test(start_paused = true)]
async fn tokens_outlive_a_restart_and_are_shown_nowhere() {
    let first = hub(&[("a", "")], OAuthScript::default()).await;
    log_in(&first, "a").await;
    served(&first).await;
    let token = first.upstream()[0].key.clone().unwrap();
    for path in ["/api/oauth/credentials", "/health"] {
        let shown = first.get(path).await.text;
        assert!(!shown.contains("oat_") && !shown.contains("ort_"), "{shown}");
    }
    let receipts = format!("{:?}", first.receipts().await);
    assert!(!receipts.contains(&token));
    let yaml = connections(&[("a", "")]);
    let second =
        TestHub::builder().after(&first).yaml(&yaml).script(script(OAuthScript::default())).build().await;
    assert_eq!(credential(&second, "a").await["state"], "ready");
    let other = connections(&[("a", "")]).replace("app-1", "app-2");
    let third =
        TestHub::builder().after(&first).yaml(&other).script(script(OAuthScript::default())).build().await;
    assert_eq!(credential(&third, "a").await["state"], "needs_login", "another application's tokens");
}

#[tokio::test(start_paused = true)]
async fn tests_and_discovery_use_the_token_and_hold_nothing_against_it() {
    let hub = hub(&[("a", "")], OAuthScript::default()).await;
    let call =
        async |what: &str| hub.json(Method::POST, &format!("/api/connections/a/{what}"), json!({})).await;
    let without = call("test").await.json();
    assert_eq!((&without["works"], &without["failed"]), (&json!(false), &json!("auth")), "{without}");
    assert_eq!(call("discover").await.status, 409);
    log_in(&hub, "a").await;
    let tested = call("test").await.json();
    assert_eq!((&tested["works"], &tested["listed"]), (&json!(true), &json!(2)), "{tested}");
    let found = call("discover").await.json();
    assert_eq!(found["new"].as_array().map(Vec::len), Some(2), "{found}");
    let diagnosed = hub.json(Method::POST, "/api/diagnosis", json!({})).await.json();
    assert_eq!(diagnosed["run"]["connections"][0]["works"], true, "{diagnosed}");
    let log = hub.simulator.log();
    let asked: Vec<_> = log.iter().filter(|entry| entry.path.starts_with("/v1/models")).collect();
    assert!(
        asked.len() >= 3
            && asked.iter().all(|one| one.key.as_ref().is_some_and(|key| key.starts_with("oat_")))
    );
    // One that has ended is renewed first.
    pass(4000).await;
    let renewed = call("test").await.json();
    assert_eq!(renewed["works"], true, "{renewed}");
    assert_eq!(credential(&hub, "a").await["state"], "ready");
}
