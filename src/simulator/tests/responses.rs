//! OpenAI's Responses as a client meets it.

use super::*;

fn post(key: &str, path: &str, body: &Value) -> Request<Body> {
    let request = Request::post(path).header("authorization", format!("Bearer {key}"));
    request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()
}

async fn respond(simulator: &Simulator, key: &str, body: &Value) -> Read {
    read(simulator, post(key, "/v1/responses", body)).await
}

fn ask_responses(stream: bool, text: &str) -> Value {
    json!({"model": "m", "stream": stream, "input": text})
}

/// Names and data of all events; both must agree on the type, and the numbers must rise.
fn events(read: &Read) -> Vec<Value> {
    let text = read.text();
    let mut events: Vec<Value> = Vec::new();
    for event in text.split("\n\n").filter(|event| event.starts_with("event: ")) {
        let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["type"], name);
        let number = |event: &Value| event["sequence_number"].as_u64().unwrap();
        assert!(events.last().is_none_or(|last| number(last) < number(&data)));
        events.push(data);
    }
    events
}

/// What all deltas of an item say together.
fn deltas(events: &[Value], index: usize) -> String {
    let of_item = events.iter().filter(|event| event["output_index"] == index);
    of_item.filter_map(|event| event["delta"].as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_and_a_stream_say_the_same() {
    let function = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {"a": {"const": 1}}}});
    let space = json!({"type": "namespace", "name": "box", "tools": [{"type": "custom", "name": "patch"}]});
    for (text, types) in [
        ("echo: one two", vec!["reasoning", "message"]),
        ("weather in parallel", vec!["reasoning", "function_call", "custom_tool_call"]),
        ("search it", vec!["reasoning", "web_search_call", "message"]),
        ("cite it", vec!["reasoning", "message"]),
        ("refuse me", vec!["reasoning", "message"]),
    ] {
        let mut body = ask_responses(false, text);
        body["tools"] = json!([function("sun"), space, {"type": "web_search"}]);
        body["reasoning"] = json!({"effort": "low", "summary": "auto"});
        body["include"] = json!(["reasoning.encrypted_content"]);
        let whole = respond(&simulator(), "sim-ok", &body).await.json();
        let output = whole["output"].as_array().unwrap();
        let said: Vec<_> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
        assert_eq!(said, types, "{text}");
        body["stream"] = json!(true);
        let stream = respond(&simulator(), "sim-ok", &body).await;
        let events = events(&stream);
        assert_eq!(events.last().unwrap()["response"], whole, "{text}");
        for (index, item) in output.iter().enumerate() {
            let all = match item["type"].as_str().unwrap() {
                "reasoning" => &item["summary"][0]["text"],
                "message" if text == "refuse me" => &item["content"][0]["refusal"],
                "message" => &item["content"][0]["text"],
                "function_call" => &item["arguments"],
                "custom_tool_call" => &item["input"],
                _ => continue,
            };
            assert_eq!(*all, deltas(&events, index), "{text}");
        }
        assert!(output[0]["encrypted_content"].is_string());
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_can_be_built_on() {
    let simulator = simulator();
    let mut body = ask_responses(false, "weather?");
    body["tools"] = json!([{"type": "function", "name": "sun"}]);
    body["reasoning"] = json!({"effort": "low"});
    let first = respond(&simulator, "a", &body).await.json();
    let (id, call) = (first["id"].as_str().unwrap().to_owned(), first["output"][1]["call_id"].clone());
    let next = |previous: &str| {
        json!({"model": "m", "previous_response_id": previous, "input": [
        {"type": "function_call_output", "call_id": call, "output": "sunny"}]})
    };
    let second = respond(&simulator, "a", &next(&id)).await.json();
    assert_eq!(second["output"][0]["content"][0]["text"], "The tool answered: sunny");
    let stranger = respond(&simulator, "b", &next(&id)).await;
    assert_eq!(
        (stranger.status, &stranger.json()["error"]["code"]),
        (400, &json!("previous_response_not_found"))
    );
    let get = |key: &str, path: String| {
        let request = Request::get(path).header("authorization", format!("Bearer {key}"));
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(read(&simulator, get("a", format!("/v1/responses/{id}"))).await.json(), first);
    assert_eq!(read(&simulator, get("b", format!("/v1/responses/{id}"))).await.status, 404);
    let items = read(&simulator, get("a", format!("/v1/responses/{id}/input_items"))).await.json();
    assert_eq!(items["data"][0]["content"], json!([{"type": "input_text", "text": "weather?"}]));
    assert_eq!(
        read(&simulator, post("a", &format!("/v1/responses/{id}/cancel"), &json!({}))).await.status,
        400
    );
    // Reasoning that is stored comes back by its id alone.
    let mut by_hand = json!([{"role": "user", "content": "weather?"}]);
    by_hand.as_array_mut().unwrap().extend(first["output"].as_array().unwrap().clone());
    by_hand.as_array_mut().unwrap().push(next(&id)["input"][0].clone());
    assert_eq!(respond(&simulator, "a", &json!({"model": "m", "input": by_hand})).await.status, 200);
    assert_eq!(respond(&simulator, "b", &json!({"model": "m", "input": by_hand})).await.status, 404);
    by_hand.as_array_mut().unwrap().remove(1);
    let thoughtless = respond(&simulator, "a", &json!({"model": "m", "input": by_hand})).await;
    assert!(thoughtless.text().contains("without its required 'reasoning' item"), "{}", thoughtless.text());
    let delete = Request::delete(format!("/v1/responses/{id}")).header("authorization", "Bearer a");
    assert_eq!(read(&simulator, delete.body(Body::empty()).unwrap()).await.json()["deleted"], true);
    assert_eq!(respond(&simulator, "a", &next(&id)).await.status, 400);
    let mut unstored = ask_responses(false, "hi");
    unstored["store"] = json!(false);
    let id = respond(&simulator, "a", &unstored).await.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(read(&simulator, get("a", format!("/v1/responses/{id}"))).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn background_and_compaction() {
    let simulator = simulator();
    let mut body = ask_responses(false, "hi");
    body["background"] = json!(true);
    let queued = respond(&simulator, "a", &body).await.json();
    assert_eq!((&queued["status"], &queued["output"]), (&json!("queued"), &json!([])));
    let path = format!("/v1/responses/{}", queued["id"].as_str().unwrap());
    assert_eq!(get(&simulator, "a", &path).await.json()["status"], "completed");
    let cancelled = read(&simulator, post("a", &format!("{path}/cancel"), &json!({}))).await.json();
    assert_eq!(cancelled["status"], "cancelled");

    let compact =
        read(&simulator, post("a", "/v1/responses/compact", &ask_responses(false, "hi"))).await.json();
    assert_eq!(compact["object"], "response.compaction");
    let item = compact["output"][0].clone();
    let resume = json!({"model": "m", "input": [item, {"role": "user", "content": "echo: on"}]});
    assert_eq!(respond(&simulator, "a", &resume).await.json()["output"][0]["content"][0]["text"], "on");
    assert_eq!(respond(&simulator, "b", &resume).await.json()["error"]["code"], "invalid_encrypted_content");
    let trigger =
        json!({"model": "m", "input": [{"role": "user", "content": "hi"}, {"type": "compaction_trigger"}]});
    let compacted = respond(&simulator, "a", &trigger).await.json();
    assert_eq!(
        (compacted["output"].as_array().unwrap().len(), &compacted["output"][0]["type"]),
        (1, &json!("compaction"))
    );
    let count = read(&simulator, post("a", "/v1/responses/input_tokens", &ask_responses(false, "hello")))
        .await
        .json();
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    let chat = chat(&simulator, "k", &body).await.json();
    assert_eq!(count["input_tokens"], chat["usage"]["prompt_tokens"]);
}

#[tokio::test(start_paused = true)]
async fn faults_speak_the_dialect() {
    let simulator = simulator();
    let body = ask_responses(true, "echo: one two three four");
    let cut = respond(&simulator, "sim-cut-3", &body).await;
    assert!(cut.broken);
    assert_eq!(deltas(&events(&cut), 0), "one two three");
    let endless = events(&respond(&simulator, "sim-nodone", &body).await);
    assert_eq!(endless.last().unwrap()["type"], "response.output_item.done");
    let error = events(&respond(&simulator, "sim-sse-error-2", &body).await).pop().unwrap();
    assert_eq!((&error["type"], &error["response"]["status"]), (&json!("response.failed"), &json!("failed")));
    assert_eq!(error["response"]["error"]["code"], "server_error");
    let error = events(&respond(&simulator, "sim-sse-error", &body).await);
    assert_eq!((error.len(), &error[0]["type"]), (1, &json!("error")));
    let unmeasured = events(&respond(&simulator, "sim-nousage", &body).await).pop().unwrap();
    assert_eq!(unmeasured["response"]["usage"], Value::Null);
    assert_eq!(respond(&simulator, "sim-nostream", &body).await.json()["object"], "response");
    let mut short = ask_responses(true, "echo: a b c d e f g h i j k l m n o p q r s");
    short["max_output_tokens"] = json!(16);
    let last = events(&respond(&simulator, "sim-ok", &short).await).pop().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
}

#[tokio::test(start_paused = true)]
async fn the_older_apis() {
    let simulator = simulator();
    let prompt = json!({"model": "m", "prompt": "echo: one two", "stream": true, "stream_options": {"include_usage": true}});
    let stream = read(&simulator, post("k", "/v1/completions", &prompt)).await;
    let text: String = stream
        .chunks()
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(text, "one two");
    assert_eq!(stream.chunks().last().unwrap()["usage"]["completion_tokens"], 2);
    let embeddings = json!({"model": "m", "input": ["a", "b"], "dimensions": 4});
    let vectors = read(&simulator, post("k", "/v1/embeddings", &embeddings)).await.json();
    assert_eq!(vectors["data"][1]["embedding"].as_array().unwrap().len(), 4);
    assert_ne!(vectors["data"][0]["embedding"], vectors["data"][1]["embedding"]);
    assert_eq!(read(&simulator, post("sim-500", "/v1/embeddings", &embeddings)).await.status, 500);
    assert_eq!(read(&simulator, post("k", "/v1/embeddings", &json!({"model": "m"}))).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn chat_thinks_and_calls_in_parallel() {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let body = json!({"model": "m", "stream": true, "reasoning_effort": "low", "tools": [tool("sun"), tool("rain")],
        "messages": [{"role": "user", "content": "weather in parallel"}]});
    let chunks = chat(&simulator(), "sim-chunks-2", &body).await.chunks();
    assert!(chunks[1]["choices"][0]["delta"]["reasoning_content"].is_string());
    let order: Vec<u64> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"][0]["index"].as_u64())
        .collect();
    assert_eq!(order, [0, 0, 0, 1, 1, 1]);
    let nine = chat(
        &simulator(),
        "sim-tool-id-nine",
        &json!({"model": "m", "tools": [tool("sun")], "messages": body["messages"]}),
    )
    .await;
    assert_eq!(nine.json()["choices"][0]["message"]["tool_calls"][0]["id"].as_str().unwrap().len(), 9);
    let custom = json!({"type": "custom", "custom": {"name": "patch"}});
    let free = json!({"model": "m", "tools": [tool("sun"), custom], "tool_choice": custom, "messages": body["messages"]});
    let call = chat(&simulator(), "k", &free).await.json()["choices"][0]["message"]["tool_calls"][0].clone();
    assert_eq!((&call["type"], &call["custom"]["name"]), (&json!("custom"), &json!("patch")));
    assert!(call["custom"]["input"].is_string() && call.get("function").is_none());
    let refused = json!({"model": "m", "messages": [{"role": "user", "content": "refuse me"}]});
    let message = chat(&simulator(), "k", &refused).await.json()["choices"][0]["message"].clone();
    assert!(message["refusal"].is_string() && message["content"].is_null());
}
