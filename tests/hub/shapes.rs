//! What goes through unchanged, what is edited, who may come in, and the shape of errors.

use axum::body::Body;
use http::{Method, Request, StatusCode};
use operations::{
    Scope,
    keys::{CreateKey, RevokeKey},
};
use trivium::engine::{
    caller::{Caller, CallerKind},
    code::Code,
};

use super::support::TestHub;

/// Unusual spacing, unknown fields and their order must survive.
const BODY: &str = r#"{ "zeta": {"b":1,"a":[1.0,1e3]},  "model":"m" , "messages":[{"role":"user","content":"h\u00e9"}],
  "x_future": null, "temperature": 0.70 }"#;

#[tokio::test]
async fn a_unary_body_reaches_the_provider_byte_for_byte() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    assert!(hub.post("/v1/chat/completions", BODY).await.is_whole());
    assert_eq!(hub.upstream()[0].body, BODY);
    assert!(hub.post("/chat/completions", BODY).await.is_whole(), "the version may be left out");
}

#[tokio::test]
async fn a_stream_is_edited_by_the_closed_list_only_and_the_receipt_says_so() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let body = BODY.replace("\"x_future\"", "\"stream\":true,\"x_future\"");
    let answer = hub.post("/v1/chat/completions", body.clone()).await;
    assert!(answer.is_whole());
    let asked = body.strip_suffix('}').unwrap().to_owned() + r#","stream_options":{"include_usage":true}}"#;
    assert_eq!(hub.upstream()[0].body, asked);
    assert!(!answer.text.contains("\"choices\":[]"), "the usage chunk was not asked for: {}", answer.text);
    let receipt = &hub.receipts().await[0];
    assert_eq!(receipt.detail.edits, ["include-usage"]);
    assert!(receipt.input_tokens.is_some() && receipt.output_tokens.is_some(), "metered all the same");
}

#[tokio::test]
async fn usage_that_was_asked_for_arrives() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let body = r#"{"model":"a/m","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"x"}]}"#;
    let answer = hub.post("/v1/chat/completions", body).await;
    assert!(answer.text.contains("\"choices\":[]"), "{}", answer.text);
    assert_eq!(hub.upstream()[0].body, body.replace("a/m", "m"));
    assert_eq!(hub.receipts().await[0].detail.edits, ["model"]);
}

#[tokio::test]
async fn the_providers_own_verdict_on_a_request_is_passed_on_unchanged() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let answer = hub.post("/v1/chat/completions", r#"{"model":"m","messages":[],"temperature":"hot"}"#).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.json()["error"]["type"], "invalid_request_error");
    assert!(
        answer.json()["error"].get("request_id").is_none(),
        "these are the provider's bytes: {}",
        answer.text
    );
}

#[tokio::test]
async fn bad_input_gets_an_error_of_the_table_in_openais_shape() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let table: [(&[u8], &str); 8] = [
        (b"{\"model\": \"m\", ", "invalid_json"),
        (b"hello", "invalid_json"),
        (b"[]", "invalid_json"),
        (b"{\"model\":\"m\",\"messages\":[],\"a\":\"\xff\"}", "invalid_utf8"),
        (b"{\"messages\":[]}", "missing_required_parameter"),
        (b"{\"model\":\"m\"}", "missing_required_parameter"),
        (b"{\"model\":7,\"messages\":[]}", "invalid_parameter"),
        (b"{\"model\":\"m\",\"messages\":[],\"stream\":\"no\"}", "invalid_parameter"),
    ];
    for (body, code) in table {
        let answer = hub.post("/v1/chat/completions", body.to_vec()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, code), "{answer:?}");
        assert_eq!(answer.json()["error"]["request_id"], answer.header("x-request-id"));
    }
    let answer = hub.post("/v1/chat/completions", vec![b' '; 11 * 1024 * 1024]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    let answer = hub.get("/v1/chat/completions").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    assert_eq!(answer.header("allow"), "POST");
    assert_eq!(hub.get("/v2/chat").await.code(), "unknown_route");
    assert_eq!(hub.get("/v1/models/%ff").await.code(), "malformed_request");
    assert_eq!(hub.get("/api/keys/%ff").await.code(), "malformed_request");
    assert_eq!(hub.get("/api/keys/%ff/rotate").await.code(), "method_not_allowed");
    assert_eq!(hub.post("/api/keys/%ff/rotate", "").await.code(), "malformed_request");
    let long = "x".repeat(600);
    let answer = hub.post("/v1/chat/completions", format!(r#"{{"model":"{long}","messages":[]}}"#)).await;
    assert_eq!(answer.code(), "invalid_parameter");
    assert_eq!(hub.get(&format!("/v1/models/{long}")).await.code(), "invalid_parameter");
    assert!(hub.upstream().is_empty(), "none of this is a provider's business");
}

#[tokio::test]
async fn keys_open_what_their_scopes_say() {
    let hub = TestHub::builder().account("a", "sim-401").build().await;
    let operator = Caller {
        id: "test".into(),
        name: "test".into(),
        kind: CallerKind::Local,
        scopes: operations::Scopes::all(),
        address: None,
        policy: None,
    };
    let create = async |name: &str, scopes: &[Scope]| {
        let args = CreateKey {
            name: name.to_owned(),
            scopes: scopes.to_vec(),
            expires_in_seconds: None,
            policy: operations::keys::KeyPolicy::default(),
        };
        hub.keys().create(&operator, args).await.unwrap().secret
    };
    let client = create("client", &[Scope::ExecuteCompletions]).await;
    let reader = create("reader", &[Scope::ReadModels]).await;
    let with = async |method: Method, path: &str, key: &str, body: &str| {
        let request =
            Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
        hub.send(request.body(Body::from(body.to_owned())).unwrap()).await
    };
    let chat = r#"{"model":"m","messages":[]}"#;
    let answer = with(Method::POST, "/v1/chat/completions", &client, chat).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.json()["error"].get("attempts").is_none(), "this key may not see the topology");
    assert_eq!(with(Method::GET, "/v1/models", &client, "").await.code(), "insufficient_scope");
    assert_eq!(with(Method::POST, "/v1/chat/completions", &reader, chat).await.code(), "insufficient_scope");
    assert_eq!(with(Method::GET, "/v1/models", &reader, "").await.status, StatusCode::OK);
    assert_eq!(with(Method::GET, "/api/keys", &reader, "").await.code(), "insufficient_scope");
    assert!(with(Method::GET, "/health", &reader, "").await.json().get("details").is_none());
    assert!(hub.get("/health").await.json().get("details").is_some());

    hub.keys().revoke(&operator, RevokeKey { key: "reader".to_owned() }).await.unwrap();
    let answer = with(Method::GET, "/v1/models", &reader, "").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "invalid_api_key"));
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert_eq!(answer.header("x-should-retry"), "false");
    assert_eq!(with(Method::GET, "/v1/models", "", "").await.code(), "missing_api_key");
}

#[tokio::test]
async fn keys_are_managed_over_rest() {
    let hub = TestHub::builder().build().await;
    let created = hub.post("/api/keys", r#"{"name":"laptop"}"#).await;
    assert_eq!(created.status, StatusCode::CREATED);
    let secret = created.json()["secret"].as_str().unwrap().to_owned();
    assert_eq!(hub.post("/api/keys", r#"{"name":"laptop"}"#).await.code(), "conflict");
    assert_eq!(hub.post("/api/keys", r#"{"name":""}"#).await.code(), "invalid_parameter");
    assert_eq!(hub.post("/api/keys", r#"{"nam":"x"}"#).await.code(), "invalid_parameter");
    assert_eq!(hub.post("/api/keys", "{").await.code(), "invalid_json");
    let list = hub.get("/api/keys").await;
    assert!(list.text.contains("laptop") && !list.text.contains(&secret), "{}", list.text);
    let rotated = hub.post("/api/keys/laptop/rotate", "").await;
    assert_ne!(rotated.json()["secret"].as_str().unwrap(), secret);
    let gone = hub.send(Request::delete("/api/keys/nobody").body(Body::empty()).unwrap()).await;
    assert_eq!((gone.status, gone.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
    let revoked = hub.send(Request::delete("/api/keys/laptop").body(Body::empty()).unwrap()).await;
    assert_eq!(revoked.status, StatusCode::OK);
}

#[tokio::test]
async fn a_hub_that_is_stopping_says_so_over_connections_that_stand() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    assert_eq!(hub.get("/readyz").await.status, StatusCode::OK);
    hub.engine.admission().close();
    assert_eq!(hub.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(hub.get("/health").await.json()["status"], "shutting_down");
    assert_eq!(hub.get("/livez").await.status, StatusCode::OK);
    let answer = hub.chat("m").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "shutting_down"));
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn foreign_hosts_are_turned_away() {
    let hub = TestHub::builder().build().await;
    for (host, status) in [("127.0.0.1:20128", 200), ("localhost", 200), ("evil.example", 403)] {
        let request = Request::get("/livez").header("host", host).body(Body::empty()).unwrap();
        assert_eq!(hub.send(request).await.status.as_u16(), status, "{host}");
    }
}

#[tokio::test]
async fn without_required_keys_programs_come_in_and_foreign_pages_do_not() {
    let hub = TestHub::builder().yaml("auth: {required: false}\n").account("a", "sim-ok").build().await;
    let from = async |origin: Option<&str>| {
        let mut request = super::support::chat("m", false);
        request.headers_mut().insert("authorization", "Bearer whatever".parse().unwrap());
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        hub.send(request).await.status.as_u16()
    };
    assert_eq!(from(None).await, 200);
    assert_eq!(from(Some("http://localhost:3000")).await, 200);
    assert_eq!(from(Some("https://evil.example")).await, 403);
    assert_eq!(from(Some("null")).await, 403);
}

#[tokio::test]
async fn the_documented_codes_are_all_codes() {
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let page = include_str!("../../docs/errors.md");
    for code in Code::ALL {
        let row = format!("| `{}` | {} |", code.as_str(), code.status());
        assert!(page.contains(&row), "docs/errors.md lacks the row: {row} {} |", code.remedy());
    }
    assert_eq!(page.lines().filter(|line| line.starts_with("| `")).count(), names.len());
}
