//! Answers that are given again: the cache, and requests that are joined.

use axum::body::Body;
use canon::Dialect;
use http::Request;
use serde_json::{Value, json};
use tokio::time::{Duration, sleep};

use super::support::{Answer, TestHub, chat};

const ON: &str = "cache: {enabled: on}\n";

async fn hub(key: &str, yaml: &str) -> TestHub {
    TestHub::builder().yaml(yaml).account_with("a", key, &["m", "n"]).build().await
}

fn said(answer: &Answer) -> &str {
    answer.header("x-trivium-cache")
}

fn with(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

#[tokio::test(start_paused = true)]
async fn the_same_request_is_answered_once() {
    for stream in [false, true] {
        let hub = hub("sim-ok", ON).await;
        let first = hub.send(chat("m", stream)).await;
        assert!(first.is_whole() && said(&first) == "miss", "{first:?}");
        sleep(Duration::from_secs(7)).await;
        let again = hub.send(chat("m", stream)).await;
        assert_eq!((said(&again), again.header("age"), &again.text), ("hit", "7", &first.text));
        assert_eq!(again.header("content-type"), first.header("content-type"));
        assert_eq!((again.route(), again.header("x-gateway-attempts")), ("a", "0"));
        assert_eq!(hub.calls(["sim-ok"]), [1]);
        let receipts = hub.receipts().await;
        let hit = &receipts[0];
        assert_eq!((hit.outcome.as_str(), hit.status), ("completed", 200));
        assert_eq!(hit.detail.reused.as_deref(), Some("cached"));
        assert!(hit.detail.attempts.is_empty() && hit.input_tokens.is_none() && hit.connection.is_none());
        assert_eq!(hit.detail.bytes_out, first.text.len() as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_off_until_it_is_switched_on() {
    let hub = hub("sim-ok", "").await;
    for calls in 1..=2 {
        assert_eq!(said(&hub.chat("m").await), "");
        assert_eq!(hub.calls(["sim-ok"]), [calls]);
    }
    let combos = "combos:\n  - {id: kept, cache: true, steps: [m]}\n  - {id: plain, steps: [m]}\n";
    let hub = self::hub("sim-ok", combos).await;
    let marks =
        async |model| (said(&hub.chat(model).await).to_owned(), said(&hub.chat(model).await).to_owned());
    assert_eq!(marks("kept").await, ("miss".to_owned(), "hit".to_owned()));
    // The name asked for is part of the request.
    assert_eq!(marks("combo/kept").await, ("miss".to_owned(), "hit".to_owned()));
    assert_eq!(marks("plain").await, (String::new(), String::new()));
    let but = format!("{ON}combos:\n  - {{id: never, cache: false, steps: [m]}}\n");
    let hub = self::hub("sim-ok", &but).await;
    hub.chat("never").await;
    assert_eq!(said(&hub.chat("never").await), "");
}

/// Each differs from the first, and from each other, in something that could change the answer.
fn requests() -> Vec<Value> {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object"}}});
    let base = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    let and = |more: Value| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let call = |arguments: &str| {
        json!({"messages": [
            {"role": "user", "content": "weather"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": arguments}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "warm"},
        ], "tools": [tool("f")]})
    };
    vec![
        base.clone(),
        and(json!({"model": "n"})),
        and(json!({"stream": true})),
        and(json!({"temperature": 0})),
        and(json!({"temperature": 1})),
        and(json!({"max_tokens": 5})),
        and(json!({"max_completion_tokens": 5})),
        and(json!({"tools": [tool("f")]})),
        and(json!({"tools": [tool("g")]})),
        and(json!({"tools": [tool("f"), tool("g")]})),
        and(json!({"tools": [tool("f")], "tool_choice": "none"})),
        and(json!({"response_format": {"type": "json_object"}})),
        and(json!({"response_format": {"type": "text"}})),
        and(call("{\"a\":1}")),
        and(call("{\"a\":2}")),
        and(json!({"stop": ["x"]})),
        and(json!({"seed": 1})),
        and(json!({"messages": [{"role": "user", "content": "hello"}, {"role": "user", "content": ""}]})),
        and(json!({"messages": [{"role": "system", "content": "hello"}]})),
        and(json!({"reasoning_effort": "low"})),
        and(json!({"unknown_field": [1, {"deep": "a"}]})),
        and(json!({"unknown_field": [1, {"deep": "b"}]})),
    ]
}

#[tokio::test(start_paused = true)]
async fn whatever_could_change_the_answer_tells_requests_apart() {
    let hub = hub("sim-ok", ON).await;
    for body in requests() {
        let answer = hub.post("/v1/chat/completions", body.to_string()).await;
        assert_eq!(said(&answer), "miss", "{body}: {answer:?}");
    }
    for body in requests() {
        // The order of fields and the spaces between them say nothing.
        let mut fields: Vec<_> = body.as_object().unwrap().clone().into_iter().collect();
        fields.reverse();
        let turned = Value::Object(fields.into_iter().collect());
        let answer = hub.post("/v1/chat/completions", format!("{turned:#}")).await;
        assert_eq!(said(&answer), "hit", "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn callers_and_dialects_do_not_share() {
    let hub = hub("sim-ok", ON).await;
    hub.chat("m").await;
    let theirs = with(chat("m", false), "authorization", &format!("Bearer {}", hub.other_key().await));
    assert_eq!(said(&hub.send(theirs).await), "miss");
    let body = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 9});
    assert_eq!(said(&hub.post("/v1/messages", body.to_string()).await), "miss");
    assert_eq!(said(&hub.post("/v1/messages", body.to_string()).await), "hit");
    let beta = with(
        Request::post("/v1/messages").body(Body::from(body.to_string())).unwrap(),
        "anthropic-beta",
        "x",
    );
    assert_eq!(said(&hub.send(beta).await), "miss");
}

#[tokio::test(start_paused = true)]
async fn clients_have_a_say() {
    let hub = hub("sim-ok", ON).await;
    let ask = async |control: &str| {
        let request = if control.is_empty() {
            chat("m", false)
        } else {
            with(chat("m", false), "cache-control", control)
        };
        said(&hub.send(request).await).to_owned()
    };
    assert_eq!(ask("no-store").await, "bypass");
    assert_eq!(ask("").await, "miss");
    assert_eq!(ask("").await, "hit");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ask("max-age=61").await, "hit");
    assert_eq!(ask("max-age=60").await, "miss");
    sleep(Duration::from_secs(5)).await;
    assert_eq!(ask("no-cache").await, "bypass");
    // That one was kept.
    assert_eq!(ask("max-age=1").await, "hit");
    sleep(Duration::from_secs(30 * 60)).await;
    assert_eq!(ask("").await, "miss");
}

#[tokio::test(start_paused = true)]
async fn only_whole_good_answers_that_stand_alone_are_kept() {
    for (key, stream) in [("sim-503-first-1", false), ("sim-cut-3-first-1", true), ("sim-400", false)] {
        let hub = hub(key, ON).await;
        hub.send(chat("m", stream)).await;
        sleep(Duration::from_secs(600)).await;
        let calls = hub.calls([key])[0];
        assert_ne!(said(&hub.send(chat("m", stream)).await), "hit", "{key}");
        assert!(hub.calls([key])[0] > calls, "{key}");
    }
    let hub = TestHub::builder().yaml(ON).account_at(Dialect::Responses, "a", "sim-ok").build().await;
    let table = [
        (json!({"model": "m", "input": "hello"}), "bypass"),
        (json!({"model": "m", "input": "hello", "store": true}), "bypass"),
        (json!({"model": "m", "input": "hello", "store": false}), "hit"),
        (
            json!({"model": "m", "input": "hello", "store": false, "tools": [{"type": "web_search"}]}),
            "bypass",
        ),
    ];
    for (body, second) in table {
        let first = hub.post("/v1/responses", body.to_string()).await;
        assert!(first.status.is_success(), "{first:?}");
        assert_eq!(said(&hub.post("/v1/responses", body.to_string()).await), second, "{body}");
    }
    let small = "cache: {enabled: on, max_entry_kb: 1}\n";
    let hub = self::hub("sim-chunks-100", small).await;
    hub.stream("m").await;
    assert_eq!(said(&hub.stream("m").await), "miss");
}

#[tokio::test(start_paused = true)]
async fn other_accounts_behind_a_name_answer_anew() {
    let hub = hub("sim-ok", ON).await;
    hub.chat("m").await;
    let snapshot = hub.engine.snapshot();
    let mut settings = (*snapshot.settings).clone();
    hub.engine.reload(settings.clone());
    assert_eq!(said(&hub.chat("m").await), "hit");
    let mut connection = (*settings.connections[0]).clone();
    connection.fingerprint ^= 1;
    settings.connections[0] = std::sync::Arc::new(connection);
    hub.engine.reload(settings);
    assert_eq!(said(&hub.chat("m").await), "miss");
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_the_same_are_one_call() {
    let hub = hub("sim-slow-4000", "cache: {join: on}\n").await;
    let (one, two, three) = tokio::join!(hub.chat("m"), hub.chat("m"), hub.chat("n"));
    assert_eq!((said(&one), said(&two), said(&three)), ("", "joined", ""));
    assert!(one.is_whole() && one.text == two.text);
    assert_eq!(hub.calls(["sim-slow-4000"]), [2]);
    let reused =
        hub.receipts().await.into_iter().filter(|row| row.detail.reused.as_deref() == Some("joined"));
    assert_eq!(reused.count(), 1);
    // Streams are not joined, and neither is what comes later.
    hub.chat("m").await;
    tokio::join!(hub.stream("m"), hub.stream("m"));
    assert_eq!(hub.calls(["sim-slow-4000"]), [5]);
}

#[tokio::test(start_paused = true)]
async fn whoever_leaves_leaves_the_others_their_answer() {
    let hub = hub("sim-slow-4000", "cache: {join: on}\n").await;
    let first = tokio::time::timeout(Duration::from_secs(2), hub.chat("m"));
    let second = async {
        sleep(Duration::from_secs(1)).await;
        hub.chat("m").await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_err());
    assert!(second.is_whole() && said(&second) == "joined", "{second:?}");
    assert_eq!(hub.calls(["sim-slow-4000"]), [1]);
    // When all have left, the call ends.
    let all =
        tokio::time::timeout(Duration::from_secs(1), async { tokio::join!(hub.chat("m"), hub.chat("m")) });
    assert!(all.await.is_err());
    sleep(Duration::from_secs(1)).await;
    assert_eq!(hub.engine.admission().running(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_everybodys() {
    let hub = hub("sim-400+slow-1000", "cache: {join: on}\n").await;
    let (one, two) = tokio::join!(hub.chat("m"), hub.chat("m"));
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (400, 400));
}
