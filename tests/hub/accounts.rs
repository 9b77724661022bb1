//! Connections in daily life: whether one works, what its provider serves, and what of it is shown.

use http::Method;
use serde_json::{Value, json};

use crate::support::TestHub;

async fn test(hub: &TestHub, id: &str, args: Value) -> Value {
    hub.json(Method::POST, &format!("/api/connections/{id}/test"), args).await.json()
}

#[tokio::test(start_paused = true)]
async fn a_test_says_which_step_failed() {
    let hub = TestHub::builder()
        .account("ok", "sim-ok")
        .account("refused", "sim-401")
        .account("unknown", "sim-404")
        .account("busy", "sim-429")
        .account("broken", "sim-500")
        .build()
        .await;
    for (id, model, works, failed, says) in [
        ("ok", None, true, Value::Null, "models"),
        ("ok", Some("m"), true, Value::Null, "answers"),
        ("refused", None, false, json!("auth"), "401"),
        ("refused", Some("m"), false, json!("auth"), "401"),
        ("unknown", Some("m"), false, json!("model"), "404"),
        ("busy", Some("m"), false, json!("model"), "429"),
        ("broken", Some("m"), false, json!("model"), "500"),
    ] {
        let args = model.map_or(json!({}), |model| json!({ "model": model }));
        let report = test(&hub, id, args).await;
        assert_eq!((&report["works"], &report["failed"]), (&json!(works), &failed), "{report}");
        assert!(
            report["steps"].as_array().unwrap().last().unwrap()["message"].as_str().unwrap().contains(says),
            "{report}"
        );
        assert!(!report.to_string().contains("sim-"), "no key is told: {report}");
    }
    let report = test(&hub, "ok", json!({"model": "m"})).await;
    assert!(report["output_tokens"].as_u64() > Some(0), "what it cost is told: {report}");
    assert_eq!(hub.json(Method::POST, "/api/connections/nobody/test", json!({})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_test_is_held_against_nobody_and_counted_nowhere() {
    let yaml = "providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    \
                api_key: sim-401\n    models: [m]\n    limits: [{per: day, requests: 4}]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    for _ in 0..20 {
        test(&hub, "a", json!({"model": "m"})).await;
    }
    let health = hub.get("/api/health").await.json();
    assert_eq!(
        (&health["connections"][0]["standing"], &health["breakers"]),
        (&json!("fit"), &json!([])),
        "{health}"
    );
    assert_eq!(hub.get("/api/quotas").await.json()["windows"][0]["used"], 0.0);
    assert!(hub.receipts().await.is_empty() && hub.cooldowns().is_empty());
}

/// A connection that was made over the API, with these models.
async fn made(hub: &TestHub, models: Value) {
    let definition = json!({
        "type": "openai-compatible", "base_url": "http://simulator.test/v1", "api_key": "sim-ok", "models": models,
    });
    let put = hub.json(Method::PUT, "/api/connections/made", definition).await;
    assert!(put.status.is_success(), "{}", put.text);
}

#[tokio::test(start_paused = true)]
async fn what_a_provider_serves_is_found_and_served_once_it_is_accepted() {
    let hub = TestHub::builder().account_with("file", "sim-ok", &["sim-small"]).build().await;
    made(&hub, json!([{"id": "sim-small", "rank": 1}, "retired"])).await;
    let found = hub.json(Method::POST, "/api/connections/made/discover", json!({})).await.json();
    assert_eq!((&found["known"], &found["gone"]), (&json!(["sim-small"]), &json!(["retired"])), "{found}");
    let new = found["new"][0].as_str().unwrap().to_owned();
    let listed = || async { hub.get("/v1/models").await.text };
    assert!(!listed().await.contains(&format!("\"{new}\"")), "not served until it is accepted");
    let accept =
        |models: Value| hub.json(Method::POST, "/api/connections/made/models", json!({ "models": models }));
    let accepted = accept(json!([new, "retired"])).await.json();
    assert_eq!((&accepted["accepted"], &accepted["models"]), (&json!([new]), &json!(3)), "{accepted}");
    assert!(listed().await.contains(&format!("\"{new}\"")));
    assert!(hub.chat(&new).await.is_whole());
    // What was said of the others stays.
    let kept = hub.get("/api/connections/made").await.json();
    assert_eq!(kept["definition"]["models"][0]["rank"], 1, "{kept}");
    let declared = hub.json(Method::POST, "/api/connections/file/models", json!({"models": ["x"]})).await;
    assert_eq!(declared.status, 409, "{}", declared.text);
    assert_eq!(accept(json!([])).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn models_are_hidden_and_shown_by_operations() {
    let hub = TestHub::builder().account_with("a", "sim-ok", &["one", "two"]).build().await;
    let call =
        async |what: &str, args: Value| hub.json(Method::POST, &format!("/api/models/{what}"), args).await;
    let hidden = call("hide", json!({"model": "one"})).await.json();
    assert_eq!(hidden, json!({"hidden": ["one"]}));
    let again = call("hide", json!({"model": "two", "connection": "a"})).await.json();
    assert_eq!(again, json!({"hidden": ["one", "a/two"]}));
    let listed = hub.get("/v1/models").await.text;
    assert!(!listed.contains("\"one\"") && !listed.contains("\"two\""), "{listed}");
    assert_eq!(call("show", json!({"model": "one"})).await.json(), json!({"hidden": ["a/two"]}));
    assert!(hub.get("/v1/models").await.text.contains("\"one\""));
    assert_eq!(call("show", json!({"model": "one"})).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn what_the_file_hides_is_changed_in_the_file() {
    let hub = TestHub::builder().yaml("routing:\n  hidden: [one]\n").account("a", "sim-ok").build().await;
    let answer = hub.json(Method::POST, "/api/models/hide", json!({"model": "m"})).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
}
