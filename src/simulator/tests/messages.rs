//! Anthropic's Messages as a client meets it.

use super::*;
use crate::simulator::Outcome;

pub(super) fn ask_messages(stream: bool, text: &str) -> Value {
    json!({"model": "m", "max_tokens": 4_000, "stream": stream, "messages": [{"role": "user", "content": text}]})
}

fn post(key: &str, path: &str, body: &Value) -> Request<Body> {
    Request::post(path)
        .header("x-api-key", key)
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

async fn messages(simulator: &Simulator, key: &str, body: &Value) -> Read {
    read(simulator, post(key, "/v1/messages", body)).await
}

/// Names and data of all events; both must agree on the type.
fn events(read: &Read) -> Vec<Value> {
    let text = read.text().replace("\r\n", "\n");
    let mut events = Vec::new();
    for event in text.split("\n\n").filter(|event| event.starts_with("event: ")) {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
        events.push(data);
    }
    events
}

fn types(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// Puts the blocks of a stream together, as a client does.
pub(super) fn folded(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    let mut json = String::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => {
                assert_eq!(event["index"], blocks.len());
                blocks.push(event["content_block"].clone());
                json.clear();
            }
            "content_block_delta" => {
                let (block, delta) = (blocks.last_mut().unwrap(), &event["delta"]);
                for name in ["text", "thinking", "signature"] {
                    if let Some(more) = delta[name].as_str() {
                        block[name] = format!("{}{more}", block[name].as_str().unwrap()).into();
                    }
                }
                if let Some(more) = delta["partial_json"].as_str() {
                    json.push_str(more);
                    if let Ok(input) = serde_json::from_str::<Value>(&json) {
                        block["input"] = input;
                    }
                }
                if delta["citation"].is_object() {
                    block["citations"] = json!([delta["citation"]]);
                }
            }
            _ => {}
        }
    }
    blocks
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_and_a_stream_say_the_same() {
    let tool = json!({"name": "sun", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}});
    let search = json!({"type": "web_search_20250305", "name": "web_search"});
    for (text, types) in [
        ("echo: one two", vec!["text"]),
        ("cite it", vec!["text"]),
        ("weather in parallel", vec!["thinking", "tool_use", "tool_use"]),
        ("redact it", vec!["thinking", "redacted_thinking", "text"]),
        ("search it", vec!["server_tool_use", "web_search_tool_result", "text"]),
        ("refuse me", vec!["text"]),
    ] {
        let mut body = ask_messages(false, text);
        body["tools"] = json!([tool, search]);
        if types[0] == "thinking" {
            body["thinking"] = json!({"type": "enabled", "budget_tokens": 1_024});
        }
        let whole = messages(&simulator(), "sim-ok", &body).await;
        assert_eq!(whole.status, 200, "{}", whole.text());
        let content = whole.json()["content"].clone();
        let said: Vec<_> =
            content.as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(said, types, "{text}");
        body["stream"] = json!(true);
        let stream = messages(&simulator(), "sim-ok", &body).await;
        assert_eq!(Value::from(folded(&events(&stream))), content, "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order() {
    let stream = messages(&simulator(), "sim-ok", &ask_messages(true, "echo: one two")).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let events = events(&stream);
    assert_eq!(
        types(&events),
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    assert_eq!(events[6]["delta"], json!({"stop_reason": "end_turn", "stop_sequence": null}));
    assert_eq!(events[6]["usage"]["output_tokens"], 2);
}

#[tokio::test(start_paused = true)]
async fn reasons_to_stop() {
    let simulator = simulator();
    let mut body = ask_messages(false, "echo: one two three");
    body["stop_sequences"] = json!([" three"]);
    let stopped = messages(&simulator, "k", &body).await.json();
    assert_eq!(
        (&stopped["stop_reason"], &stopped["stop_sequence"]),
        (&json!("stop_sequence"), &json!(" three"))
    );
    body["max_tokens"] = json!(1);
    assert_eq!(messages(&simulator, "k", &body).await.json()["stop_reason"], "max_tokens");
    let refused = messages(&simulator, "k", &ask_messages(false, "refuse me")).await.json();
    assert_eq!(refused["stop_reason"], "refusal");
}

#[tokio::test(start_paused = true)]
async fn thinking_is_taken_back_by_its_maker_alone() {
    let simulator = simulator();
    let mut body = ask_messages(false, "weather?");
    body["tools"] = json!([{"name": "sun", "input_schema": {"type": "object"}}]);
    body["thinking"] = json!({"type": "enabled", "budget_tokens": 1_024});
    let content = messages(&simulator, "a", &body).await.json()["content"].clone();
    let id = content[1]["id"].clone();
    let turns = body["messages"].as_array_mut().unwrap();
    turns.push(json!({"role": "assistant", "content": content}));
    turns.push(
        json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": id, "content": "sunny"}]}),
    );
    let next = messages(&simulator, "b", &body).await.json();
    assert_eq!(next["content"][1]["text"], "The tool answered: sunny");
    let other = messages(&simulator, "sim-maker-other", &body).await;
    assert_eq!(other.status, 400);
    let message = &other.json()["error"]["message"];
    assert_eq!(*message, "messages.1.content.0: Invalid `signature` in `thinking` block");
}

#[tokio::test(start_paused = true)]
async fn threads_are_held_for_a_while() {
    let simulator = simulator();
    let threaded = |key: &str, body: &Value| {
        let mut request = post(key, "/v1/messages", body);
        request.headers_mut().insert("anthropic-beta", "a,message-threads-2026-08-12".parse().unwrap());
        request
    };
    let mut first = ask_messages(false, "weather?");
    first["tools"] = json!([{"name": "sun", "input_schema": {"type": "object"}}]);
    first["thread"] = json!({"type": "create"});
    let unnamed = messages(&simulator, "a", &first).await.json();
    assert_eq!(unnamed["error"]["message"], "thread: Extra inputs are not permitted");
    let begun = read(&simulator, threaded("a", &first)).await.json();
    let result = json!({"type": "tool_result", "tool_use_id": begun["content"][0]["id"], "content": "sunny"});
    let next = json!({"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": [result]}],
        "thread": {"type": "continue", "previous_message_id": begun["id"]}});
    let answer = read(&simulator, threaded("a", &next)).await.json();
    assert_eq!(answer["content"][0]["text"], "The tool answered: sunny");
    let stranger = read(&simulator, threaded("b", &next)).await;
    assert_eq!(
        (stranger.status, &stranger.json()["error"]["details"]["error_code"]),
        (404, &json!("thread_not_found"))
    );
    let mut repeated = next.clone();
    repeated["tools"] = first["tools"].clone();
    assert_eq!(read(&simulator, threaded("a", &repeated)).await.status, 400);
    tokio::time::advance(std::time::Duration::from_secs(300)).await;
    assert_eq!(read(&simulator, threaded("a", &next)).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_cache_is_the_keys_own() {
    let simulator = simulator();
    let mut body = ask_messages(false, "hello");
    body["system"] =
        json!([{"type": "text", "text": "a b c d e f g h", "cache_control": {"type": "ephemeral"}}]);
    let first = messages(&simulator, "a", &body).await.json()["usage"].clone();
    let again = messages(&simulator, "a", &body).await.json()["usage"].clone();
    let other = messages(&simulator, "b", &body).await.json()["usage"].clone();
    assert_eq!(first, other);
    assert_eq!(first["cache_read_input_tokens"], 0);
    assert_eq!(first["cache_creation_input_tokens"], again["cache_read_input_tokens"]);
    assert_eq!(again["cache_creation_input_tokens"], 0);
    assert_eq!(first["input_tokens"], again["input_tokens"]);
    let chat_body = json!({"model": "m", "messages": [
        {"role": "system", "content": "a b c d e f g h"}, {"role": "user", "content": "hello"}]});
    let prompt = chat(&simulator, "a", &chat_body).await.json()["usage"]["prompt_tokens"].as_u64().unwrap();
    let sum = |usage: &Value| {
        usage["input_tokens"].as_u64().unwrap() + usage["cache_read_input_tokens"].as_u64().unwrap()
    };
    assert_eq!(sum(&again), prompt, "the same prompt costs the same in all dialects");
    let count = read(
        &simulator,
        post(
            "a",
            "/v1/messages/count_tokens",
            &json!({"model": "m", "system": body["system"], "messages": body["messages"]}),
        ),
    )
    .await;
    assert_eq!(count.json(), json!({"input_tokens": prompt}));
}

#[tokio::test(start_paused = true)]
async fn faults_speak_the_dialect() {
    let simulator = simulator();
    let ask = |stream| ask_messages(stream, "echo: one two three four");
    let cut = messages(&simulator, "sim-cut-3", &ask(true)).await;
    assert!(cut.broken);
    assert_eq!(folded(&events(&cut))[0]["text"], "one two three");
    let role = messages(&simulator, "sim-cut", &ask(true)).await;
    assert_eq!(types(&events(&role)), ["message_start", "content_block_start", "ping"]);
    let endless = messages(&simulator, "sim-nodone", &ask(true)).await;
    assert_eq!(types(&events(&endless)).last(), Some(&"message_delta"));
    let twice = messages(&simulator, "sim-twodone", &ask(true)).await;
    assert_eq!(types(&events(&twice)).iter().filter(|name| **name == "message_stop").count(), 2);
    let error = messages(&simulator, "sim-sse-error-2", &ask(true)).await;
    let last = events(&error).pop().unwrap();
    assert_eq!((&last["type"], &last["error"]["type"]), (&json!("error"), &json!("api_error")));
    let error = messages(&simulator, "sim-sse-error", &ask(true)).await;
    assert_eq!(types(&events(&error)), ["error"]);
    let unmeasured = messages(&simulator, "sim-nousage", &ask(true)).await;
    assert!(!unmeasured.text().contains("usage"));
    let whole = messages(&simulator, "sim-nostream", &ask(true)).await;
    assert_eq!(whole.json()["type"], "message");
    assert_eq!(simulator.log()[0].outcome, Outcome::Cut);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_anthropics() {
    let simulator = simulator();
    for (code, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ] {
        let read = messages(&simulator, &format!("sim-{code}"), &ask_messages(true, "hi")).await;
        assert_eq!((read.status, &read.json()["error"]["type"]), (code, &json!(kind)));
        assert_eq!(read.json()["type"], "error");
        assert!(read.header("request-id").unwrap().starts_with("req_"));
    }
    let limited = messages(&simulator, "sim-429-retry-20", &ask_messages(true, "hi")).await;
    assert_eq!(limited.header("retry-after"), Some("20"));
    assert_eq!(limited.header("anthropic-ratelimit-requests-remaining"), Some("0"));
    assert_eq!(limited.header("anthropic-ratelimit-requests-reset"), Some("1970-01-12T13:47:00Z"));
    let dry = messages(&simulator, "sim-dry-0", &ask_messages(true, "hi")).await;
    assert_eq!(dry.status, 400);
    assert!(dry.json()["error"]["message"].as_str().unwrap().contains("credit balance is too low"));
    let bare = Request::post("/v1/messages").header("authorization", "Bearer k");
    let bare = read(&simulator, bare.body(Body::from(ask_messages(false, "hi").to_string())).unwrap()).await;
    assert!(bare.text().contains("anthropic-version: header is required"));
    let keyless = Request::post("/v1/messages").header("anthropic-version", "x").body(Body::empty()).unwrap();
    assert_eq!(super::read(&simulator, keyless).await.status, 401);
    let list = Request::get("/v1/models").header("anthropic-version", "x").header("x-api-key", "k");
    let list = read(&simulator, list.body(Body::empty()).unwrap()).await.json();
    assert_eq!((&list["data"][0]["type"], &list["has_more"]), (&json!("model"), &json!(false)));
}
