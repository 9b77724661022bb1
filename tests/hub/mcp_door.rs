//! Who gets in to the MCP server and who does not, and what clients that are not let in are told.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Method, Request, StatusCode, request::Builder};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair},
};
use serde_json::{Value, json};

use super::{
    agents::key,
    support::{Answer, TestHub},
};

const HOST: &str = "127.0.0.1:20128";
const METADATA: &str = "http://127.0.0.1:20128/.well-known/oauth-protected-resource/mcp";
const BOTH: &str = "application/json, text/event-stream";
const SESSION: &str = "mcp-session-id";

async fn hub() -> TestHub {
    TestHub::builder().account("a", "sim-ok").build().await
}

fn to_mcp(method: Method) -> Builder {
    let request = Request::builder().method(method).uri("/mcp").header("host", HOST).header("accept", BOTH);
    request.header("content-type", "application/json")
}

fn initialize() -> Value {
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
}

/// The revision without sessions: each request says all.
fn discover(request: Builder) -> Request<Body> {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    let request =
        request.header("mcp-protocol-version", "2026-07-28").header("mcp-method", "server/discover");
    request.body(Body::from(body.to_string())).unwrap()
}

fn with(request: Builder, body: &Value) -> Request<Body> {
    request.body(Body::from(body.to_string())).unwrap()
}

/// The message of an answer, whether it came as JSON or as an event.
fn message(answer: &Answer) -> Value {
    let events = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
    let last = events.rev().find(|data| data.starts_with('{'));
    serde_json::from_str(last.unwrap_or(&answer.text)).unwrap_or_else(|_| panic!("{answer:?}"))
}

/// Opens a session with a key; its id.
async fn open(hub: &TestHub, key: &str) -> String {
    let request = to_mcp(Method::POST).header("authorization", format!("Bearer {key}"));
    let answer = hub.send(with(request, &initialize())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.header(SESSION).to_owned();
    assert!(!id.is_empty(), "{answer:?}");
    let request = to_mcp(Method::POST).header("authorization", format!("Bearer {key}")).header(SESSION, &id);
    let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    assert_eq!(hub.send(with(request, &ready)).await.status, 202);
    id
}

/// A request within a session.
async fn within(hub: &TestHub, method: Method, key: &str, session: &str) -> Answer {
    let request = to_mcp(method.clone()).header("authorization", format!("Bearer {key}"));
    let request = request.header(SESSION, session).header("mcp-protocol-version", "2025-11-25");
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping"});
    let body = if method == Method::POST { Body::from(ping.to_string()) } else { Body::empty() };
    hub.send(request.body(body).unwrap()).await
}

#[tokio::test(start_paused = true)]
async fn without_a_key_a_client_is_told_where_to_get_one() {
    let hub = hub().await;
    let challenge = format!(r#"Bearer resource_metadata="{METADATA}", scope="read:health""#);
    for request in [with(to_mcp(Method::POST), &initialize()), discover(to_mcp(Method::POST))] {
        let answer = hub.send_bare(request).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "missing_api_key".into()));
        assert_eq!(answer.header("www-authenticate"), challenge);
    }
    // The metadata that it names is there, for everybody.
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let request = Request::get(path).header("host", HOST).body(Body::empty()).unwrap();
        let answer = hub.send_bare(request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let metadata = answer.json();
        assert_eq!(metadata["resource"], format!("http://{HOST}/mcp"));
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
        assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!("read:health")));
        assert_eq!(metadata.get("authorization_servers"), None, "no issuer is configured");
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_key_is_told_apart_from_none() {
    let hub = hub().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let request = to_mcp(method).header("authorization", "Bearer tvm_nobody");
        let answer = hub.send(with(request, &initialize())).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "invalid_api_key".into()));
        let challenge = answer.header("www-authenticate");
        let expected = format!(r#"Bearer error="invalid_token", resource_metadata="{METADATA}""#);
        assert!(challenge.starts_with(&expected), "{challenge}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_for_somebody_else_is_refused() {
    let yaml = "auth: {jwt_issuer: 'https://id.example', jwt_audience: hub, jwt_jwks_url: 'https://id.example/keys'}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(private.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(public.public_key().as_ref());
    let public = json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "one", "alg": "EdDSA", "use": "sig"});
    let tokens = hub.tokens.as_ref().unwrap();
    tokens.trust(serde_json::from_value(json!({"keys": [public]})).unwrap());
    let presented = async |issuer: &str, audience: &str| {
        let end = 1_767_225_600 + 300;
        let claims = json!({"iss": issuer, "aud": audience, "sub": "anna", "exp": end});
        let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::EdDSA) };
        let signed = EncodingKey::from_ed_der(private.as_ref());
        let token = jsonwebtoken::encode(&header, &claims, &signed).unwrap();
        let request = to_mcp(Method::POST).header("authorization", format!("Bearer {token}"));
        hub.send(discover(request)).await
    };
    let known = presented("https://id.example", "hub").await;
    assert_eq!(known.status, 200, "{known:?}");
    for (issuer, audience) in [("https://id.example", "another"), ("https://other.example", "hub")] {
        let answer = presented(issuer, audience).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#), "{answer:?}");
    }
    let request = Request::get("/.well-known/oauth-protected-resource/mcp").header("host", HOST);
    let metadata = hub.send_bare(request.body(Body::empty()).unwrap()).await.json();
    assert_eq!(metadata["authorization_servers"], json!(["https://id.example"]));
}

#[tokio::test(start_paused = true)]
async fn pages_and_names_of_elsewhere_are_refused() {
    let hub = hub().await;
    for origin in ["https://evil.example", "http://evil.example:20128", "null"] {
        for method in [Method::POST, Method::GET, Method::DELETE, Method::OPTIONS] {
            let request = to_mcp(method).header("origin", origin);
            let answer = hub.send(with(request, &initialize())).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{origin}: {answer:?}");
            assert!(answer.headers.get("access-control-allow-origin").is_none(), "{origin}: {answer:?}");
        }
    }
    let mut request = with(to_mcp(Method::POST), &initialize());
    request.headers_mut().insert("host", "evil.example".parse().unwrap());
    assert_eq!(hub.send(request).await.status, StatusCode::FORBIDDEN);
    for origin in ["http://localhost:5173", "http://127.0.0.1:6274", "http://[::1]:3000"] {
        let request = to_mcp(Method::POST).header("origin", origin);
        let answer = hub.send(discover(request)).await;
        assert_eq!(answer.status, 200, "{origin}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), origin);
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_this_machine_may_ask_first() {
    let hub = hub().await;
    let request = to_mcp(Method::OPTIONS).header("origin", "http://localhost:6274");
    let request = request.header("access-control-request-method", "POST");
    let request =
        request.header("access-control-request-headers", "authorization, mcp-session-id, mcp-method");
    let answer = hub.send_bare(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "a browser sends no key with this: {answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), "http://localhost:6274");
    for name in
        ["authorization", "content-type", "mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name"]
    {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}: {answer:?}");
    }
    assert!(answer.header("access-control-allow-methods").contains("DELETE"), "{answer:?}");
    assert!(answer.header("access-control-expose-headers").contains(SESSION), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn sessions_are_their_callers_own() {
    let hub = hub().await;
    let (_, mine) = key(&hub, "mine", &["read:health"], json!({})).await;
    let (_, other) = key(&hub, "other", &["read:health"], json!({})).await;
    let session = open(&hub, &mine).await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        for (key, id) in [(&other, session.as_str()), (&mine, "0f0f0f0f-no-such-session")] {
            let answer = within(&hub, method.clone(), key, id).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method}: {answer:?}");
        }
    }
    let answer = within(&hub, Method::POST, &mine, &session).await;
    assert_eq!((answer.status, message(&answer)["result"].clone()), (StatusCode::OK, json!({})));
    let ended = within(&hub, Method::DELETE, &mine, &session).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{ended:?}");
    let gone = within(&hub, Method::POST, &mine, &session).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "so that the client opens another: {gone:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_is_not_there() {
    let hub = TestHub::builder().yaml("mcp: {enabled: off}\n").account("a", "sim-ok").build().await;
    for method in [Method::POST, Method::GET, Method::DELETE] {
        let answer = hub.send(with(to_mcp(method), &initialize())).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(answer.text.contains("mcp.enabled"), "it says how to switch it on: {answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_a_client_accepts_it_is_served() {
    let hub = hub().await;
    for accept in [Some("*/*"), Some("application/json"), Some("text/event-stream"), None] {
        for body in [with(to_mcp(Method::POST), &initialize()), discover(to_mcp(Method::POST))] {
            let mut request = body;
            request.headers_mut().remove("accept");
            if let Some(accept) = accept {
                request.headers_mut().insert("accept", accept.parse().unwrap());
            }
            let answer = hub.send(request).await;
            assert_eq!(answer.status, 200, "{accept:?}: {answer:?}");
            let server = &message(&answer)["result"];
            let name = server.pointer("/serverInfo/name");
            let name = name.or_else(|| server.pointer("/_meta/io.modelcontextprotocol~1serverInfo/name"));
            assert_eq!(name, Some(&json!("trivium")), "{accept:?}: {answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_has_a_largest_size() {
    let hub = hub().await;
    let mut call = initialize();
    call["params"]["clientInfo"]["title"] = Value::from("x".repeat(5 * 1024 * 1024));
    let answer = hub.send(with(to_mcp(Method::POST), &call)).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn what_opens_a_session_has_a_bound_of_its_own() {
    let hub = hub().await;
    let mut large = initialize();
    large["params"]["clientInfo"]["title"] = Value::from("x".repeat(64 * 1024));
    let length = large.to_string().len();
    for announced in [true, false] {
        let mut request = with(to_mcp(Method::POST), &large);
        if announced {
            request.headers_mut().insert("content-length", length.into());
        }
        let answer = hub.send(request).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{answer:?}");
        let error = &message(&answer);
        assert_eq!((&error["jsonrpc"], &error["id"]), (&json!("2.0"), &json!(1)), "{error}");
        assert_eq!(error["error"]["code"], -32602, "{error}");
        let data = json!({"limit_bytes": 65536, "bytes": length});
        assert_eq!(error["error"]["data"], data, "it says by how much");
        assert!(error["error"]["message"].as_str().unwrap().contains("send less"), "{error}");
    }
    let sessions = async || hub.get("/api/mcp/status").await.json()["sessions"].clone();
    let before = sessions().await;
    assert_eq!((&before["standing"], &before["kept"]), (&json!(0), &json!(0)), "nothing was kept");
    // What fits is let in, as are larger messages that open nothing.
    let mut fits = initialize();
    fits["params"]["clientInfo"]["title"] = Value::from("x".repeat(60 * 1024));
    let answer = hub.send(with(to_mcp(Method::POST), &fits)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(sessions().await["kept"], 1);
    let session = answer.header(SESSION).to_owned();
    let request = to_mcp(Method::POST).header(SESSION, &session).header("mcp-protocol-version", "2025-11-25");
    let ping = json!({"jsonrpc": "2.0", "id": 3, "method": "ping", "params": {"_meta": {"x": "x".repeat(100 * 1024)}}});
    let answer = hub.send(with(request, &ping)).await;
    assert_eq!((answer.status, &message(&answer)["result"]), (StatusCode::OK, &json!({})), "{answer:?}");
    // Nor is it taken within a session.
    let request = to_mcp(Method::POST).header(SESSION, &session).header("mcp-protocol-version", "2025-11-25");
    let again = hub.send(with(request, &large)).await;
    assert_eq!(message(&again)["error"]["code"], -32602, "{again:?}");
}
