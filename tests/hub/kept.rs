//! Secrets that a change of a definition leaves where they are, and those that it must not.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use trivium::simulator::{OAuthScript, Script};

use super::support::{Answer, TestHub};

const HERE: &str = "http://simulator.test/v1";
const THERE: &str = "http://elsewhere.test/v1";

async fn hub() -> TestHub {
    let hub = TestHub::builder().account("base", "sim-ok.base").build().await;
    let definition =
        json!({"type": "openai-compatible", "base_url": HERE, "api_key": "sim-ok.mine", "models": ["n"]});
    let made = hub.json(Method::PUT, "/api/connections/mine", definition).await;
    assert!(made.status.is_success(), "{made:?}");
    hub
}

async fn patch(hub: &TestHub, changes: Value) -> Answer {
    hub.json(Method::PATCH, "/api/connections/mine", changes).await
}

async fn shown(hub: &TestHub) -> Value {
    hub.get("/api/connections/mine").await.json()["definition"].take()
}

/// The keys that came to a host.
fn seen(hub: &TestHub) -> Vec<String> {
    hub.upstream().into_iter().filter_map(|entry| entry.key).collect()
}

#[tokio::test(start_paused = true)]
async fn a_key_does_not_move_with_its_address() {
    let hub = hub().await;
    assert!(hub.chat("n").await.is_whole());
    let moved = patch(&hub, json!({"base_url": THERE})).await;
    assert_eq!(
        (moved.status, moved.code().as_str()),
        (StatusCode::BAD_REQUEST, "invalid_parameter"),
        "{moved:?}"
    );
    assert!(moved.text.contains("api_key") && moved.text.contains("again"), "{moved:?}");
    let masked = patch(&hub, json!({"base_url": THERE, "api_key": "[redacted]"})).await;
    assert_eq!(masked.status, StatusCode::BAD_REQUEST, "{masked:?}");
    let put = json!({"type": "openai-compatible", "base_url": THERE, "models": ["n"]});
    let put = hub.json(Method::PUT, "/api/connections/mine", put).await;
    assert_eq!(put.status, StatusCode::BAD_REQUEST, "{put:?}");
    assert_eq!(patch(&hub, json!({"proxy": THERE})).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(shown(&hub).await["base_url"], HERE, "nothing was done");
    // With a key of its own it may go anywhere, and elsewhere on the same host with the old one.
    assert!(patch(&hub, json!({"base_url": "http://simulator.test/v2"})).await.status.is_success());
    assert!(patch(&hub, json!({"priority": 5})).await.status.is_success());
    assert!(patch(&hub, json!({"base_url": THERE, "api_key": "sim-ok.new"})).await.status.is_success());
    let answer = hub.chat("n").await;
    assert!(answer.is_whole(), "{answer:?}");
    assert_eq!(seen(&hub), ["sim-ok.mine", "sim-ok.new"]);
}

#[tokio::test(start_paused = true)]
async fn whoever_logged_in_did_so_for_one_place() {
    let oauth = OAuthScript { client_secret: Some("s3".to_owned()), ..OAuthScript::default() };
    let script = Script { epoch: Some(1_767_225_600), oauth, ..Script::default() };
    let hub = TestHub::builder().account("base", "sim-ok.base").script(script).build().await;
    let definition = json!({
        "type": "openai-compatible", "base_url": HERE, "models": ["n"],
        "oauth": {
            "client_id": "app-1", "client_secret": "s3",
            "authorization_url": "http://login.localhost/oauth/authorize",
            "token_url": "http://login.localhost/oauth/token",
        },
    });
    let made = hub.json(Method::PUT, "/api/connections/mine", definition).await;
    assert!(made.status.is_success(), "{made:?}");
    let started = hub.json(Method::POST, "/api/oauth/logins", json!({"connection": "mine"})).await.json();
    let request = Request::get(started["url"].as_str().unwrap()).body(Body::empty()).unwrap();
    let back = hub.simulator.call(request).await.unwrap();
    let address = back.headers()["location"].to_str().unwrap().to_owned();
    let done = hub.json(Method::POST, "/api/oauth/logins/finish", json!({"redirect_url": address})).await;
    assert_eq!(done.json()["progress"], "done", "{done:?}");
    assert!(hub.chat("n").await.is_whole());
    let moved = patch(&hub, json!({"oauth": {"token_url": "http://evil.test/token"}})).await;
    assert!(moved.text.contains("client_secret"), "{moved:?}");
    assert!(patch(&hub, json!({"base_url": THERE})).await.status.is_success());
    let refused = hub.chat("n").await;
    assert!(refused.text.contains("needs_login"), "{refused:?}");
    assert_eq!(seen(&hub).len(), 1, "the token went nowhere else");
}

#[tokio::test(start_paused = true)]
async fn a_mask_is_never_taken_for_a_value() {
    let hub = hub().await;
    let tag = "Abcdefgh1234567890ABCDEFGH";
    assert!(patch(&hub, json!({"models": [{"id": "n", "tags": [tag]}]})).await.status.is_success());
    let before = shown(&hub).await;
    assert_eq!(before["models"][0]["tags"], json!(["[redacted]"]), "{before}");
    // What was shown, written back.
    let put = hub.json(Method::PUT, "/api/connections/mine", before).await;
    assert_eq!((put.status, put.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_parameter"), "{put:?}");
    assert!(put.text.contains("models[0].tags[0]"), "{put:?}");
    // As FreeRouter's calls do.
    let ranked = hub.post("/v1/gateway/models/auto-rank", "").await;
    assert_eq!(ranked.status, StatusCode::BAD_REQUEST, "{ranked:?}");
    let listed = hub.engine.snapshot();
    let mine = listed.settings.connections.iter().find(|one| &*one.id == "mine").unwrap();
    assert!(mine.models.about["n"].tags.iter().any(|kept| &**kept == tag), "it is as it was");
    let fresh =
        json!({"type": "openai-compatible", "base_url": HERE, "api_key": "[redacted]", "models": ["o"]});
    let fresh = hub.json(Method::PUT, "/api/connections/fresh", fresh).await;
    assert_eq!(fresh.status, StatusCode::BAD_REQUEST, "{fresh:?}");
}

#[tokio::test(start_paused = true)]
async fn a_place_that_another_host_named_gets_no_key() {
    let hub = hub().await;
    assert!(patch(&hub, json!({"base_url": THERE, "api_key": "sim-ok.mine"})).await.status.is_success());
    // A host of one's own names another place, with a key of one's own.
    let away = json!({"base_url": "http://moved.test/v1", "api_key": "sim-ok.own"});
    assert!(patch(&hub, away).await.status.is_success());
    let report = hub.json(Method::POST, "/api/diagnosis", json!({"connection": "mine"})).await.json();
    let found = report["suggestions"].as_array().unwrap().iter().find(|one| one["kind"] == "base_url");
    let id = found.unwrap_or_else(|| panic!("{report}"))["id"].as_str().unwrap().to_owned();
    // Then the key of somebody else is put back, and the suggestion accepted.
    let log = hub.get("/api/audit").await.json();
    let change =
        log["entries"].as_array().unwrap().iter().find(|one| one["operation"] == "update_connection");
    let change = change.unwrap()["id"].clone();
    let undone = hub.post(&format!("/api/audit/{change}/undo"), "").await;
    assert!(undone.status.is_success(), "{undone:?}");
    let path = format!("/api/suggestions/{id}/accept");
    let accepted = hub.json(Method::POST, &path, json!({})).await;
    assert!(accepted.status.is_client_error(), "{accepted:?}");
    assert_eq!(shown(&hub).await["base_url"], THERE);
}
