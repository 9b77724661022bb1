//! What was made over the API beside the file: it outlives the hub, gives way to a file that says otherwise and comes back
//! when the file takes that back, and its secrets come out nowhere.

use http::Method;
use serde_json::{Value, json};

use super::{
    client::Answer,
    secrets::Seen,
    support::{Hub, SOON, eventually},
};

/// Part of every secret here. No other text holds it.
const CANARY: &str = "CaNaRy9b1d";

async fn put(hub: &Hub, path: &str, definition: Value) -> Answer {
    hub.send(Method::PUT, path, definition.to_string().into()).await
}

/// The aliases of that name, as the list tells of them.
async fn aliases(hub: &Hub, name: &str) -> Vec<Value> {
    let list = hub.get("/api/aliases").await.json();
    let items = list["items"].as_array().unwrap();
    items.iter().filter(|item| item["id"] == name).cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_outlives_an_orderly_stop_and_kill_9() {
    let mut hub = Hub::builder().account("a", "sim-ok").start().await;
    let made = put(&hub, "/api/aliases/small", json!({"targets": ["m"]})).await;
    assert_eq!(made.status, 200, "{made:?}");
    put(&hub, "/api/settings/timeouts.connect_seconds", json!({"value": 3})).await;
    for killed in [false, true] {
        hub.chat("small").send().await.must_be_whole();
        let before = (hub.get("/api/aliases").await.text(), hub.get("/api/settings").await.text());
        let log = hub.get("/api/audit").await.text();
        if killed {
            hub.process.kill();
        } else {
            assert_eq!(hub.stop().await.code(), Some(0));
        }
        hub = hub.again().await;
        assert_eq!((hub.get("/api/aliases").await.text(), hub.get("/api/settings").await.text()), before);
        assert_eq!(hub.get("/api/audit").await.text(), log);
        assert_eq!(hub.get("/api/audit/verify").await.json()["whole"], true);
        hub.chat("small").send().await.must_be_whole();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_says_otherwise_wins_until_it_takes_that_back() {
    let hub = Hub::builder().account("a", "sim-ok").account("b", "sim-ok").start().await;
    let file = std::fs::read_to_string(hub.ground.config()).unwrap();
    put(&hub, "/api/aliases/small", json!({"targets": ["a/m"]})).await;
    assert_eq!(hub.chat("small").send().await.header("x-gateway-route"), "a");

    hub.write_config(&format!("aliases: {{small: {{targets: [b/m]}}}}\n{file}"));
    let end = std::time::Instant::now() + SOON;
    while hub.chat("small").send().await.header("x-gateway-route") != "b" {
        assert!(std::time::Instant::now() < end, "{}", hub.ground.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let both = aliases(&hub, "small").await;
    let aside = both.iter().find(|item| item["owner"] == "api").unwrap();
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(aside["set_aside"].as_str().is_some_and(|why| why.contains("small")), "{aside}");
    let said = || hub.ground.said().contains("made over the API and not in force").then_some(());
    eventually("the log says it", SOON, said).await;
    let refused = put(&hub, "/api/aliases/small", json!({"targets": ["a/m"]})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "conflict".to_owned()));
    // Others can still be made beside one that is out of force.
    assert_eq!(put(&hub, "/api/aliases/tiny", json!({"targets": ["a/m"]})).await.status, 200);

    hub.write_config(&file);
    let end = std::time::Instant::now() + SOON;
    while hub.chat("small").send().await.header("x-gateway-route") != "a" {
        assert!(std::time::Instant::now() < end, "{}", hub.ground.said());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let [only] = aliases(&hub, "small").await.try_into().unwrap();
    assert_eq!((&only["owner"], &only["version"]), (&json!("api"), &json!(1)));
    assert_eq!(only.get("set_aside"), None, "{only}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_while_the_hub_was_down_wins_too() {
    let mut hub = Hub::builder().account("a", "sim-ok").account("b", "sim-ok").start().await;
    let file = std::fs::read_to_string(hub.ground.config()).unwrap();
    put(&hub, "/api/aliases/small", json!({"targets": ["a/m"]})).await;
    hub.stop().await;
    hub.write_config(&format!("aliases: {{small: {{targets: [b/m]}}}}\n{file}"));
    let mut hub = hub.again().await;
    assert_eq!(hub.chat("small").send().await.header("x-gateway-route"), "b");
    assert_eq!(aliases(&hub, "small").await.len(), 2);
    hub.stop().await;
    hub.write_config(&file);
    let hub = hub.again().await;
    assert_eq!(hub.chat("small").send().await.header("x-gateway-route"), "a");
}

/// Every way in which a connection's key could come out again.
async fn look_everywhere(hub: &Hub, seen: &mut Seen) {
    for path in [
        "/api/connections",
        "/api/connections/secretive",
        "/api/connections/nobody",
        "/api/audit?limit=500",
        "/api/openapi.json",
        "/api/settings",
        "/health",
        "/v1/models",
    ] {
        seen.answer(path, &hub.get(path).await);
    }
    for args in [
        &["connections", "list"][..],
        &["connections", "list", "--json"],
        &["connections", "get", "secretive"],
        &["audit", "list", "--json"],
        &["config", "show"],
        &["config", "show", "--origin"],
    ] {
        let output = hub.ground.cli(args).await;
        seen.add(&args.join(" "), [output.stdout, output.stderr].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_came_in_over_the_api_comes_out_nowhere() {
    let mut hub = Hub::builder()
        .env("LOG_LEVEL", "trace")
        .env("TRIVIUM__LOG__FORMAT", "json")
        .account("first", "sim-ok")
        .start()
        .await;
    let key = format!("sim-ok.{CANARY}");
    let url = format!("http://{}/v1", hub.provider.address);
    let whole = json!({"type": "openai-compatible", "base_url": url, "api_key": key, "models": ["private"]});
    let path = "/api/connections/secretive";
    let mut seen = Seen::default();
    seen.answer("put", &put(&hub, path, whole.clone()).await);
    hub.chat("private").send().await.must_be_whole();
    let patch = |changes: Value| hub.send(Method::PATCH, path, changes.to_string().into());
    seen.answer("patch", &patch(json!({"priority": 3})).await);
    // A key that is left out, or sent as it was shown, stays.
    let shown = hub.get(path).await.json()["definition"].clone();
    assert_ne!(shown["api_key"], json!(null), "{shown}");
    seen.answer("put as shown", &put(&hub, path, shown).await);
    hub.chat("private").send().await.must_be_whole();
    // Refused for many reasons, with the key in all kinds of places: where keys belong whatever it looks like, elsewhere
    // if it looks like one.
    let looks = format!("sk-{CANARY}-looks");
    for wrong in [
        json!({"type": looks, "api_key": key}),
        json!({"type": "openai-compatible", "base_url": looks, "api_key": key}),
        json!({"type": "openai-compatible", "base_url": url, "api_key": [key]}),
        json!({"type": "openai-compatible", "base_url": url, "apikey": key}),
        json!({"type": "openai-compatible", "base_url": url, "api_key": key, "priority": looks}),
        json!({"type": "openai-compatible", "base_url": url, "api_key": {"value": key}}),
        json!({"type": "openai-compatible", "base_url": url, looks.as_str(): key}),
    ] {
        let answer = put(&hub, "/api/connections/wrong", wrong).await;
        assert!(answer.status.is_client_error(), "{answer:?}");
        seen.answer("a wrong put", &answer);
        let text = json!({"type": "openai-compatible", "api_key": key, "priority": "high"}).to_string();
        let output = hub.ground.cli(&["connections", "put", "wrong", "--definition", &text]).await;
        assert!(!output.status.success());
        seen.add("a wrong put by command", [output.stdout, output.stderr].concat());
    }
    let broken = format!("{{\"api_key\": \"{key}\"");
    seen.answer("broken", &hub.send(Method::PUT, path, broken.into()).await);
    look_everywhere(&hub, &mut seen).await;
    let newest = hub.get("/api/audit?limit=1&outcome=done").await.json()["entries"][0]["id"].clone();
    seen.answer("undo", &hub.post(&format!("/api/audit/{newest}/undo"), "").await);
    seen.answer("delete", &hub.send(Method::DELETE, path, "{}".into()).await);
    look_everywhere(&hub, &mut seen).await;
    assert!(hub.stop().await.success());
    seen.files(&hub.ground.data_dir(), &[]);
    seen.add("log", hub.ground.said());
    let holding = seen.holding(CANARY);
    assert!(holding.is_empty(), "{holding:#?}");
    assert!(!seen.holding("secretive").is_empty() && !seen.holding("put_connection").is_empty());
    let used = hub.provider.simulator.log();
    assert!(used.iter().any(|entry| entry.key.as_deref() == Some(key.as_str())), "the key was in use");
}
