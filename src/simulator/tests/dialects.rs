//! What holds for all dialects alike: every key of the manual, and bodies that make no sense.

use std::time::Duration;

use proptest::prelude::*;

use super::*;

/// The paths under which something can be asked, each with a body that says the same.
fn asks(stream: bool, text: &str) -> Vec<(&'static str, Value)> {
    let messages = json!([{"role": "user", "content": text}]);
    let google = json!({"contents": [{"role": "user", "parts": [{"text": text}]}]});
    let path = match stream {
        true => "/v1beta/models/m:streamGenerateContent?alt=sse",
        false => "/v1beta/models/m:generateContent",
    };
    vec![
        ("/v1/chat/completions", json!({"model": "m", "stream": stream, "messages": messages})),
        ("/v1/completions", json!({"model": "m", "stream": stream, "prompt": text})),
        ("/v1/messages", json!({"model": "m", "stream": stream, "max_tokens": 100, "messages": messages})),
        ("/v1/responses", json!({"model": "m", "stream": stream, "input": messages})),
        (path, google),
    ]
}

/// A request that carries its key in every place where a vendor may look.
fn keyed(key: &str, path: &str, body: String) -> Request<Body> {
    Request::post(path)
        .header("authorization", format!("Bearer {key}"))
        .header("x-api-key", key)
        .header("x-goog-api-key", key)
        .header("anthropic-version", "2023-06-01")
        .body(Body::from(body))
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_key_of_the_manual_plays_in_every_dialect() {
    let rows = include_str!("../../../docs/simulator.md").lines();
    let keys = rows.filter_map(|line| line.strip_prefix("| `sim-")?.split_once('`')).map(|(name, _)| name);
    for key in keys.map(|name| format!("sim-{name}")) {
        for (path, body) in
            [asks(true, "echo: one two three four"), asks(false, "echo: one two three four")].concat()
        {
            let simulator = simulator();
            let answer = read(&simulator, keyed(&key, path, body.to_string()));
            let answer = tokio::time::timeout(Duration::from_secs(60), answer).await;
            let entry = simulator.log().remove(0);
            assert_eq!(entry.key.as_deref(), Some(key.as_str()));
            assert_eq!(entry.model.as_deref(), Some("m"));
            if let Ok(answer) = answer {
                let expected = entry.status.unwrap_or(502);
                assert_eq!(answer.status, expected, "{key} {path}");
                let error = answer.status >= 400 && entry.status.is_some();
                assert!(!error || answer.json()["error"]["message"].is_string(), "{key} {path}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn all_dialects_say_the_same_words_in_the_same_time() {
    for key in ["sim-ok", "sim-pace-50+slow-900", "sim-tiny", "sim-crlf", "sim-comments"] {
        for (path, body) in asks(true, "echo: one two three four") {
            let simulator = simulator();
            let began = tokio::time::Instant::now();
            let text = read(&simulator, keyed(key, path, body.to_string())).await.text();
            let took = if key.contains("pace") { 900 + 3 * 50 } else { 0 };
            assert_eq!(began.elapsed().as_millis(), took, "{path}");
            for word in ["\"one\"", "\" two\"", "\" three\"", "\" four\""] {
                assert!(text.contains(word), "{key} {path}: {word}");
            }
            assert_eq!(simulator.log()[0].chunks, 4, "{key} {path}");
        }
    }
}

/// JSON made of the words of all dialects, in no order.
fn nonsense() -> impl Strategy<Value = Value> {
    let words = prop::sample::select(vec![
        "model",
        "messages",
        "input",
        "contents",
        "parts",
        "role",
        "content",
        "type",
        "text",
        "user",
        "assistant",
        "tool_use",
        "tool_result",
        "id",
        "name",
        "function_call",
        "functionCall",
        "functionResponse",
        "call_id",
        "arguments",
        "reasoning",
        "summary",
        "thinking",
        "signature",
        "tools",
        "function",
        "parameters",
        "properties",
        "cache_control",
        "system",
        "tool_choice",
        "output",
        "prompt",
        "thread",
        "message",
        "tool_calls",
        "stream",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.clone().prop_map(Value::from),
        ".{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner), 0..6).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn nonsense_is_answered(value in nonsense(), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let simulator = simulator();
        for (path, mut body) in asks(false, "hi") {
            let replaced: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
            let mut bodies = vec![bytes.clone(), value.to_string().into_bytes()];
            for name in replaced {
                let before = std::mem::replace(&mut body[&name], value.clone());
                bodies.push(body.to_string().into_bytes());
                body[&name] = before;
            }
            for name in ["tools", "tool_choice", "thinking", "reasoning", "system", "generationConfig", "text"] {
                let mut body = body.clone();
                body[name] = value.clone();
                bodies.push(body.to_string().into_bytes());
            }
            for body in bodies {
                let body = String::from_utf8_lossy(&body).into_owned();
                let answer = runtime.block_on(read(&simulator, keyed("k", path, body)));
                prop_assert!(matches!(answer.status, 200 | 400 | 404), "{path}");
            }
        }
    }
}
