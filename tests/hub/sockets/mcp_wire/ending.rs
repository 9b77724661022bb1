//! An orderly stop with every kind of connection open that has no end of its own.

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use super::{
    super::support::Hub,
    http::{Caller, Events},
    process::Talker,
};

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
