//! `GET /v1/responses` over real sockets: one response after the other, and what the socket remembers of them.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use trivium::{ops::ports::ReceiptLog, simulator::Outcome};

use super::{
    super::{
        restart::store,
        support::{Hub, SOON, configuration, eventually},
    },
    client::{Socket, bearer},
    ending::stop,
    plain,
};

const PATH: &str = "/v1/responses";

async fn socket(hub: &Hub) -> Socket {
    Socket::open(hub.address, PATH, &[bearer(&hub.key).as_ref()]).await.unwrap()
}

async fn hub() -> Hub {
    Hub::builder().account("a", "sim-ok").start().await
}

/// A hub whose account speaks Responses itself.
async fn native(behaviour: &str) -> Hub {
    let hub = hub().await;
    hub.write_config(&format!(
        "providers:\n  - {{id: n, type: responses-compatible, base_url: \"http://{}/v1\", api_key: {behaviour}.n, models: [m]}}\n",
        hub.provider.address,
    ));
    hub.uses(&["n"]).await;
    hub
}

/// A request for a response that nobody keeps.
fn create(text: &str, more: Value) -> Value {
    let mut frame = json!({
        "type": "response.create", "model": "m", "store": false,
        "input": [{"role": "user", "content": text}],
    });
    let Value::Object(more) = more else { panic!("{more}") };
    frame.as_object_mut().unwrap().extend(more);
    frame
}

/// The events up to the end of a response.
async fn events(socket: &mut Socket) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let event = socket.next().await;
        let kind = event["type"].as_str().unwrap().to_owned();
        events.push(event);
        if matches!(kind.as_str(), "response.completed" | "response.incomplete" | "response.failed" | "error")
        {
            return events;
        }
    }
}

/// Asks, and answers the id and the text of the response.
async fn asked(socket: &mut Socket, frame: &Value) -> (String, String) {
    socket.send(frame).await;
    let events = events(socket).await;
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.completed", "{last}");
    let text = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    let text = text.map(|event| event["delta"].as_str().unwrap()).collect();
    (last["response"]["id"].as_str().unwrap().to_owned(), text)
}

async fn refused(socket: &mut Socket, frame: &Value) -> (u64, String) {
    socket.send(frame).await;
    let frame = socket.next().await;
    assert_eq!(frame["type"], "error", "{frame}");
    (frame["status"].as_u64().unwrap(), frame["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn bodies(hub: &Hub, account: &str) -> Vec<Value> {
    let calls = hub.provider.calls(account);
    calls.iter().map(|entry| serde_json::from_str(&entry.body).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_comes_as_the_events_that_it_would_stream() {
    for hub in [hub().await, native("sim-ok").await] {
        for path in [PATH, "/responses"] {
            let key = bearer(&hub.key);
            let beta = ("openai-beta", "responses_websockets=2026-02-06");
            let mut socket = Socket::open(hub.address, path, &[key.as_ref(), beta]).await.unwrap();
            socket.send(&create("echo: hello there", json!({}))).await;
            let events = events(&mut socket).await;
            let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
            assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
            assert_eq!(kinds.last(), Some(&"response.completed"));
            let numbers = events.iter().map(|event| event["sequence_number"].as_u64());
            assert!(numbers.eq((0..events.len() as u64).map(Some)), "{events:?}");
            let text = &events.last().unwrap()["response"]["output"][0]["content"][0]["text"];
            assert_eq!(text, "hello there");
            assert_eq!(socket.leave().await, 1005);
        }
        let call = hub.provider.simulator.log().pop().unwrap();
        assert!(!call.headers.contains_key("openai-beta"), "that was for the hub alone");
        let body: Value = serde_json::from_str(&call.body).unwrap();
        assert!(body.get("type").is_none() && body["stream"] == true, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_keeps_can_be_gone_on_from() {
    for (hub, account) in [(hub().await, "a"), (native("sim-ok").await, "n")] {
        let mut socket = socket(&hub).await;
        let (first, _) = asked(&mut socket, &create("echo: one", json!({}))).await;
        let (second, text) =
            asked(&mut socket, &create("echo: two", json!({"previous_response_id": first}))).await;
        assert_eq!(text, "two");
        // A branch: the second is not part of it.
        asked(&mut socket, &create("echo: three", json!({"previous_response_id": first}))).await;
        asked(&mut socket, &create("echo: four", json!({"previous_response_id": second}))).await;
        let said: Vec<Vec<String>> = bodies(&hub, account).iter().map(texts).collect();
        assert_eq!(said[1], ["echo: one", "one", "echo: two"]);
        assert_eq!(said[2], ["echo: one", "one", "echo: three"]);
        assert_eq!(said[3], ["echo: one", "one", "echo: two", "two", "echo: four"]);
        for body in bodies(&hub, account) {
            assert!(body["previous_response_id"].is_null(), "never both: {body}");
        }
        let mut other = self::socket(&hub).await;
        let frame = create("x", json!({"previous_response_id": first}));
        let code = "previous_response_not_found".to_owned();
        assert_eq!(refused(&mut other, &frame).await, (400, code), "only this socket has it");
    }
}

/// The texts of a request in either dialect.
fn texts(body: &Value) -> Vec<String> {
    let list = body["messages"].as_array().or(body["input"].as_array()).unwrap();
    let text = |item: &Value| match &item["content"] {
        Value::String(text) => text.clone(),
        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
    };
    list.iter().map(text).filter(|text| !text.is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_provider_keeps_is_asked_of_it() {
    let hub = native("sim-ok").await;
    let mut socket = socket(&hub).await;
    let (kept, _) = asked(&mut socket, &create("echo: one", json!({"store": true}))).await;
    let (unkept, _) = asked(&mut socket, &create("echo: two", json!({"previous_response_id": kept}))).await;
    asked(&mut socket, &create("echo: three", json!({"previous_response_id": unkept}))).await;
    let bodies = bodies(&hub, "n");
    assert_eq!(
        (&bodies[1]["previous_response_id"], texts(&bodies[1])),
        (&json!(kept), vec!["echo: two".into()])
    );
    // The socket knows what came after the one that is kept, and nothing before it.
    assert_eq!(bodies[2]["previous_response_id"], json!(kept));
    assert_eq!(texts(&bodies[2]), ["echo: two", "two", "echo: three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_up_asks_nobody_and_can_be_gone_on_from() {
    let hub = hub().await;
    let mut socket = socket(&hub).await;
    socket.send(&create("be short", json!({"generate": false}))).await;
    let events = events(&mut socket).await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["response.created", "response.in_progress", "response.completed"]);
    let warm = &events[2]["response"];
    assert_eq!((&warm["output"], &warm["usage"]["total_tokens"]), (&json!([]), &json!(0)));
    assert!(hub.provider.calls("a").is_empty());
    let (_, text) =
        asked(&mut socket, &create("echo: hi", json!({"previous_response_id": warm["id"]}))).await;
    assert_eq!(text, "hi");
    assert_eq!(texts(&bodies(&hub, "a")[0]), ["be short", "echo: hi"]);
    let empty = json!({"type": "response.create", "model": "m", "generate": false});
    asked(&mut socket, &empty).await;
    let unknown = create("x", json!({"generate": false, "model": "unheard-of"}));
    assert_eq!(refused(&mut socket, &unknown).await, (404, "model_not_found".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_http_would_and_the_socket_goes_on() {
    let hub = hub().await;
    let mut socket = socket(&hub).await;
    let code = |text: &str| text.to_owned();
    let cases = [
        (create("x", json!({"previous_response_id": "resp_none"})), 400, "previous_response_not_found"),
        (create("x", json!({"model": "unheard-of"})), 404, "model_not_found"),
        (create("x", json!({"input": 7})), 400, "invalid_parameter"),
        (create("x", json!({"background": true})), 400, "invalid_parameter"),
        (json!({"type": "response.create", "input": "x"}), 400, "missing_required_parameter"),
        (json!({"type": "response.steer", "input": "x"}), 400, "invalid_parameter"),
        (json!({"model": "m"}), 400, "invalid_json"),
    ];
    for (frame, status, name) in cases {
        assert_eq!(refused(&mut socket, &frame).await, (status, code(name)), "{frame}");
    }
    socket.send(&json!({"type": "response.processed", "response_id": "resp_1"})).await;
    socket.put(Message::binary(b"{}".to_vec())).await;
    assert_eq!(socket.next().await["error"]["code"], "invalid_json");
    let (_, text) = asked(&mut socket, &create("echo: still here", json!({}))).await;
    assert_eq!(text, "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_errors_come_in_the_frame_or_as_the_end_of_the_response() {
    let hub = Hub::builder().account("a", "sim-429-retry-20").start().await;
    let mut limited = socket(&hub).await;
    limited.send(&create("x", json!({}))).await;
    let frame = limited.next().await;
    assert_eq!((&frame["status"], &frame["error"]["code"]), (&json!(429), &json!("rate_limit_exceeded")));
    assert!(frame["headers"]["retry-after"].is_string(), "{frame}");
    hub.reconfigure(&[("b", "sim-sse-error-3")]);
    hub.uses(&["b"]).await;
    let mut broken = socket(&hub).await;
    broken.send(&create("x", json!({}))).await;
    let events = events(&mut broken).await;
    assert_eq!(events[0]["type"], "response.created");
    let (last, count) = (events.last().unwrap(), events.len());
    assert_eq!((&last["type"], &last["sequence_number"]), (&json!("response.failed"), &json!(count - 1)));
    assert_eq!(last["response"]["error"]["code"], "stream_interrupted");
}

#[tokio::test(flavor = "multi_thread")]
async fn responses_are_made_in_the_order_of_their_requests() {
    let hub = Hub::builder().account("a", "sim-pace-20+chunks-20").start().await;
    let mut socket = socket(&hub).await;
    for number in 0..3 {
        socket.send(&create(&format!("echo: {number}"), json!({"stream_id": number.to_string()}))).await;
    }
    for number in 0..3 {
        for event in events(&mut socket).await {
            assert_eq!(event["stream_id"], json!(number.to_string()), "{event}");
        }
    }
    for _ in 0..19 {
        socket.send(&create("x", json!({}))).await;
    }
    let mut refusals = 0;
    for _ in 0..19 {
        let end = loop {
            let frame = socket.next().await;
            if matches!(frame["type"].as_str(), Some("response.completed" | "error")) {
                break frame;
            }
        };
        if end["type"] == "error" {
            assert_eq!(end["error"]["code"], "ws_too_many_requests");
            refusals += 1;
        }
    }
    assert_eq!(refusals, 2, "one runs and sixteen wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gets_in() {
    let hub = hub().await;
    let open = async |headers: &[(&str, &str)]| Socket::open(hub.address, PATH, headers).await.err();
    assert_eq!(open(&[]).await.as_deref(), Some("401 missing_api_key"));
    assert_eq!(open(&[bearer("wrong").as_ref()]).await.as_deref(), Some("401 invalid_api_key"));
    let no_upgrade = plain(&hub, PATH, &format!("authorization: Bearer {}\r\n", hub.key)).await;
    assert_eq!(no_upgrade.must_be_refused(), (426, "ws_upgrade_required".to_owned()));
    let reader = hub.ground.cli_ok(&["keys", "create", "reader", "--scope", "read:models"]).await;
    let mut socket = Socket::open(hub.address, PATH, &[bearer(&reader).as_ref()]).await.unwrap();
    for generate in [true, false] {
        let frame = create("x", json!({"generate": generate}));
        assert_eq!(refused(&mut socket, &frame).await, (403, "insufficient_scope".to_owned()));
    }
    hub.ground.cli_ok(&["keys", "revoke", "reader"]).await;
    assert_eq!(refused(&mut socket, &create("x", json!({}))).await, (401, "invalid_api_key".to_owned()));
    assert!(hub.provider.calls("a").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_off_the_client_is_told_at_once_and_uses_http() {
    let hub =
        Hub::builder().account("a", "sim-ok").section("server: {responses_websocket: off}").start().await;
    for headers in [vec![], vec![bearer(&hub.key)]] {
        let headers: Vec<_> = headers.iter().map(|bearer| bearer.as_ref()).collect();
        let refusal = Socket::open(hub.address, PATH, &headers).await.err();
        assert_eq!(refusal.as_deref(), Some("426 ws_upgrade_required"));
    }
    let body = json!({"model": "m", "input": "echo: hi"}).to_string();
    let answer = hub.post(PATH, body).await;
    assert_eq!(answer.json()["output"][0]["content"][0]["text"], "hi");
    hub.write_config(&configuration(&hub.provider, "", &[("b".to_owned(), "sim-ok.b".to_owned())]));
    hub.uses(&["b"]).await;
    let (_, text) = asked(&mut socket(&hub).await, &create("echo: on", json!({}))).await;
    assert_eq!(text, "on", "it can be switched while the hub runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_elsewhere_need_a_key_here_too() {
    let builder = Hub::builder().account("a", "sim-ok").section("auth: {required: false}");
    let hub = builder.env("API_KEY", "operator").start().await;
    let open = async |headers: &[(&str, &str)]| Socket::open(hub.address, PATH, headers).await.err();
    let elsewhere = ("origin", "https://elsewhere.example");
    assert_eq!(open(&[elsewhere]).await.as_deref(), Some("403 host_not_allowed"));
    assert_eq!(open(&[elsewhere, ("sec-websocket-protocol", "trivium, bearer.operator")]).await, None);
    assert_eq!(open(&[]).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_may_be_as_large_as_a_body() {
    let hub = Hub::builder().account("a", "sim-ok").section("server: {body_limit_mb: 1}").start().await;
    let mut socket = socket(&hub).await;
    socket.send(&create(&"x".repeat(900 * 1024), json!({}))).await;
    assert_eq!(events(&mut socket).await.last().unwrap()["type"], "response.completed");
    socket.send(&create(&"x".repeat(1100 * 1024), json!({}))).await;
    assert_eq!(socket.close_code().await, (vec![], 1009));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_stops_the_work_at_the_provider() {
    let mut hub = Hub::builder().account("a", "sim-stall-3").start().await;
    let mut socket = socket(&hub).await;
    socket.send(&create("x", json!({}))).await;
    socket.send(&create("waits", json!({}))).await;
    assert_eq!(socket.next().await["type"], "response.created");
    drop(socket);
    eventually("the provider sees it", SOON, || {
        let log = hub.provider.calls("a");
        log.last().filter(|entry| entry.outcome == Outcome::ClientLeft).map(|_| ())
    })
    .await;
    assert_eq!(hub.provider.calls("a").len(), 1, "what waited is not begun");
    assert!(hub.stop().await.success());
    let store = store(&hub.ground).await;
    assert_eq!(store.receipts().count().await.unwrap(), 1);
    assert_eq!(store.receipts().recent(1).await.unwrap()[0].outcome, "client_left");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_stop_lets_the_response_finish_and_begins_no_other() {
    let mut hub = Hub::builder().account("a", "sim-pace-20+chunks-60").start().await;
    let mut socket = socket(&hub).await;
    socket.send(&create("x", json!({}))).await;
    socket.send(&create("waits", json!({}))).await;
    assert_eq!(socket.next().await["type"], "response.created");
    stop(&hub).await;
    let events = events(&mut socket).await;
    assert_eq!(events.last().unwrap()["type"], "response.completed");
    let (frames, code) = socket.close_code().await;
    assert_eq!((frames[0]["status"].as_u64(), code), (Some(503), 1001), "{frames:?}");
    assert_eq!(hub.process.end().await.code(), Some(0), "{}", hub.ground.said());
}
