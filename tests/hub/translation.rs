//! What crosses from one dialect into another, what is lost on the way and said to be, and the routes that belong to a
//! single dialect.

use axum::body::Body;
use canon::Dialect;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::support::{Answer, KEY, TestHub, pictures, speech};

async fn ask(hub: &TestHub, client: Dialect, body: &Value) -> Answer {
    hub.send(speech::request(client, "m", body["stream"] == true, body)).await
}

async fn hub_at(dialect: Dialect) -> TestHub {
    TestHub::builder().account_at(dialect, "a", "sim-ok").build().await
}

fn sent(hub: &TestHub) -> Value {
    serde_json::from_str(&hub.upstream().last().unwrap().body).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_lost_is_told_in_a_header_and_in_the_receipt() {
    let hub = hub_at(Dialect::Chat).await;
    let body = json!({"model": "m", "max_tokens": 50, "top_k": 5, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}}]}]});
    let answer = ask(&hub, Dialect::Messages, &body).await;
    assert!(speech::is_whole(Dialect::Messages, &answer), "{answer:?}");
    let losses: Vec<&str> = answer.header("x-trivium-translation-loss").split(", ").collect();
    assert!(losses.contains(&"cache_control") && losses.contains(&"top_k"), "{losses:?}");
    // The header goes out before the answer, whose own losses only the receipt knows.
    assert!(
        hub.receipts().await[0]
            .detail
            .losses
            .starts_with(&losses.iter().map(ToString::to_string).collect::<Vec<_>>())
    );
    assert_eq!(hub.receipts().await[0].detail.edits, ["translated"]);
}

#[tokio::test(start_paused = true)]
async fn pictures_are_fetched_for_those_who_cannot() {
    let ask_with = async |provider, url: &str| {
        let hub = hub_at(provider).await;
        let picture = json!({"type": "image_url", "image_url": {"url": url}});
        let content = json!([{"type": "text", "text": "what is this?"}, picture]);
        let body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
        let answer = ask(&hub, Dialect::Chat, &body).await;
        (hub, answer)
    };
    let (hub, answer) = ask_with(Dialect::Gemini, pictures::PICTURE).await;
    assert!(speech::is_whole(Dialect::Chat, &answer), "{answer:?}");
    let part = &sent(&hub)["contents"][0]["parts"][1]["inlineData"];
    assert_eq!(part["mimeType"], "image/png");
    assert!(part["data"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    let (hub, answer) = ask_with(Dialect::Messages, pictures::PICTURE).await;
    assert!(speech::is_whole(Dialect::Chat, &answer), "{answer:?}");
    assert_eq!(sent(&hub)["messages"][0]["content"][1]["source"]["url"], pictures::PICTURE);
    let (hub, answer) = ask_with(Dialect::Gemini, "http://169.254.169.254/latest").await;
    assert!(speech::is_error(Dialect::Chat, &answer, 400), "{answer:?}");
    assert!(answer.text.contains("messages[0].content[1]"), "{answer:?}");
    assert!(hub.upstream().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_model_is_reached_in_the_dialect_that_it_speaks() {
    let yaml = "providers:\n  - id: a\n    type: openai\n    base_url: http://simulator.test/v1\n    api_key: sim-ok\n    models:\n      \
                - gpt-5.5\n      - gpt-5.5-pro\n      - {id: old, dialects: [chat]}\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    for (client, model, path) in [
        (Dialect::Chat, "gpt-5.5", "/v1/chat/completions"),
        (Dialect::Chat, "gpt-5.5-pro", "/v1/responses"),
        (Dialect::Responses, "gpt-5.5", "/v1/responses"),
        (Dialect::Responses, "old", "/v1/chat/completions"),
        (Dialect::Messages, "gpt-5.5", "/v1/responses"),
        (Dialect::Gemini, "old", "/v1/chat/completions"),
    ] {
        let body = speech::body(client, model, false, "hello");
        hub.send(speech::request(client, model, false, &body)).await;
        assert_eq!(hub.upstream().last().unwrap().path, path, "{client} {model}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_longer_than_the_model_can_give_is_not_asked_for() {
    let yaml = "providers:\n  - id: a\n    type: openai-compatible\n    base_url: http://simulator.test/v1\n    api_key: sim-ok\n    \
                models: [{id: m, max_output: 60}]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let answer = ask(&hub, Dialect::Messages, &speech::body(Dialect::Messages, "m", false, "hello")).await;
    assert_eq!(answer.header("x-trivium-translation-loss"), "~max_tokens");
    assert_eq!(sent(&hub)["max_completion_tokens"], 60);
    let body = json!({"model": "m", "max_tokens": 90, "messages": [{"role": "user", "content": "hello"}]});
    let answer = ask(&hub, Dialect::Chat, &body).await;
    assert_eq!(answer.header("x-trivium-translation-loss"), "~max_tokens");
    assert_eq!(sent(&hub)["max_tokens"], 60);
    assert_eq!(hub.receipts().await[0].detail.edits, ["limit"]);
}

#[tokio::test(start_paused = true)]
async fn a_chat_provider_is_asked_in_the_words_that_it_knows() {
    let yaml = "providers:\n  - id: a\n    type: mistral\n    base_url: http://simulator.test/v1\n    api_key: \
                sim-tool-id-nine+no-developer-role+no-max-completion-tokens\n    models: [m]\n";
    let hub = TestHub::builder().yaml(yaml).build().await;
    let call = json!({"id": "call_0123456789abcdef", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let body = json!({"model": "m", "max_completion_tokens": 90, "vendor_field": 1, "messages": [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_0123456789abcdef", "content": "done"}]});
    let answer = ask(&hub, Dialect::Chat, &body).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let request = sent(&hub);
    assert_eq!((&request["messages"][0]["role"], &request["max_tokens"]), (&json!("system"), &json!(90)));
    assert_eq!(request["messages"][2]["tool_calls"][0]["id"], request["messages"][3]["tool_call_id"]);
    assert_eq!(request["vendor_field"], 1, "what nobody objects to stays");
    assert!(hub.receipts().await[0].detail.edits.contains(&"quirks".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_by_the_provider_or_estimated_and_said_so() {
    let count = async |provider, client: Dialect| {
        let hub = hub_at(provider).await;
        let (path, body) = match client {
            Dialect::Gemini => {
                ("/v1beta/models/m:countTokens", speech::body(client, "m", false, "hello there"))
            }
            _ => {
                let messages = [json!({"role": "user", "content": "hello there"})];
                ("/v1/messages/count_tokens", json!({"model": "m", "messages": messages}))
            }
        };
        let answer = hub.post(path, body.to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let json = answer.json();
        let tokens = json.get("input_tokens").or_else(|| json.get("totalTokens")).unwrap().as_u64();
        assert!(tokens > Some(3), "{answer:?}");
        answer.header("x-trivium-token-count").to_owned()
    };
    assert_eq!(count(Dialect::Messages, Dialect::Messages).await, "");
    assert_eq!(count(Dialect::Gemini, Dialect::Gemini).await, "");
    assert_eq!(count(Dialect::Chat, Dialect::Messages).await, "estimate");
    assert_eq!(count(Dialect::Messages, Dialect::Gemini).await, "estimate");
}

#[tokio::test(start_paused = true)]
async fn models_are_listed_in_the_shape_of_the_sdk_that_asks() {
    let hub = hub_at(Dialect::Chat).await;
    let get = async |path: &str, header: Option<(&'static str, &str)>| {
        let mut request = Request::builder().uri(path);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        hub.send(request.body(Body::empty()).unwrap()).await.json()
    };
    let anthropic = Some(("anthropic-version", "2023-06-01"));
    let google = Some(("x-goog-api-key", KEY));
    let has =
        |list: &Value, name: &str, id: &str| list.as_array().unwrap().iter().any(|model| model[name] == id);
    let list = get("/v1/models", None).await;
    assert!(list["object"] == "list" && has(&list["data"], "id", "m"), "{list}");
    let list = get("/v1/models?limit=1000", anthropic).await;
    assert!(list["has_more"] == false && has(&list["data"], "id", "m"), "{list}");
    assert_eq!(get("/v1/models/m", anthropic).await["type"], "model");
    for path in ["/v1beta/models", "/v1/models"] {
        let list = get(path, google).await;
        assert!(has(&list["models"], "name", "models/m"), "{list}");
    }
    assert_eq!(get("/v1beta/models/m", None).await["name"], "models/m");
}

#[tokio::test(start_paused = true)]
async fn embeddings_and_texts_pass_to_those_who_have_them() {
    let hub = hub_at(Dialect::Chat).await;
    let embed = json!({"model": "m", "input": ["a", "b"]}).to_string();
    let answer = hub.post("/v1/embeddings", embed.clone()).await;
    assert_eq!(answer.json()["data"].as_array().unwrap().len(), 2, "{answer:?}");
    assert!(hub.receipts().await[0].input_tokens > Some(0));
    for stream in [false, true] {
        let body = json!({"model": "m", "prompt": "Once upon", "stream": stream}).to_string();
        let answer = hub.post("/v1/completions", body).await;
        assert!(answer.status == StatusCode::OK && answer.text.contains("text_completion"), "{answer:?}");
    }
    let other = hub_at(Dialect::Messages).await;
    let answer = other.post("/v1/embeddings", embed).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "not_supported"));
}

#[tokio::test(start_paused = true)]
async fn a_web_search_goes_to_tagged_models_in_the_providers_form() {
    let row = |id: &str, kind: &str, models: &str| {
        format!(
            "  - id: {id}\n    type: {kind}\n    base_url: http://simulator.test/v1\n    api_key: sim-ok\n    models: {models}\n"
        )
    };
    let tagged = "[plain, {id: deep, tags: [web-search]}]";
    for (kind, field) in
        [("groq", "compound_custom"), ("openrouter", "plugins"), ("openai-compatible", "web_search_options")]
    {
        let yaml =
            format!("providers:\n{}", row("a", kind, tagged).replace("deep,", "deep, dialects: [chat],"));
        let hub = TestHub::builder().yaml(&yaml).build().await;
        let body = json!({"model": "auto", "messages": [{"role": "user", "content": "news?"}]}).to_string();
        hub.post("/v1/chat/completions/web-search", body.clone()).await;
        let request = sent(&hub);
        assert_eq!(request["model"], "deep", "{kind}");
        assert!(request.get(field).is_some() && request.get("tools").is_none(), "{kind}: {request}");
        let body = body.replace("auto", "plain");
        let answer = hub.post("/v1/chat/completions/web-search", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "not_supported"));
    }
    let yaml = format!("providers:\n{}", row("a", "anthropic", tagged));
    let hub = TestHub::builder().yaml(&yaml).build().await;
    let body = json!({"model": "deep", "messages": [{"role": "user", "content": "news?"}]}).to_string();
    hub.post("/v1/chat/completions/web-search", body).await;
    let request = sent(&hub);
    assert!(request["tools"][0]["type"].as_str().unwrap().starts_with("web_search_"), "{request}");
    let hub = hub_at(Dialect::Chat).await;
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]}).to_string();
    let answer = hub.post("/v1/chat/completions/stream-route", body).await;
    assert!(answer.header("content-type").starts_with("text/event-stream") && answer.is_whole());
}

#[tokio::test(start_paused = true)]
async fn gemini_is_found_below_both_versions_with_the_key_in_any_of_its_places() {
    let hub = hub_at(Dialect::Chat).await;
    let body = speech::body(Dialect::Gemini, "m", false, "hello").to_string();
    for uri in
        [format!("/v1/models/m:generateContent?key={KEY}"), format!("/v1beta/a/m:generateContent?key={KEY}")]
    {
        let mut request = Request::post(&uri).body(Body::from(body.clone())).unwrap();
        request.headers_mut().insert("authorization", "none".parse().unwrap());
        let answer = hub.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{uri}: {answer:?}");
    }
    let mut wrong = Request::post(format!("/v1/chat/completions?key={KEY}")).body(Body::from("{}")).unwrap();
    wrong.headers_mut().insert("authorization", "none".parse().unwrap());
    assert_eq!(hub.send(wrong).await.status, StatusCode::UNAUTHORIZED);
    let answer = hub.post("/v1beta/models/m:streamGenerateContent", body.clone()).await;
    let chunks: Vec<Value> = serde_json::from_str(&answer.text).unwrap();
    assert!(chunks.len() > 2 && answer.header("content-type").starts_with("application/json"));
    let answer = hub.post("/v1beta/models/m:explode", body).await;
    assert!(speech::is_error(Dialect::Gemini, &answer, 404), "{answer:?}");
}

#[tokio::test(start_paused = true)]
async fn silence_is_filled_in_the_way_of_each_dialect() {
    for client in Dialect::ALL {
        let hub = TestHub::builder().account_at(Dialect::Chat, "a", "sim-slow-40000").build().await;
        let body = speech::body(client, "m", true, "hello");
        let answer = ask_streamed(&hub, client, &body).await;
        assert!(speech::is_whole(client, &answer), "{client}: {answer:?}");
        let (sign, count) = match client {
            Dialect::Chat | Dialect::Responses => (": keep-alive\n\n", 2),
            Dialect::Messages => ("event: ping\n", 2),
            Dialect::Gemini => (":", usize::MAX),
        };
        let seen = answer.text.matches(sign).count();
        match client {
            Dialect::Gemini => assert!(answer.text.starts_with("data: "), "{answer:?}"),
            _ => assert_eq!(seen, count, "{client}: {answer:?}"),
        }
    }
}

async fn ask_streamed(hub: &TestHub, client: Dialect, body: &Value) -> Answer {
    hub.send(speech::request(client, "m", true, body)).await
}

#[tokio::test(start_paused = true)]
async fn anybody_may_ask_whether_somebody_is_there() {
    let hub = hub_at(Dialect::Chat).await;
    let mut request = Request::builder().method(Method::HEAD).uri("/api/hello").body(Body::empty()).unwrap();
    request.headers_mut().insert("authorization", "none".parse().unwrap());
    let answer = hub.send(request).await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
}
