//! What is changed over the API: versions, so that nobody overwrites what he has not seen; and undoing.

use axum::body::Body;
use futures_util::future::join_all;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::support::{Answer, TestHub};

const MODELS: [&str; 12] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11"];
const COMBO: &str = "/api/combos/shared";

async fn hub() -> TestHub {
    TestHub::builder().account_with("a", "sim-ok", &MODELS).build().await
}

/// A change under a condition: `If-Match` or `If-None-Match`.
async fn change(hub: &TestHub, method: Method, path: &str, when: (&str, &str), body: Value) -> Answer {
    let request = Request::builder().method(method).uri(path).header(when.0, when.1);
    hub.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn steps(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    json["definition"]["steps"].as_array().unwrap().iter().map(|step| step.as_str().unwrap().into()).collect()
}

async fn undo(hub: &TestHub, change: u64) -> Answer {
    hub.post(&format!("/api/audit/{change}/undo"), "").await
}

/// The number of the newest change in the audit log.
async fn newest(hub: &TestHub) -> u64 {
    hub.get("/api/audit?limit=1").await.json()["entries"][0]["id"].as_u64().unwrap()
}

#[tokio::test]
async fn of_two_admins_the_second_with_a_stale_version_changes_nothing() {
    let hub = hub().await;
    let made = hub.json(Method::PUT, COMBO, json!({"steps": ["m0"]})).await;
    assert_eq!((made.status, made.header("etag")), (StatusCode::OK, "\"1\""), "{}", made.text);
    let seen = hub.get(COMBO).await.header("etag").to_owned();
    let first = change(&hub, Method::PATCH, COMBO, ("if-match", &seen), json!({"steps": ["m1"]})).await;
    assert_eq!((first.status, first.header("etag")), (StatusCode::OK, "\"2\""), "{}", first.text);
    for (method, body) in [
        (Method::PATCH, json!({"steps": ["m2"]})),
        (Method::PUT, json!({"steps": ["m2"]})),
        (Method::DELETE, json!({})),
    ] {
        let second = change(&hub, method, COMBO, ("if-match", &seen), body).await;
        assert_eq!(second.status, StatusCode::PRECONDITION_FAILED, "{}", second.text);
        assert_eq!(second.code(), "precondition_failed");
    }
    let now = hub.get(COMBO).await;
    assert_eq!((steps(&now), now.header("etag")), (vec!["m1".to_owned()], "\"2\""));
    let there = change(&hub, Method::PUT, COMBO, ("if-none-match", "*"), json!({"steps": ["m3"]})).await;
    assert_eq!(there.status, StatusCode::PRECONDITION_FAILED, "there is one already");
    let failed = hub.get("/api/audit?outcome=failed").await.json();
    assert_eq!(failed["entries"].as_array().map(Vec::len), Some(4), "{failed}");
    assert_eq!(hub.chat("shared").await.header("x-gateway-model"), "m1");
}

/// Reads, adds a step and writes, as often as it takes.
async fn add_step(hub: &TestHub, model: &str) -> usize {
    for tries in 1..=MODELS.len() {
        let seen = hub.get(COMBO).await;
        let mut all = steps(&seen);
        all.push(model.to_owned());
        let when = ("if-match", seen.header("etag"));
        let done = change(hub, Method::PATCH, COMBO, when, json!({"steps": all})).await;
        if done.status.is_success() {
            return tries;
        }
        assert_eq!(done.status, StatusCode::PRECONDITION_FAILED, "{}", done.text);
    }
    panic!("{model} was never added")
}

#[tokio::test]
async fn of_twelve_admins_at_once_nobody_loses_a_change() {
    let hub = hub().await;
    hub.json(Method::PUT, COMBO, json!({"steps": [MODELS[0]]})).await;
    let tries = join_all(MODELS[1..].iter().map(|model| add_step(&hub, model))).await;
    assert!(tries.iter().sum::<usize>() > tries.len(), "they never met: {tries:?}");
    let now = hub.get(COMBO).await;
    let mut all = steps(&now);
    all.sort_unstable();
    let mut wanted = MODELS.map(str::to_owned).to_vec();
    wanted.sort_unstable();
    assert_eq!((all, now.header("etag")), (wanted, "\"12\""));
}

#[tokio::test]
async fn a_change_can_be_taken_back_and_that_too() {
    let hub = hub().await;
    hub.json(Method::PUT, COMBO, json!({"steps": ["m0"]})).await;
    hub.json(Method::PATCH, COMBO, json!({"steps": ["m1"]})).await;
    let patched = newest(&hub).await;
    let undone = undo(&hub, patched).await;
    assert_eq!(undone.status, StatusCode::OK, "{}", undone.text);
    assert_eq!(undone.json()["id"], "shared");
    assert_eq!(steps(&hub.get(COMBO).await), ["m0"]);
    assert_eq!(hub.chat("shared").await.header("x-gateway-model"), "m0", "and it is in force");
    let again = undo(&hub, undone.json()["change"].as_u64().unwrap()).await;
    assert_eq!(again.status, StatusCode::OK, "{}", again.text);
    assert_eq!(steps(&hub.get(COMBO).await), ["m1"]);
    let stale = undo(&hub, patched).await;
    assert_eq!((stale.status, stale.code().as_str()), (StatusCode::CONFLICT, "conflict"), "{}", stale.text);
    assert!(stale.text.contains("changed again since"), "{}", stale.text);
    assert_eq!(undo(&hub, 9999).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_was_made_goes_and_what_was_deleted_comes_back() {
    let hub = hub().await;
    hub.json(Method::PUT, COMBO, json!({"steps": ["m0"]})).await;
    let made = newest(&hub).await;
    let gone = hub.json(Method::DELETE, COMBO, json!({})).await.json()["change"].as_u64().unwrap();
    assert_eq!(hub.get(COMBO).await.status, StatusCode::NOT_FOUND);
    assert_eq!(hub.chat("shared").await.status, StatusCode::NOT_FOUND);
    assert_eq!(undo(&hub, gone).await.status, StatusCode::OK);
    assert_eq!(steps(&hub.get(COMBO).await), ["m0"]);
    assert_eq!(undo(&hub, made).await.status, StatusCode::CONFLICT, "it was deleted and made since");
    hub.json(Method::PUT, "/api/combos/other", json!({"steps": ["m0"]})).await;
    let undone = undo(&hub, newest(&hub).await).await;
    assert_eq!(undone.json().get("version"), None, "{}", undone.text);
    assert_eq!(hub.get("/api/combos/other").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn undoing_needs_the_right_of_the_change() {
    let hub = hub().await;
    hub.json(Method::PUT, COMBO, json!({"steps": ["m0"]})).await;
    let change = newest(&hub).await;
    let body = json!({"name": "auditor", "scopes": ["read:audit"]});
    let secret =
        hub.json(Method::POST, "/api/keys", body).await.json()["secret"].as_str().unwrap().to_owned();
    let request = Request::post(format!("/api/audit/{change}/undo"));
    let request = request.header("authorization", format!("Bearer {secret}")).body(Body::empty()).unwrap();
    let answer = hub.send(request).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "insufficient_scope"));
    assert!(answer.text.contains("write:combos"), "{}", answer.text);
    let denied = hub.get("/api/audit?outcome=denied").await.json();
    assert_eq!(denied["entries"][0]["operation"], "undo_change", "{denied}");
    assert_eq!(steps(&hub.get(COMBO).await), ["m0"]);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_whole() {
    let hub = hub().await;
    hub.json(Method::PUT, COMBO, json!({"steps": ["m0"]})).await;
    for (path, body, word) in [
        (COMBO, json!({"strategy": "psychic"}), "strategy"),
        (COMBO, json!({"stepz": []}), "stepz"),
        ("/api/combos/a", json!({"steps": "m0", "id": "b"}), "id"),
        ("/api/settings/server.port", json!({"value": 1}), "server.port"),
        ("/api/settings/nothing.here", json!({"value": 1}), "nothing"),
    ] {
        let method = if path == COMBO { Method::PATCH } else { Method::PUT };
        let answer = hub.json(method, path, body).await;
        assert!(answer.status.is_client_error(), "{path}: {}", answer.text);
        assert!(answer.text.contains(word), "{path}: {}", answer.text);
    }
    let now = hub.get(COMBO).await;
    assert_eq!((steps(&now), now.header("etag")), (vec!["m0".to_owned()], "\"1\""));
}

#[tokio::test]
async fn what_the_file_declares_is_seen_and_not_changed() {
    let hub = TestHub::builder()
        .account("a", "sim-ok")
        .yaml("combos: [{id: shared, steps: [m]}]\ntimeouts: {connect_seconds: 7}\n")
        .build()
        .await;
    for (path, body) in [
        (COMBO, json!({"steps": ["m"]})),
        ("/api/connections/a", json!({"type": "openai-compatible"})),
        ("/api/settings/timeouts.connect_seconds", json!({"value": 9})),
    ] {
        let seen = hub.get(path).await.json();
        assert_eq!((&seen["owner"], &seen["version"]), (&json!("file"), &json!(0)), "{seen}");
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let answer = hub.json(method, path, body.clone()).await;
            assert_eq!(answer.status, StatusCode::CONFLICT, "{path}: {}", answer.text);
            assert!(
                answer.text.contains(seen["place"].as_str().unwrap()),
                "it names the place: {}",
                answer.text
            );
        }
    }
}

#[tokio::test]
async fn long_names_of_models_are_shown_and_can_be_written_back() {
    let hub = hub().await;
    let model = "Qwen3-235B-A22B-Instruct-2507-FP8";
    let path = "/api/connections/mine";
    let made = json!({
        "type": "openai-compatible", "base_url": "http://simulator.test/v1", "api_key": "sim-ok.mine", "models": [model],
    });
    hub.json(Method::PUT, path, made).await;
    for alias in [json!({"targets": [model]}), json!({"targets": [format!("mine/{model}")]})] {
        let made = hub.json(Method::PUT, "/api/aliases/qwen", alias.clone()).await;
        assert_eq!(made.json()["definition"], alias);
    }
    let shown = hub.get(path).await.json()["definition"].clone();
    assert_eq!((&shown["models"], &shown["api_key"]), (&json!([model]), &json!("[redacted]")), "{shown}");
    assert_eq!(hub.json(Method::PUT, path, shown).await.status, StatusCode::OK);
    assert_eq!(hub.chat("qwen").await.route(), "mine");
    assert_eq!(hub.calls(["sim-ok.mine"]), [1], "with the key that it had");
}
