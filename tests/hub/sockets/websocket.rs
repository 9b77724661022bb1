//! `GET /v1/ws` over real sockets. Here: who gets in, and how the others are told. What is said on a socket is in
//! `answers` and `frames`, who waits for whom in `flow`, how it ends in `ending`.

mod answers;
mod client;
mod ending;
mod flow;
mod frames;
mod policy;
mod responses;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};

use super::{
    client::Client,
    raw::{self, Raw},
    support::Hub,
};
use client::{Socket, bearer};

const PROBE: &str = "/v1/ws?handshake=1";

async fn hub() -> Hub {
    Hub::builder().account("a", "sim-ok").start().await
}

/// The answer to a request for a socket that is no WebSocket client's.
async fn plain(hub: &Hub, path: &str, headers: &str) -> Raw {
    let text = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
    raw::send(hub.address, text.as_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dry_check_has_three_outcomes() {
    let hub = hub().await;
    let none = plain(&hub, PROBE, "").await;
    assert_eq!(none.must_be_refused(), (401, "ws_auth_required".to_owned()));
    let bad = plain(&hub, PROBE, "authorization: Bearer wrong\r\n").await;
    assert_eq!(bad.must_be_refused(), (403, "ws_auth_invalid".to_owned()));
    let good = hub.get(PROBE).await;
    assert_eq!(good.status, 200);
    let description = good.json();
    let kinds = |field: &str| {
        let frames = description[field].as_array().unwrap().iter();
        frames.map(|frame| frame["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(kinds("client_frames"), ["request", "cancel", "ping"]);
    assert_eq!(kinds("server_frames"), ["chunk", "complete", "error", "cancelled", "pong"]);
    assert_eq!(description["limits"]["frame_bytes"], 10 * 1024 * 1024);
    assert_eq!(description["limits"]["requests_at_once"], 128);
    assert_eq!(description["ping_interval_seconds"], 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_websocket_is_told_to() {
    let hub = hub().await;
    let upgrade = "upgrade: websocket\r\nconnection: upgrade\r\n";
    let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let cases = [
        (String::new(), 426, "ws_upgrade_required"),
        (format!("upgrade: h2c\r\nconnection: upgrade\r\n{key}"), 426, "ws_upgrade_required"),
        (format!("{upgrade}sec-websocket-version: 8\r\n{key}"), 426, "ws_upgrade_required"),
        (format!("{upgrade}sec-websocket-version: 13\r\n"), 400, "malformed_request"),
        (format!("{upgrade}sec-websocket-version: 13\r\n{key}"), 401, "ws_auth_required"),
    ];
    for (headers, status, code) in cases {
        let answer = plain(&hub, "/v1/ws", &headers).await;
        assert_eq!(answer.must_be_refused(), (status, code.to_owned()), "{headers}");
        let told = (answer.header("upgrade"), answer.header("sec-websocket-version"));
        assert_eq!(told, if status == 426 { (Some("websocket"), Some("13")) } else { (None, None) });
    }
    let posted = hub.send(Method::POST, "/v1/ws", Bytes::new()).await;
    assert_eq!((posted.status.as_u16(), posted.code().as_str()), (405, "method_not_allowed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_come_in_headers_or_as_a_subprotocol_and_never_in_the_query() {
    let hub = hub().await;
    let key = hub.new_key("page").await;
    let as_subprotocol = format!("trivium, bearer.{key}");
    let ways: [&[(&str, &str)]; 4] = [
        &[("authorization", &format!("Bearer {key}"))],
        &[("x-api-key", &key)],
        &[("x-goog-api-key", &key)],
        &[("sec-websocket-protocol", &as_subprotocol)],
    ];
    for headers in ways {
        let mut socket = Socket::open(hub.address, "/v1/ws", headers).await.unwrap();
        let selected = socket.header("sec-websocket-protocol");
        assert_eq!(selected.as_deref(), (headers[0].0 == "sec-websocket-protocol").then_some("trivium"));
        socket.ask("1", json!({})).await;
        assert_eq!(socket.end_of("1").await.0["type"], "complete");
    }
    let refusals = [
        (vec![], "/v1/ws".to_owned(), "401 ws_auth_required"),
        (vec![], format!("/v1/ws?key={key}&api_key={key}&token={key}"), "401 ws_auth_required"),
        (vec![("sec-websocket-protocol", "trivium")], "/v1/ws".to_owned(), "401 ws_auth_required"),
        (vec![("authorization", "Bearer wrong")], "/v1/ws".to_owned(), "403 ws_auth_invalid"),
        (
            vec![("sec-websocket-protocol", "trivium, bearer.wrong")],
            "/v1/ws".to_owned(),
            "403 ws_auth_invalid",
        ),
    ];
    for (headers, path, refusal) in refusals {
        assert_eq!(
            Socket::open(hub.address, &path, &headers).await.err().as_deref(),
            Some(refusal),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_elsewhere_need_a_key_even_where_others_do_not() {
    let hub =
        Hub::builder().account("a", "sim-ok").section("auth: {required: false}").env("API_KEY", "operator");
    let hub = hub.start().await;
    let open = async |headers: &[(&str, &str)]| Socket::open(hub.address, "/v1/ws", headers).await.err();
    let elsewhere = ("origin", "https://elsewhere.example");
    assert_eq!(open(&[elsewhere]).await.as_deref(), Some("403 host_not_allowed"));
    assert_eq!(
        open(&[elsewhere, ("authorization", "Bearer wrong")]).await.as_deref(),
        Some("403 host_not_allowed")
    );
    assert_eq!(open(&[elsewhere, ("authorization", "Bearer operator")]).await, None);
    assert_eq!(open(&[elsewhere, ("sec-websocket-protocol", "trivium, bearer.operator")]).await, None);
    assert_eq!(open(&[("origin", "http://localhost:3000")]).await, None);
    assert_eq!(open(&[]).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_judged_anew() {
    let hub = Hub::builder().account("a", "sim-ok").env("RATE_LIMIT_MAX", "4").start().await;
    let mut socket = Socket::of(&hub).await;
    for id in ["1", "2", "3"] {
        socket.ask(id, json!({"stream": true})).await;
        assert_eq!(socket.end_of(id).await.0["type"], "complete");
    }
    socket.ask("4", json!({})).await;
    let error = socket.end_of("4").await.0["error"].clone();
    assert_eq!((&error["code"], &error["status"]), (&json!("rate_limit_exceeded"), &json!(429)));
    assert!(error["retry_after_seconds"].is_u64(), "{error}");
    assert_eq!(hub.provider.calls("a").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_ends_with_its_next_request() {
    let hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let key = hub.new_key("gone").await;
    let mut socket = Socket::open(hub.address, "/v1/ws", &[bearer(&key).as_ref()]).await.unwrap();
    socket.ask("runs", json!({"stream": true})).await;
    assert_eq!(socket.next().await["type"], "chunk");
    hub.ground.cli_ok(&["keys", "revoke", "gone"]).await;
    socket.ask("next", json!({})).await;
    let (error, _) = socket.end_of("next").await;
    assert_eq!(
        (&error["error"]["code"], &error["error"]["status"]),
        (&json!("ws_auth_invalid"), &json!(403))
    );
    assert_eq!(hub.provider.calls("a").len(), 1);
}

/// The error frames' objects are those of HTTP.
#[tokio::test(flavor = "multi_thread")]
async fn scopes_mean_what_they_mean_over_http() {
    let hub = Hub::builder().account("a", "sim-500").start().await;
    let reader = hub.ground.cli_ok(&["keys", "create", "reader", "--scope", "read:models"]).await;
    let worker = hub.new_key("worker").await;
    for key in [&reader, &worker, &hub.key] {
        let mut socket = Socket::open(hub.address, "/v1/ws", &[bearer(key).as_ref()]).await.unwrap();
        socket.ask("1", json!({})).await;
        let error = socket.end_of("1").await.0["error"].clone();
        let over_http = Client::new(hub.address, key).chat("m").send().await;
        let http = over_http.json()["error"].clone();
        let fields = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let mut expected = fields(&http);
        expected.push("status".to_owned());
        if http["code"] == error["code"] {
            assert_eq!(fields(&error), expected, "{error} {http}");
            assert_eq!(error["status"], over_http.status.as_u16());
        }
        let shown = error["attempts"].is_array() || error["skipped"].is_array();
        assert_eq!(shown, *key == hub.key, "{error}");
        assert_eq!(error["code"] == "insufficient_scope", *key == reader, "{error}");
    }
}
