//! Accounts that are reached through a proxy: everything for them goes that way, and a proxy that fails costs no request and
//! is not held against the provider.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::support::Hub;

/// What was asked of a proxy.
type Log = Arc<Mutex<Vec<String>>>;

/// A proxy that leads everybody to `to`, whatever they ask for.
async fn proxy(to: SocketAddr) -> (SocketAddr, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, log) = (listener.local_addr().unwrap(), Log::default());
    let seen = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            seen.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(to).await.unwrap();
            tokio::spawn(async move { drop(tokio::io::copy_bidirectional(&mut client, &mut server).await) });
        }
    });
    (address, log)
}

fn account(id: &str, url: &str, proxy: &str) -> String {
    format!(
        "  - id: {id}\n    type: openai-compatible\n    base_url: {url}\n    api_key: sim-ok.{id}\n    models: [m]\n{proxy}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_for_an_account_goes_through_its_proxy() {
    let hub = Hub::builder().account("first", "sim-ok").start().await;
    let (at, log) = proxy(hub.provider.address).await;
    // The name exists for the proxy alone.
    let line = format!("    proxy: http://me:canary-pw@{at}\n");
    hub.write_config(&format!("providers:\n{}", account("far", "http://far.invalid/v1", &line)));
    hub.uses(&["far"]).await;
    hub.chat("m").send().await.must_be_whole();
    hub.chat("m").stream().send().await.must_be_whole();
    let tested = hub.post("/api/connections/far/test", "{}").await.json();
    assert_eq!((&tested["works"], &tested["steps"][0]["step"]), (&json!(true), &json!("proxy")), "{tested}");
    let found = hub.post("/api/connections/far/discover", "{}").await.json();
    assert!(found["new"].as_array().is_some_and(|new| !new.is_empty()), "{found}");
    let asked = log.lock().unwrap().clone();
    assert!(asked.iter().all(|head| head.starts_with("CONNECT far.invalid:80 HTTP/1.1\r\n")), "{asked:?}");
    assert!(
        asked.iter().all(|head| head.contains("Proxy-Authorization: Basic bWU6Y2FuYXJ5LXB3\r\n")),
        "{asked:?}"
    );
    assert!(!hub.provider.calls("far").is_empty());
    for path in ["/api/connections", "/api/connections/far", "/api/settings"] {
        assert!(!hub.get(path).await.text().contains("canary-pw"), "{path}");
    }
    let shown = hub.ground.cli_ok(&["config", "show"]).await;
    assert!(!shown.contains("canary-pw") && !hub.ground.said().contains("canary-pw"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_fails_costs_no_request_and_opens_no_breaker() {
    let hub = Hub::builder().account("first", "sim-ok").start().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{}/v1", hub.provider.address);
    let broken = account("broken", &url, &format!("    proxy: socks5://{closed}\n"));
    hub.write_config(&format!("providers:\n{broken}{}", account("direct", &url, "")));
    hub.uses(&["broken", "direct"]).await;
    let answer = hub.chat("m").send().await;
    answer.must_be_whole();
    let path = format!("/api/routing/explain/{}", answer.request_id());
    // Receipts are written a moment after the answer.
    let mut told = hub.get(&path).await;
    for _ in 0..100 {
        if told.status == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        told = hub.get(&path).await;
    }
    let told = told.json();
    assert_eq!(told["attempts"][0]["fault"], "proxy_failed", "{told}");
    for _ in 0..20 {
        hub.chat("m").send().await.must_be_whole();
        let reset = hub.post("/api/health/reset", json!({"connection": "broken"}).to_string()).await;
        assert_eq!(reset.status, 200);
    }
    let health = hub.get("/api/health").await.json();
    assert_eq!(health["breakers"], json!([]), "the provider's host is not blamed: {health}");
    let tested = hub.post("/api/connections/broken/test", "{}").await.json();
    assert_eq!((&tested["works"], &tested["failed"]), (&json!(false), &json!("proxy")), "{tested}");
    assert!(hub.provider.calls("broken").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_fetched_through_the_proxy_of_their_account() {
    let hub = Hub::builder().account("first", "sim-ok").start().await;
    let (at, log) = proxy(hub.provider.address).await;
    // Neither name exists but for the proxy.
    hub.write_config(&format!(
        "providers:\n  - id: far\n    type: openai-compatible\n    base_url: http://far.invalid/v1\n    models: [m]\n    \
         proxy: http://{at}\n    oauth: {{flow: client-credentials, client_id: app-1, client_secret: s3, token_url: \
         'http://login.internal/oauth/token'}}\n"
    ));
    hub.uses(&["far"]).await;
    let tested = hub.post("/api/connections/far/test", "{}").await.json();
    assert_eq!(tested["works"], true, "{tested}");
    hub.chat("m").send().await.must_be_whole();
    let asked = log.lock().unwrap().clone();
    for host in ["login.internal:80", "far.invalid:80"] {
        assert!(asked.iter().any(|head| head.starts_with(&format!("CONNECT {host} "))), "{host}: {asked:?}");
    }
}
