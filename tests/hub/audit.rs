//! What the audit log keeps of callers' words: enough to know what was tried, and never as much as they like to send.

use std::sync::Arc;

use http::Method;
use operations::{Definition, Scopes, audit::MAX_PAGE};
use serde_json::{Value, json};
use trivium::{
    engine::caller::{Caller, CallerKind},
    ops::registry::Asked,
};

use super::support::TestHub;

/// Somebody with these rights.
fn somebody(scopes: Scopes) -> Asked {
    let (id, name): (Arc<str>, Arc<str>) = ("key_1".into(), "somebody".into());
    Asked::new(Caller { id, name, kind: CallerKind::Key, scopes, address: None, policy: None }, "mcp", None)
}

async fn call(hub: &TestHub, scopes: Scopes, name: &str, args: Value) -> bool {
    let definition = Definition::named(name).unwrap();
    hub.operations.call(somebody(scopes), definition, args).await.is_ok()
}

/// The newest entry.
async fn newest(hub: &TestHub) -> Value {
    hub.get(&format!("/api/audit?limit={MAX_PAGE}")).await.json()["entries"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn what_is_denied_is_noted_in_a_few_bytes() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let long = "é".repeat(2_000_000);
    let args = json!({"id": format!("\0{long}"), "definition": {"targets": [long]}});
    assert!(!call(&hub, Scopes::default(), "put_alias", args).await);
    let entry = newest(&hub).await;
    assert_eq!((&entry["operation"], &entry["outcome"]), (&json!("put_alias"), &json!("denied")));
    assert!(entry.get("arguments").is_none_or(Value::is_null), "{}", entry["arguments"]);
    let target = entry["target"].as_str().unwrap();
    assert!(target.starts_with("\u{fffd}é") && (250..=256).contains(&target.len()), "{target}");
    assert!(entry.to_string().len() < 1000);
}

#[tokio::test(start_paused = true)]
async fn long_arguments_of_what_failed_are_told_by_their_size() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let args = json!({"id": "x", "definition": {"no_such_field": "y".repeat(100_000)}});
    let bytes = args.to_string().len();
    assert!(!call(&hub, Scopes::all(), "put_alias", args).await);
    let entry = newest(&hub).await;
    assert_eq!((&entry["outcome"], &entry["target"]), (&json!("failed"), &json!("x")));
    assert_eq!(entry["arguments"], json!({ "omitted_bytes": bytes }));
    // Short ones are kept as they are.
    let args = json!({"id": "x", "definition": {"no_such_field": 1}});
    assert!(!call(&hub, Scopes::all(), "put_alias", args.clone()).await);
    assert_eq!(newest(&hub).await["arguments"], args);
}

#[tokio::test(start_paused = true)]
async fn the_code_of_a_login_is_not_written_down() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let code = "4/0AdQt8qh-canary/x";
    let address = format!("localhost/callback?state=canary-state&code={code}");
    for args in [json!({"code": code, "state": "canary-state"}), json!({ "redirect_url": address })] {
        let refused = hub.json(Method::POST, "/api/oauth/logins/finish", args).await;
        assert!(refused.status.is_client_error(), "{refused:?}");
        let entry = newest(&hub).await;
        assert_eq!(entry["operation"], "finish_login");
        assert!(!entry.to_string().contains("canary"), "{entry}");
    }
}
