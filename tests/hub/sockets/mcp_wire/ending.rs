//! An orderly stop, and the operator's switch, with every kind of connection open that has no end of its own.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::{
    super::support::{Hub, SOON},
    http::{Caller, Events},
    process::Talker,
    ready, request,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_switch_ends_what_stands_on_every_transport() {
    let hub = Hub::builder().account("a", "sim-ok").start().await;
    let caller = Caller::of(&hub);
    let switch = async |key: &str, value: &str| {
        let path = format!("/api/settings/{key}");
        let done = caller.send(Method::PUT, &path, &[], &json!({"value": value})).await;
        assert_eq!(done.status(), 200, "{}", hub.ground.said());
    };
    switch("mcp.legacy_sse", "on").await;
    let session = caller.open().await;
    let mut standing = Events::of(caller.in_session(Method::GET, &session, &Value::Null).await);
    let mut sse = Events::of(caller.send(Method::GET, "/api/mcp/sse", &[], &Value::Null).await);
    assert_eq!(sse.next().await.unwrap().0, "endpoint");
    let mut talker = Talker::open(&hub.ground, &[]).await;
    let counts = async || {
        let status = hub.get("/api/mcp/status").await.json();
        (status["sessions"]["standing"].clone(), status["streams"].clone())
    };
    assert_eq!(counts().await, (json!(2), json!(2)));

    let asked = Instant::now();
    switch("mcp.enabled", "off").await;
    assert_eq!(caller.post(&session, &ready()).await.status(), 404);
    while standing.next().await.is_some() {}
    while sse.next().await.is_some() {}
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    let end = Instant::now() + SOON;
    while counts().await != (json!(0), json!(0)) {
        assert!(Instant::now() < end, "something stands: {:?}", counts().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Who is attached is cut off when the hub looks next, asks in vain, and goes on when it is on again, as does the session.
    tokio::time::sleep(Duration::from_secs(2)).await;
    talker.say(&request(7, "ping", json!({})));
    assert!(tokio::time::timeout(Duration::from_secs(3), talker.answer(7)).await.is_err());
    switch("mcp.enabled", "on").await;
    assert_eq!(talker.answer(7).await["result"], json!({}));
    let listed =
        Events::of(caller.post(&session, &request(8, "tools/list", json!({}))).await).answer(8).await;
    assert!(listed["result"]["tools"].is_array(), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_attachments_do_not_keep_a_hub_from_stopping() {
    let mut hub = Hub::builder()
        .section("mcp: {legacy_sse: on}\nserver: {shutdown_timeout_seconds: 25}")
        .account("a", "sim-ok")
        .start()
        .await;
    let caller = Caller::of(&hub);
    let session = caller.open().await;
    let mut standing = Events::of(caller.in_session(Method::GET, &session, &Value::Null).await);
    let mut sse = Events::of(caller.send(Method::GET, "/api/mcp/sse", &[], &Value::Null).await);
    assert_eq!(sse.next().await.unwrap().0, "endpoint");
    let listen = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {
        "notifications": {"toolsListChanged": true},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }});
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "subscriptions/listen")];
    let listening = caller.send(Method::POST, "/mcp", &headers, &listen).await;
    let mut talker = Talker::open(&hub.ground, &[]).await;

    let asked = Instant::now();
    assert_eq!(hub.stop().await.code(), Some(0), "{}", hub.ground.said());
    assert!(asked.elapsed() < Duration::from_secs(8), "{:?}: {}", asked.elapsed(), hub.ground.said());
    while standing.next().await.is_some() {}
    while sse.next().await.is_some() {}
    drop(listening);
    // And who was attached goes on as the hub.
    assert_eq!(talker.ask("ping", json!({})).await["result"], json!({}));
}
