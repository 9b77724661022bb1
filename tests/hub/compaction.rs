//! Conversations made shorter: by providers that can, and by the hub for those that cannot.

use canon::Dialect;
use serde_json::{Value, json};

use super::support::{Answer, TestHub, speech};

const PATH: &str = "/v1/responses/compact";

async fn hub(provider: Dialect, key: &str) -> TestHub {
    TestHub::builder().account_at(provider, "first", key).build().await
}

fn conversation(more: &[Value]) -> Vec<Value> {
    let said = [
        json!({"role": "user", "content": "find the secret"}),
        json!({"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}),
        json!({"type": "function_call_output", "call_id": "c1", "output": "it is 42"}),
        json!({"role": "assistant", "content": "It is 42."}),
        json!({"role": "user", "content": "good"}),
    ];
    said.into_iter().chain(more.iter().cloned()).collect()
}

fn tools() -> Value {
    json!([{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}])
}

async fn compact(hub: &TestHub) -> Answer {
    let body = json!({"model": "m", "input": conversation(&[]), "tools": tools()});
    hub.post(PATH, body.to_string()).await
}

fn asked(hub: &TestHub, at: usize) -> String {
    hub.upstream()[at].body.clone()
}

#[tokio::test(start_paused = true)]
async fn the_hub_writes_a_summary_where_no_provider_compacts() {
    for provider in [Dialect::Chat, Dialect::Messages, Dialect::Gemini] {
        let hub = hub(provider, "sim-ok").await;
        let answer = compact(&hub).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("x-trivium-compaction")),
            (200, "hub"),
            "{answer:?}"
        );
        assert_eq!(answer.route(), "first");
        let object = answer.json();
        assert_eq!(object["object"], "response.compaction");
        assert!(object["id"].as_str().unwrap().starts_with("resp_") && object["created_at"].is_i64());
        assert!(object["usage"]["total_tokens"].as_u64() > Some(0), "{object}");
        let output = object["output"].as_array().unwrap();
        let kinds: Vec<_> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["message", "message", "compaction"]);
        assert_eq!(output[0]["content"][0]["text"], "find the secret");
        assert_eq!(hub.receipts().await.len(), 1, "{provider}");
        assert!(asked(&hub, 0).contains("Write a summary of our conversation"));

        // What was compacted is gone on from, here and at a provider that could not read it either.
        let summary = output[2]["encrypted_content"].as_str().unwrap().rsplit('.').next().unwrap();
        assert!(!summary.is_empty());
        let mut input = output.clone();
        input.push(json!({"role": "user", "content": "echo: on we go"}));
        let body = json!({"model": "m", "input": input});
        let next = hub.post("/v1/responses", body.to_string()).await;
        assert_eq!(speech::text(Dialect::Responses, &next), "on we go", "{next:?}");
        assert_eq!(next.header("x-trivium-translation-loss"), "");
        assert!(asked(&hub, 1).contains("replaced by this summary"), "{}", asked(&hub, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_compacts_is_asked_to() {
    let hub = hub(Dialect::Responses, "sim-ok").await;
    let answer = compact(&hub).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-trivium-compaction")), (200, ""), "{answer:?}");
    assert_eq!(answer.json()["object"], "response.compaction");
    assert!(hub.upstream()[0].path.ends_with("/responses/compact"));
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_know_of_it_is_asked_for_a_summary() {
    let hub = hub(Dialect::Responses, "sim-404-first-1").await;
    let answer = compact(&hub).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-trivium-compaction")), (200, "hub"), "{answer:?}");
    let paths: Vec<_> = hub.upstream().into_iter().map(|entry| entry.path).collect();
    assert_eq!(paths, ["/v1/responses/compact", "/v1/responses"]);
    let mut input = answer.json()["output"].as_array().unwrap().clone();
    input.push(json!({"role": "user", "content": "echo: yes"}));
    let next = hub.post("/v1/responses", json!({"model": "m", "input": input}).to_string()).await;
    assert_eq!(speech::text(Dialect::Responses, &next), "yes", "{next:?}");
    assert!(asked(&hub, 2).contains("replaced by this summary") && !asked(&hub, 2).contains("trivium."));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told_as_ever() {
    let hub = hub(Dialect::Chat, "sim-500").await;
    assert_eq!(compact(&hub).await.code(), "all_targets_failed");
    let unknown = json!({"model": "unheard-of", "input": "x"}).to_string();
    assert_eq!(hub.post(PATH, unknown).await.code(), "model_not_found");
    let lost = json!({"model": "m", "input": "x", "previous_response_id": "resp_none"}).to_string();
    assert_eq!(hub.post(PATH, lost).await.code(), "previous_response_not_found");
}

fn triggered(stream: bool) -> String {
    let input = conversation(&[json!({"type": "compaction_trigger"})]);
    json!({"model": "m", "stream": stream, "store": false, "input": input, "tools": tools()}).to_string()
}

#[tokio::test(start_paused = true)]
async fn a_trigger_within_a_request_gives_exactly_one_item() {
    for provider in Dialect::ALL {
        for stream in [false, true] {
            let hub = hub(provider, "sim-ok").await;
            let answer = hub.post("/v1/responses", triggered(stream)).await;
            assert_eq!(answer.status.as_u16(), 200, "{answer:?}");
            let response = if stream {
                let events = speech::events(&answer);
                let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
                if provider != Dialect::Responses {
                    let expected = [
                        "response.created",
                        "response.in_progress",
                        "response.output_item.added",
                        "response.output_item.done",
                        "response.completed",
                    ];
                    assert_eq!(kinds, expected, "{provider}");
                }
                events.last().unwrap()["response"].clone()
            } else {
                answer.json()
            };
            let output = response["output"].as_array().unwrap();
            assert_eq!((output.len(), &output[0]["type"]), (1, &json!("compaction")), "{response}");
            let native = provider == Dialect::Responses;
            assert_eq!(asked(&hub, 0).contains("compaction_trigger"), native);
            let loss = answer.header("x-trivium-translation-loss");
            assert_eq!(loss.contains("~compaction_trigger"), !native, "{loss}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_summary_that_nobody_counted_has_an_estimated_price() {
    for stream in [false, true] {
        let hub = hub(Dialect::Chat, "sim-nousage").await;
        let answer = hub.post("/v1/responses", triggered(stream)).await;
        let response = match stream {
            true => speech::events(&answer).pop().unwrap()["response"].clone(),
            false => answer.json(),
        };
        assert!(response["usage"]["output_tokens"].as_u64() > Some(0), "{response}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_target_that_writes_no_summary_is_passed_over() {
    let builder = TestHub::builder().account_at(Dialect::Chat, "first", "sim-cut");
    let hub = builder.account_at(Dialect::Chat, "second", "sim-ok").build().await;
    let answer = hub.post("/v1/responses", triggered(true)).await;
    let last = speech::events(&answer).pop().unwrap();
    assert_eq!(last["response"]["output"][0]["type"], "compaction", "{answer:?}");
    assert_eq!(answer.route(), "second");
}
