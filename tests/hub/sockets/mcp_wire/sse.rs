//! The HTTP+SSE transport of 2024.

use http::Method;
use serde_json::{Value, json};

use super::{
    super::support::{Hub, SOON},
    call,
    http::{Caller, Events},
    initialize, ready, request, tools,
};

async fn hub(sections: &str) -> Hub {
    Hub::builder().section(sections).account("a", "sim-ok").start().await
}

const ON: &str = "mcp: {legacy_sse: on}";

/// Opens a stream, and answers it with the address for messages.
async fn opened(caller: &Caller, query: &str) -> (Events, String) {
    let answer = caller.send(Method::GET, &format!("/api/mcp/sse{query}"), &[], &Value::Null).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = Events::of(answer);
    let (name, endpoint) = events.next().await.unwrap();
    assert_eq!(name, "endpoint");
    (events, endpoint)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_off_until_it_is_switched_on() {
    let hub = hub("").await;
    let caller = Caller::of(&hub);
    for (method, path) in [(Method::GET, "/api/mcp/sse"), (Method::POST, "/api/mcp/messages?sessionId=x")] {
        let answer = caller.send(method, path, &[], &ready()).await;
        assert_eq!(answer.status(), 404, "{path}");
    }
    let told = hub.get("/api/mcp/sse").await;
    assert!(told.text().contains("mcp.legacy_sse"), "{}", told.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_goes_its_way_and_is_nobody_elses() {
    let hub = hub(ON).await;
    let caller = Caller::of(&hub);
    let (mut events, endpoint) = opened(&caller, "?profile=essential").await;
    assert!(endpoint.starts_with("/api/mcp/messages?sessionId="), "{endpoint}");
    let post = async |caller: &Caller, message: &Value| {
        caller.send(Method::POST, &endpoint, &[], message).await.status().as_u16()
    };
    assert_eq!(post(&caller, &initialize(1)).await, 202);
    assert_eq!(events.answer(1).await["result"]["serverInfo"]["name"], "trivium");
    assert_eq!(post(&caller, &ready()).await, 202);
    assert_eq!(post(&caller, &request(2, "tools/list", json!({}))).await, 202);
    assert!(tools(&events.answer(2).await).len() < 12, "the profile of the stream's address holds");
    assert_eq!(post(&caller, &call(3, "get_health", json!({}))).await, 202);
    assert_eq!(events.answer(3).await["result"]["isError"], false);

    let other = Caller { key: hub.new_key("other").await, ..caller.clone() };
    assert_eq!(post(&other, &request(4, "ping", json!({}))).await, 404);
    let nobody = Caller { key: "wrong".to_owned(), ..caller.clone() };
    assert_eq!(post(&nobody, &request(4, "ping", json!({}))).await, 401);
    let page = [("origin", "https://elsewhere.example")];
    assert_eq!(caller.send(Method::POST, &endpoint, &page, &ready()).await.status(), 403);
    assert_eq!(caller.send(Method::GET, "/api/mcp/sse", &page, &Value::Null).await.status(), 403);
    assert_eq!(post(&caller, &json!({"hello": "world"})).await, 400);
    assert_eq!(caller.send(Method::GET, &endpoint, &[], &Value::Null).await.status(), 405);

    // With the stream ends the session.
    drop(events);
    let end = std::time::Instant::now() + SOON;
    while post(&caller, &request(5, "ping", json!({}))).await != 404 {
        assert!(std::time::Instant::now() < end, "the session is still there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shares_the_places_of_other_sessions() {
    let hub = hub("mcp: {legacy_sse: on, max_sessions: 2}").await;
    let caller = Caller::of(&hub);
    let (mut oldest, _) = opened(&caller, "").await;
    let (_second, _) = opened(&caller, "").await;
    let (_third, endpoint) = opened(&caller, "").await;
    assert!(oldest.next().await.is_none(), "it made room");
    assert_eq!(caller.send(Method::POST, &endpoint, &[], &initialize(1)).await.status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_opening_is_refused_on_the_stream() {
    let hub = hub(ON).await;
    let caller = Caller::of(&hub);
    let (mut events, endpoint) = opened(&caller, "").await;
    let mut large = initialize(1);
    large["params"]["clientInfo"]["title"] = Value::from("x".repeat(64 * 1024));
    assert_eq!(caller.send(Method::POST, &endpoint, &[], &large).await.status(), 202);
    let refused = events.answer(1).await;
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["data"]["limit_bytes"]),
        (&json!(-32602), &json!(65536))
    );
    assert!(events.next().await.is_none(), "the session is over");
}
