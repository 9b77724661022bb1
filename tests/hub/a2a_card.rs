//! The agent card: its forms, who sees what, and its signature.

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use super::{
    a2a::{call, call_by, hub},
    agents::key,
    support::{Answer, TestHub},
};

const HOST: &str = "127.0.0.1:20128";
const PURE: &str = "/a2a/v1/.well-known/agent-card.json";

async fn open(hub: &TestHub, path: &str) -> Answer {
    let request = Request::get(path).header("host", HOST).body(Body::empty()).unwrap();
    let answer = hub.send_bare(request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

fn skills(card: &Value) -> Vec<&str> {
    card["skills"]
        .as_array()
        .unwrap_or_else(|| panic!("{card}"))
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn everybody_reads_the_card_where_clients_look_for_it() {
    let hub = hub().await;
    let both = open(&hub, "/.well-known/agent-card.json").await;
    assert!(both.header("cache-control").contains("max-age=3600"), "{both:?}");
    let card = both.json();
    assert_eq!(card, open(&hub, "/.well-known/agent.json").await.json());
    assert_eq!(card["supportedInterfaces"][0]["url"], format!("http://{HOST}/a2a"));
    assert_eq!(card["supportedInterfaces"][0]["protocolVersion"], "1.0", "1.0 goes first");
    assert_eq!(
        (&card["url"], &card["protocolVersion"]),
        (&json!(format!("http://{HOST}/a2a")), &json!("0.3.0"))
    );
    assert!(skills(&card).contains(&"smart-routing") && !skills(&card).contains(&"create_key"));
    let known = Request::get("/.well-known/agent-card.json").header("host", HOST);
    let known = known.header("if-none-match", both.header("etag")).body(Body::empty()).unwrap();
    let known = hub.send_bare(known).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    for field in ["url", "protocolVersion", "preferredTransport"] {
        assert!(open(&hub, PURE).await.json().get(field).is_none(), "{field} is not of 1.0");
    }
}

#[tokio::test(start_paused = true)]
async fn the_signature_is_over_the_card() {
    let hub = hub().await;
    let card = open(&hub, PURE).await.json();
    let signature = card["signatures"][0].clone();
    let decoded = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&decoded(&signature["protected"])).unwrap();
    assert_eq!(
        (&header["alg"], &header["jku"]),
        (&json!("ES256"), &json!(format!("http://{HOST}/.well-known/jwks.json")))
    );
    let keys = open(&hub, "/.well-known/jwks.json").await.json();
    let public = &keys["keys"][0];
    assert_eq!((&public["kid"], public.get("d")), (&header["kid"], None));
    let point = [&[4][..], &decoded(&public["x"]), &decoded(&public["y"])].concat();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let check = |card: &Value| {
        let card: a2a::card::Card = serde_json::from_value(card.clone()).unwrap();
        let payload = URL_SAFE_NO_PAD.encode(a2a::card::canonical(&card));
        let signed = format!("{}.{payload}", signature["protected"].as_str().unwrap());
        public.verify(signed.as_bytes(), &decoded(&signature["signature"])).is_ok()
    };
    assert!(check(&card));
    let mut other = card.clone();
    other["name"] = json!("Another");
    assert!(!check(&other));
    assert_eq!(card, open(&hub, PURE).await.json(), "the same card is not signed anew");
}

#[tokio::test(start_paused = true)]
async fn callers_see_the_operations_that_they_may_have_done() {
    let hub = hub().await;
    let (_, narrow) = key(&hub, "narrow", &["read:models"], json!({})).await;
    let card = call_by(&hub, &narrow, "1.0", "GetExtendedAgentCard", json!({})).await["result"].clone();
    assert!(skills(&card).contains(&"list_models") && !skills(&card).contains(&"revoke_key"), "{card}");
    assert!(card["signatures"][0]["signature"].is_string(), "{card}");
    let card = call(&hub, "1.0", "GetExtendedAgentCard", json!({})).await["result"].clone();
    assert!(skills(&card).contains(&"revoke_key") && !skills(&card).contains(&"create_key"));
    let old = call(&hub, "", "agent/getAuthenticatedExtendedCard", json!(null)).await["result"].clone();
    assert_eq!(old["supportsAuthenticatedExtendedCard"], true, "{old}");
    assert!(skills(&old).contains(&"revoke_key"));
}

#[tokio::test(start_paused = true)]
async fn an_extension_that_is_asked_for_is_named_in_the_answer() {
    let hub = hub().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"x"}}"#;
    let ask = async |extensions: &str| {
        let request = Request::post("/a2a").header("a2a-version", "1.0").header("a2a-extensions", extensions);
        let answer = hub
            .send(request.header("content-type", "application/json").body(Body::from(body)).unwrap())
            .await;
        answer.header("a2a-extensions").to_owned()
    };
    assert_eq!(ask("https://other.example/1, urn:trivium:a2a:routing:1").await, "urn:trivium:a2a:routing:1");
    assert_eq!(ask("https://other.example/1").await, "");
}
