//! What is done to requests by the wish of a combo's operator, and how it is told.

use canon::Dialect;
use http::StatusCode;
use serde_json::{Value, json};

use super::support::{Answer, TestHub};

/// A hub with a combo `c` of the model `m` at a provider of `dialect`.
async fn hub(dialect: Dialect, wishes: &str) -> TestHub {
    let yaml = format!("combos:\n  - id: c\n    steps: [m]\n{wishes}");
    TestHub::builder().yaml(&yaml).account_at(dialect, "a", "sim-ok").build().await
}

/// A question to `c` in a dialect, and where it goes.
fn question(dialect: Dialect, system: &str) -> (&'static str, Value) {
    match dialect {
        Dialect::Chat => (
            "/v1/chat/completions",
            json!({"model": "c", "messages": [{"role": "system", "content": system}, {"role": "user", "content": "hello"}]}),
        ),
        Dialect::Responses => {
            ("/v1/responses", json!({"model": "c", "instructions": system, "input": "hello", "store": false}))
        }
        Dialect::Messages => (
            "/v1/messages",
            json!({"model": "c", "system": system, "messages": [{"role": "user", "content": "hello"}], "max_tokens": 30000}),
        ),
        Dialect::Gemini => (
            "/v1beta/models/c:generateContent",
            json!({"systemInstruction": {"parts": [{"text": system}]}, "contents": [{"role": "user", "parts": [{"text": "hello"}]}]}),
        ),
    }
}

async fn ask(hub: &TestHub, (path, body): (&str, Value)) -> (Answer, Value) {
    let answer = hub.post(path, body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {body}: {answer:?}");
    let sent = serde_json::from_str(&hub.upstream().pop().unwrap().body).unwrap();
    (answer, sent)
}

fn shaped(answer: &Answer) -> &str {
    answer.header("x-trivium-shaped")
}

#[tokio::test(start_paused = true)]
async fn a_system_prompt_is_added_in_every_pair_of_dialects() {
    for place in ["before", "after"] {
        let wish = format!("    system_prompt: Mind the gap.\n    system_prompt_place: {place}\n");
        for provider in Dialect::ALL {
            let hub = hub(provider, &wish).await;
            for client in Dialect::ALL {
                let (answer, sent) = ask(&hub, question(client, "Be brief.")).await;
                assert_eq!(shaped(&answer), "system-prompt", "{client} at {provider}");
                let text = sent.to_string();
                let (own, added) = (text.find("Be brief.").unwrap(), text.find("Mind the gap.").unwrap());
                assert_eq!(added < own, place == "before", "{client} at {provider}: {text}");
                let edits = &hub.receipts().await[0].detail.edits;
                assert!(edits.contains(&"system-prompt".to_owned()), "{edits:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn other_names_are_left_alone() {
    let hub =
        hub(Dialect::Chat, "    system_prompt: Mind the gap.\n    thinking: 2000\n    compress: true\n")
            .await;
    let (path, mut body) = question(Dialect::Chat, "Be brief.");
    body["model"] = "m".into();
    let (answer, sent) = ask(&hub, (path, body.clone())).await;
    assert_eq!((shaped(&answer), sent), ("", body));
}

#[tokio::test(start_paused = true)]
async fn thinking_is_the_operators_to_set() {
    let table = [
        (Dialect::Chat, "4096", "/reasoning_effort", json!("low")),
        (Dialect::Responses, "10000", "/reasoning/effort", json!("medium")),
        (Dialect::Messages, "4096", "/thinking/budget_tokens", json!(4096)),
        (Dialect::Messages, "adaptive", "/thinking/budget_tokens", json!(1024)),
    ];
    for (dialect, mode, place, expected) in table {
        let hub = hub(dialect, &format!("    thinking: {mode}\n")).await;
        for stream in [false, true] {
            let (path, mut body) = question(dialect, "Be brief.");
            body["stream"] = stream.into();
            let (answer, sent) = ask(&hub, (path, body)).await;
            assert_eq!(shaped(&answer), "thinking", "{dialect}");
            assert_eq!(sent.pointer(place), Some(&expected), "{dialect} {mode}: {sent}");
        }
    }
    // Chat has no word for it that every model takes: nothing is said.
    let none = hub(Dialect::Chat, "    thinking: 0\n").await;
    let (path, mut body) = question(Dialect::Chat, "Be brief.");
    body["reasoning_effort"] = "high".into();
    let (answer, sent) = ask(&none, (path, body)).await;
    assert_eq!((shaped(&answer), sent.get("reasoning_effort")), ("thinking", None));
    let hub = hub(Dialect::Chat, "    thinking: auto\n").await;
    let (path, mut body) = question(Dialect::Chat, "Be brief.");
    let (answer, _) = ask(&hub, (path, body.clone())).await;
    assert_eq!(shaped(&answer), "", "there was nothing to take away");
    body["reasoning_effort"] = "high".into();
    let (answer, sent) = ask(&hub, (path, body)).await;
    assert_eq!((shaped(&answer), sent.get("reasoning_effort")), ("thinking", None));
}

#[tokio::test(start_paused = true)]
async fn requests_of_the_background_and_of_a_size_go_elsewhere() {
    let combos = "combos:
  - id: c
    steps: [big]
    background: {to: tiny, phrases: [name this chat]}
    small: {tokens: 50, to: combo/few}
    large: {tokens: 1000, to: long}
  - {id: few, steps: [short]}
";
    let models = ["big", "tiny", "short", "long"];
    let hub = TestHub::builder().yaml(combos).account_with("a", "sim-ok", &models).build().await;
    let many = |words: usize| format!("{} ok", "word ".repeat(words));
    let table = [
        ("You are a title generator.", "fix my code", "tiny", "background"),
        ("You are an agent.", "Name this chat", "tiny", "background"),
        ("", "hello", "short", "small"),
        ("", &many(200), "big", ""),
        ("", &many(2000), "long", "large"),
    ];
    for (system, user, model, word) in table {
        for stream in [false, true] {
            let body = json!({"model": "c", "stream": stream, "stream_options": {"include_usage": true}, "messages": [
                {"role": "system", "content": system}, {"role": "user", "content": user},
            ]});
            let body = if stream { body } else { json!({"messages": body["messages"], "model": "c"}) };
            let (answer, sent) = ask(&hub, ("/v1/chat/completions", body)).await;
            assert_eq!((sent["model"].as_str().unwrap(), shaped(&answer)), (model, word));
            let receipt = &hub.receipts().await[0];
            assert_eq!(receipt.model, "c");
            assert_eq!(receipt.detail.shaped.join(","), word);
        }
    }
    let gemini = json!({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]});
    let (answer, sent) = ask(&hub, ("/v1beta/models/c:generateContent", gemini)).await;
    assert_eq!((sent["model"].as_str().unwrap(), shaped(&answer)), ("short", "small"));
}

/// The hub of a model with a window of 4000 tokens.
async fn narrow(dialect: Dialect, compress: bool) -> TestHub {
    let hub = hub(dialect, &format!("    compress: {compress}\n")).await;
    let mut settings = (*hub.engine.snapshot().settings).clone();
    let mut connection = (*settings.connections[0]).clone();
    let about = connection.models.about.entry("m".into()).or_default();
    let mut facts = (*about.facts).clone();
    facts.context = Some(4000);
    about.facts = facts.into();
    settings.connections[0] = connection.into();
    hub.engine.reload(settings);
    hub
}

/// A long conversation with tools, in chat.
fn long_conversation() -> Value {
    let mut messages = vec![json!({"role": "system", "content": "Stay calm."})];
    for n in 0..12 {
        let id = format!("call_{n}");
        messages.push(json!({"role": "user", "content": format!("question {n} about the weather")}));
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}},
        ]}));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "sunny ".repeat(700)}));
        messages.push(json!({"role": "assistant", "content": format!("answer {n}")}));
    }
    messages.push(json!({"role": "user", "content": "the last question"}));
    let tool = json!({"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}});
    json!({"model": "c", "messages": messages, "tools": [tool]})
}

#[tokio::test(start_paused = true)]
async fn a_long_conversation_is_made_to_fit_and_it_is_told() {
    // The simulator refuses calls without results, and results without calls.
    for provider in Dialect::ALL {
        let hub = narrow(provider, true).await;
        let (answer, sent) = ask(&hub, ("/v1/chat/completions", long_conversation())).await;
        assert_eq!(shaped(&answer), "compressed", "{provider}");
        let text = sent.to_string();
        assert!(text.len() < 4000 * 5, "{provider}: {}", text.len());
        assert!(
            ["Stay calm.", "the last question", "were left out here"].iter().all(|part| text.contains(part))
        );
        assert!(!text.contains("question 0"), "{provider}: {text}");
        assert!(hub.receipts().await[0].detail.edits.contains(&"compressed".to_owned()));
        // What fits goes as it is.
        let (answer, sent) = ask(&hub, question(Dialect::Chat, "Be brief.")).await;
        assert_eq!(shaped(&answer), "", "{provider}");
        assert!(!sent.to_string().contains("left out"));
    }
    let hub = narrow(Dialect::Chat, false).await;
    let refused = hub.post("/v1/chat/completions", long_conversation().to_string()).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::BAD_REQUEST, "context_length_exceeded")
    );
    assert!(hub.upstream().is_empty(), "what does not fit is not sent, and not changed unasked");
}
