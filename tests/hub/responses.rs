//! Responses that can be gone on from: kept by a provider, kept by the hub, or by nobody.

use canon::Dialect;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::support::{Answer, TestHub};

async fn hub_at(dialect: Dialect, keep: &str) -> TestHub {
    let builder = TestHub::builder().yaml(&format!("responses: {{keep: {keep}}}\n"));
    builder.account_at(dialect, "a", "sim-ok").account_at(dialect, "b", "sim-ok.b").build().await
}

async fn create(hub: &TestHub, more: Value) -> Answer {
    let mut body = json!({"model": "m", "input": "echo: one"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hub.post("/v1/responses", body.to_string()).await
}

async fn delete(hub: &TestHub, id: &str) -> Answer {
    let request = Request::builder().method(Method::DELETE).uri(format!("/v1/responses/{id}"));
    hub.send(request.body(axum::body::Body::empty()).unwrap()).await
}

/// The response object of an answer, streamed or not.
fn response(answer: &Answer) -> Value {
    if !answer.header("content-type").starts_with("text/event-stream") {
        return answer.json();
    }
    let last = answer.text.lines().rev().find_map(|line| line.strip_prefix("data: ")).unwrap();
    serde_json::from_str::<Value>(last).unwrap()["response"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_keeps_them_is_asked_and_gone_on_with() {
    for stream in [false, true] {
        let hub = hub_at(Dialect::Responses, "off").await;
        let first = create(&hub, json!({"model": "b/m", "stream": stream})).await;
        let id = response(&first)["id"].as_str().unwrap().to_owned();
        // The name without a connection would go to the first account, which does not have it.
        let next =
            create(&hub, json!({"previous_response_id": id, "input": "and then?", "stream": stream})).await;
        assert_eq!((next.status, next.route()), (StatusCode::OK, "b"), "{next:?}");
        assert_eq!(hub.get(&format!("/v1/responses/{id}")).await.json()["id"], id);
        let items = hub.get(&format!("/v1/responses/{id}/input_items?limit=5")).await.json();
        assert_eq!(items["object"], "list", "{items}");
        assert_eq!(delete(&hub, &id).await.json()["deleted"], true);
        assert_eq!(hub.get(&format!("/v1/responses/{id}")).await.status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(start_paused = true)]
async fn the_hub_keeps_them_where_it_is_told_to() {
    for provider in [Dialect::Chat, Dialect::Messages, Dialect::Gemini] {
        for stream in [false, true] {
            let hub = hub_at(provider, "on").await;
            let first = create(&hub, json!({"stream": stream})).await;
            let kept = response(&first);
            let id = kept["id"].as_str().unwrap();
            assert_eq!(kept["store"], true, "{kept}");
            assert_eq!(hub.get(&format!("/v1/responses/{id}")).await.json(), kept, "{provider}");
            let items = hub.get(&format!("/v1/responses/{id}/input_items")).await.json();
            assert_eq!(items["data"][0]["content"][0]["text"], "echo: one", "{items}");
            let next =
                create(&hub, json!({"previous_response_id": id, "input": "go on", "stream": stream})).await;
            assert_eq!(next.status, StatusCode::OK, "{provider}: {next:?}");
            let sent = &hub.upstream().pop().unwrap().body;
            assert!(sent.contains("echo: one") && sent.contains("go on"), "{provider}: {sent}");
            let second = response(&next)["id"].as_str().unwrap().to_owned();
            create(&hub, json!({"previous_response_id": second, "input": "once more"})).await;
            let sent = &hub.upstream().pop().unwrap().body;
            assert!(["echo: one", "go on", "once more"].iter().all(|text| sent.contains(text)), "{sent}");
            let unkept = create(&hub, json!({"store": false})).await;
            let id = response(&unkept)["id"].as_str().unwrap().to_owned();
            assert_eq!(hub.get(&format!("/v1/responses/{id}")).await.status, StatusCode::NOT_FOUND);
            assert_eq!(delete(&hub, &second).await.json()["deleted"], true);
            assert_eq!(hub.get(&format!("/v1/responses/{second}")).await.status, StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_keeps_them_and_that_is_said() {
    let hub = hub_at(Dialect::Chat, "off").await;
    let kept = create(&hub, json!({})).await.json();
    assert_eq!(kept["store"], false, "{kept}");
    let answer = create(&hub, json!({"previous_response_id": kept["id"]})).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::BAD_REQUEST, "previous_response_not_found")
    );
    assert!(answer.text.contains("responses.keep: on"), "{answer:?}");
    let id = kept["id"].as_str().unwrap();
    let missing = hub.get(&format!("/v1/responses/{id}")).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test(start_paused = true)]
async fn what_one_caller_keeps_another_cannot_find() {
    for (provider, keep) in [(Dialect::Responses, "off"), (Dialect::Chat, "on")] {
        let hub = hub_at(provider, keep).await;
        let id = create(&hub, json!({})).await.json()["id"].as_str().unwrap().to_owned();
        let other = hub.other_key().await;
        let send = async |method: Method, path: String, body: String| {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header("authorization", format!("Bearer {other}"));
            hub.send(request.body(body.into()).unwrap()).await.status
        };
        let path = format!("/v1/responses/{id}");
        assert_eq!(send(Method::GET, path.clone(), String::new()).await, StatusCode::NOT_FOUND);
        assert_eq!(send(Method::DELETE, path.clone(), String::new()).await, StatusCode::NOT_FOUND);
        let body = json!({"model": "m", "input": "x", "previous_response_id": id}).to_string();
        assert_eq!(send(Method::POST, "/v1/responses".to_owned(), body).await, StatusCode::BAD_REQUEST);
        assert_eq!(hub.get(&path).await.status, StatusCode::OK);
    }
}
