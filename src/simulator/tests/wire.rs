//! The shapes of healthy answers and of refusals.

use super::*;
use crate::simulator::Behaviour;

#[tokio::test(start_paused = true)]
async fn a_whole_answer_has_all_fields() {
    let read = chat(&simulator(), "sim-ok", &ask(false)).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.header("content-type"), Some("application/json"));
    assert_eq!(read.header("content-length"), Some(read.body.len().to_string().as_str()));
    let answer = read.json();
    assert!(answer["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("m")));
    assert_eq!(answer["created"], 1_000_000);
    assert!(answer["system_fingerprint"].as_str().unwrap().starts_with("fp_"));
    let choice = &answer["choices"][0];
    assert_eq!((&choice["index"], &choice["finish_reason"]), (&json!(0), &json!("stop")));
    let message =
        json!({"role": "assistant", "content": "one two three four", "refusal": null, "annotations": []});
    assert_eq!(choice["message"], message);
    let usage = &answer["usage"];
    assert_eq!(usage["completion_tokens"], 4);
    let sum = usage["prompt_tokens"].as_u64().unwrap() + 4;
    assert_eq!(usage["total_tokens"], sum);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_the_role_and_ends_with_done() {
    let read = chat(&simulator(), "sim-ok", &ask(true)).await;
    assert_eq!(read.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(read.events().last().map(String::as_str), Some("[DONE]"));
    let chunks = read.chunks();
    assert_eq!(chunks.len(), 6, "role, four words, finish");
    assert!(
        chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk" && chunk.get("usage").is_none())
    );
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]));
    let delta = json!({"role": "assistant", "content": "", "refusal": null});
    assert_eq!(chunks[0]["choices"][0]["delta"], delta);
    assert_eq!(chunks[1]["choices"][0]["delta"], json!({"content": "one"}));
    assert_eq!(chunks[1]["choices"][0]["finish_reason"], Value::Null);
    let finish = json!({"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"});
    assert_eq!(chunks[5]["choices"][0], finish);
    assert_eq!(read.said(), "one two three four");
}

#[tokio::test(start_paused = true)]
async fn usage_comes_when_it_is_asked_for() {
    let mut body = ask(true);
    body["stream_options"] = json!({"include_usage": true});
    let chunks = chat(&simulator(), "sim-ok", &body).await.chunks();
    let (last, others) = chunks.split_last().unwrap();
    assert!(others.iter().all(|chunk| chunk.get("usage") == Some(&Value::Null)));
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 4);
    let chunks = chat(&simulator(), "sim-nousage", &body).await.chunks();
    assert!(chunks.iter().all(|chunk| chunk.get("usage").is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_tool_call_comes_in_pieces_and_its_result_is_cited() {
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string", "enum": ["Rome"]}}});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": parameters}}]);
    let mut body =
        json!({"model": "m", "tools": tools, "messages": [{"role": "user", "content": "weather?"}]});
    let simulator = simulator();
    let whole = chat(&simulator, "sim-ok", &body).await.json();
    let choice = &whole["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({"name": "weather", "arguments": r#"{"city":"Rome"}"#}));

    body["stream"] = json!(true);
    let read = chat(&simulator, "sim-ok", &body).await;
    let chunks = read.chunks();
    assert_eq!(chunks[0]["choices"][0]["delta"]["content"], Value::Null);
    let first = &chunks[1]["choices"][0]["delta"]["tool_calls"][0];
    assert_eq!((&first["index"], &first["type"]), (&json!(0), &json!("function")));
    assert_eq!(first["id"], call["id"]);
    assert_eq!(first["function"], json!({"name": "weather", "arguments": ""}));
    let pieces: Vec<&str> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert!(pieces.len() > 2);
    assert_eq!(pieces.concat(), r#"{"city":"Rome"}"#);

    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": null, "tool_calls": [call]}));
    messages.push(json!({"role": "tool", "tool_call_id": call["id"], "content": "sunny, 21 C"}));
    assert!(chat(&simulator, "sim-ok", &body).await.said().contains("sunny, 21 C"));
}

#[tokio::test(start_paused = true)]
async fn several_answers_come_side_by_side() {
    let body = json!({"model": "m", "n": 2, "messages": [{"role": "user", "content": "hi"}]});
    let whole = chat(&simulator(), "sim-ok", &body).await.json();
    assert_eq!(whole["choices"].as_array().unwrap().len(), 2);
    assert_ne!(whole["choices"][0]["message"], whole["choices"][1]["message"]);
    let mut body = body;
    body["stream"] = json!(true);
    let chunks = chat(&simulator(), "sim-chunks-3", &body).await.chunks();
    let order: Vec<_> = chunks.iter().map(|chunk| chunk["choices"][0]["index"].as_u64().unwrap()).collect();
    assert_eq!(order, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes() {
    let body = json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let one = chat(&simulator(), "sim-ok", &body).await;
    let two = chat(&simulator(), "sim-ok", &body).await;
    assert_eq!(one.text(), two.text());
    assert_eq!(one.headers, two.headers);
    let other = Simulator::new(Script { epoch: Some(1_000_000), ..Script::default() }, 8);
    assert_ne!(one.said(), chat(&other, "sim-ok", &body).await.said());
}

#[tokio::test(start_paused = true)]
async fn models_are_listed_and_kept_to() {
    let simulator = Simulator::new(Script::default().models(["a/b", "c"]), 7);
    let list = get(&simulator, "k", "/openai/v1/models").await.json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["id"], "a/b");
    assert_eq!(get(&simulator, "k", "/v1/models/a/b").await.json()["object"], "model");
    let missing = get(&simulator, "k", "/v1/models/x").await;
    assert_eq!((missing.status, &missing.json()["error"]["code"]), (404, &json!("model_not_found")));
    let missing = chat(&simulator, "k", &ask(true)).await;
    assert_eq!((missing.status, &missing.json()["error"]["code"]), (404, &json!("model_not_found")));
}

#[tokio::test(start_paused = true)]
async fn refusals_have_the_error_object() {
    let simulator = simulator();
    let keyless = Request::post("/v1/chat/completions").body(Body::from("{}")).unwrap();
    let keyless = super::read(&simulator, keyless).await;
    assert_eq!((keyless.status, &keyless.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    let slip = chat(&simulator, "sim-limti-3", &ask(false)).await;
    assert_eq!((slip.status, &slip.json()["error"]["code"]), (401, &json!("invalid_api_key")));
    let empty = chat(&simulator, "sim-ok", &json!({})).await;
    assert_eq!((empty.status, &empty.json()["error"]["type"]), (400, &json!("invalid_request_error")));
    assert_eq!(get(&simulator, "sim-ok", "/v1/chat/completions").await.status, 405);
    assert_eq!(get(&simulator, "sim-ok", "/v1/nothing").await.status, 404);
    assert_eq!(get(&simulator, "sim-401", "/v1/models").await.status, 401);
    assert_eq!(get(&simulator, "sim-500", "/v1/models").await.status, 200);
    assert!(empty.header("x-request-id").unwrap().starts_with("req_"));
}

#[tokio::test(start_paused = true)]
async fn time_passes_as_the_script_says() {
    let pace =
        Behaviour { headers_delay_ms: 100, first_token_delay_ms: 1_000, ..Behaviour::ok().paced(5, 50) };
    let simulator = Simulator::new(Script::default().key("k", pace), 7);
    let began = tokio::time::Instant::now();
    let response = simulator.handle(request("k", &ask(true))).await;
    assert_eq!(began.elapsed().as_millis(), 100);
    let read = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(began.elapsed().as_millis(), 1_300);
    assert!(read.ends_with(b"data: [DONE]\n\n"));
    let began = tokio::time::Instant::now();
    drop(simulator.handle(request("k", &ask(false))).await);
    assert_eq!(began.elapsed().as_millis(), 1_300);
}

#[tokio::test(start_paused = true)]
async fn what_openai_asks_of_keys_can_be_changed() {
    let open = Simulator::new(Script { require_key: false, ..Script::default() }, 7);
    let keyless = Request::post("/chat/completions").body(Body::from(ask(false).to_string())).unwrap();
    assert_eq!(super::read(&open, keyless).await.status, 200);
    let closed = Simulator::new(Script { known_keys_only: true, ..Script::default() }, 7);
    assert_eq!(chat(&closed, "stranger", &ask(false)).await.status, 401);
    assert_eq!(chat(&closed, "sim-ok", &ask(false)).await.status, 200);
}
