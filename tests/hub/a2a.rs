//! The hub as an agent over the wire: envelopes, versions, streams, and whose tasks are whose. What skills answer is in
//! `a2a_skills`, the card in `a2a_card`.

use axum::body::Body;
use http::{Method, Request, StatusCode, request::Builder};
use serde_json::{Value, json};

use super::{
    agents::key,
    support::{Answer, TestHub},
};

const JSON: &str = "application/json";

pub(crate) async fn hub() -> TestHub {
    TestHub::builder().account("a", "sim-ok").build().await
}

/// A hub whose answers take their time: ten pieces, one in each second.
async fn slow() -> TestHub {
    TestHub::builder().account("a", "sim-chunks-10+pace-1000").build().await
}

fn to_a2a(version: &str) -> Builder {
    let request = Request::post("/a2a").header("host", "127.0.0.1:20128").header("content-type", JSON);
    if version.is_empty() { request } else { request.header("a2a-version", version) }
}

/// Posts a body as it is.
async fn raw(hub: &TestHub, version: &str, body: &str) -> Answer {
    hub.send(to_a2a(version).body(Body::from(body.to_owned())).unwrap()).await
}

/// A call with the operator's key.
pub(crate) async fn call(hub: &TestHub, version: &str, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let answer = raw(hub, version, &body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.json()
}

/// The same with somebody's key.
pub(crate) async fn call_by(hub: &TestHub, key: &str, version: &str, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let request = to_a2a(version).header("authorization", format!("Bearer {key}"));
    hub.send(request.body(Body::from(body.to_string())).unwrap()).await.json()
}

/// A message of 1.0.
pub(crate) fn message(id: &str, text: &str) -> Value {
    json!({"message": {"messageId": id, "role": "ROLE_USER", "parts": [{"text": text}]}})
}

/// A message of 0.3.
fn old_message(id: &str, text: &str) -> Value {
    json!({"message": {"messageId": id, "role": "user", "kind": "message", "parts": [{"kind": "text", "text": text}]}})
}

/// A stream's events: the ids, and what is in the envelopes.
async fn stream(
    hub: &TestHub,
    version: &str,
    method: &str,
    params: Value,
    after: Option<&str>,
) -> Vec<(u64, Value)> {
    let body = json!({"jsonrpc": "2.0", "id": "s-1", "method": method, "params": params});
    let request = to_a2a(version).header("accept", "text/event-stream");
    let request = match after {
        Some(after) => request.header("last-event-id", after),
        None => request,
    };
    let answer = hub.send(request.body(Body::from(body.to_string())).unwrap()).await;
    assert!(answer.header("content-type").starts_with("text/event-stream"), "{answer:?}");
    events(&answer)
}

fn events(answer: &Answer) -> Vec<(u64, Value)> {
    let mut found = Vec::new();
    for event in answer.text.split("\n\n") {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let Some(data) = field("data: ") else { continue };
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!((&data["jsonrpc"], &data["id"]), (&json!("2.0"), &json!("s-1")), "{data}");
        found.push((field("id: ").unwrap().parse().unwrap(), data["result"].clone()));
    }
    found
}

/// The text of an artifact with the name.
pub(crate) fn text_of(task: &Value, artifact: &str) -> String {
    let artifacts = task["artifacts"].as_array().unwrap_or_else(|| panic!("{task}"));
    let found =
        artifacts.iter().find(|one| one["artifactId"] == artifact).unwrap_or_else(|| panic!("{task}"));
    found["parts"].as_array().unwrap().iter().filter_map(|part| part["text"].as_str()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_wrong_envelope_has_its_error_and_status_200() {
    let hub = hub().await;
    let cases = [
        ("{", -32700, json!(null)),
        ("", -32700, json!(null)),
        ("[]", -32600, json!(null)),
        (r#"[{"jsonrpc":"2.0","id":1,"method":"tasks/get"}]"#, -32600, json!(null)),
        ("7", -32600, json!(null)),
        (r#"{"id":"a","method":"tasks/get"}"#, -32600, json!("a")),
        (r#"{"jsonrpc":"1.0","id":-4,"method":"tasks/get"}"#, -32600, json!(-4)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"tasks/get"}"#, -32600, json!(null)),
        (r#"{"jsonrpc":"2.0","id":1}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":2}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":"x"}"#, -32600, json!(1)),
        (r#"{"jsonrpc":"2.0","id":"m","method":"tasks/nothing"}"#, -32601, json!("m")),
        (r#"{"jsonrpc":"2.0","id":"m","method":"tasks/get"}"#, -32602, json!("m")),
        (r#"{"jsonrpc":"2.0","id":"m","method":"tasks/get","params":[1]}"#, -32602, json!("m")),
        (r#"{"jsonrpc":"2.0","id":-9,"method":"tasks/get","params":{"id":"no"}}"#, -32001, json!(-9)),
        (r#"{"jsonrpc":"2.0","method":"tasks/get","params":{"id":"no"}}"#, -32001, json!(null)),
        (r#"{"jsonrpc":"2.0","id":2,"method":"SendMessage","params":{}}"#, -32009, json!(2)),
    ];
    for (body, code, id) in cases {
        let answer = raw(&hub, "", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {answer:?}");
        let answer = answer.json();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{body}: {answer}");
        assert_eq!(answer["jsonrpc"], "2.0");
        assert!(answer.get("result").is_none(), "{body}: {answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_two_versions_are_told_apart_by_name_and_header() {
    let hub = hub().await;
    let code = async |version: &str, method: &str| {
        call(&hub, version, method, json!({"id": "no"})).await["error"]["code"].clone()
    };
    for (version, method, expected) in [
        ("", "tasks/get", -32001),
        ("0.3", "tasks/get", -32001),
        ("1.0", "GetTask", -32001),
        ("1.0.1", "GetTask", -32001),
        ("", "GetTask", -32009),
        ("1.0", "tasks/get", -32601),
        ("9.9", "GetTask", -32009),
        ("0.2", "tasks/get", -32009),
        ("", "ListTasks", -32009),
    ] {
        assert_eq!(code(version, method).await, expected, "{version} {method}");
    }
    // The version may stand in the query, and details are 1.0's alone.
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"GetTask","params":{"id":"no"}}"#;
    let request = Request::post("/a2a/?A2A-Version=1.0").header("content-type", JSON);
    let answer = hub.send(request.body(Body::from(body)).unwrap()).await.json();
    assert_eq!(answer["error"]["data"][0]["reason"], "TASK_NOT_FOUND", "{answer}");
    assert_eq!(answer["error"]["data"][0]["domain"], "a2a-protocol.org");
}

#[tokio::test(start_paused = true)]
async fn a_message_becomes_a_task_that_can_be_looked_at_in_both_versions() {
    let hub = hub().await;
    let sent = call(&hub, "1.0", "SendMessage", message("m-1", "echo: hello there")).await;
    let task = &sent["result"]["task"];
    assert_eq!(task["status"]["state"], "TASK_STATE_COMPLETED", "{sent}");
    assert_eq!(text_of(task, "answer"), "hello there");
    let id = task["id"].as_str().unwrap();
    let got = call(&hub, "1.0", "GetTask", json!({"id": id})).await["result"].clone();
    assert_eq!((&got["id"], &got["artifacts"]), (&task["id"], &task["artifacts"]), "{got}");
    let old = call(&hub, "", "tasks/get", json!({"id": id})).await["result"].clone();
    assert_eq!((&old["kind"], &old["status"]["state"]), (&json!("task"), &json!("completed")), "{old}");
    assert_eq!(old["history"][0]["role"], "user", "{old}");
    let none = call(&hub, "1.0", "GetTask", json!({"id": id, "historyLength": 0})).await["result"].clone();
    assert!(none.get("history").is_none_or(|history| history == &json!([])), "{none}");

    let sent = call(&hub, "", "message/send", old_message("m-2", "echo: hello again")).await;
    let old = &sent["result"];
    assert_eq!((&old["kind"], &old["status"]["state"]), (&json!("task"), &json!("completed")), "{sent}");
    assert_eq!(text_of(old, "answer"), "hello again");

    let listed = call(&hub, "1.0", "ListTasks", json!({})).await["result"].clone();
    assert_eq!((&listed["totalSize"], &listed["nextPageToken"]), (&json!(2), &json!("")), "{listed}");
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_sent_again_is_not_worked_on_again() {
    let hub = hub().await;
    let first = call(&hub, "1.0", "SendMessage", message("m-1", "echo: once")).await;
    let second = call(&hub, "1.0", "SendMessage", message("m-1", "echo: once")).await;
    assert_eq!(first["result"]["task"]["id"], second["result"]["task"]["id"]);
    assert_eq!(hub.upstream().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_begins_with_the_task_and_counts_its_events() {
    let hub = slow().await;
    let told = stream(&hub, "1.0", "SendStreamingMessage", message("m-1", "hello"), None).await;
    let kinds: Vec<&str> =
        told.iter().map(|(_, event)| event.as_object().unwrap().keys().next().unwrap().as_str()).collect();
    assert_eq!(kinds.first(), Some(&"task"), "{kinds:?}");
    assert!(
        kinds.iter().filter(|kind| **kind == "artifactUpdate").count() > 2,
        "pieces as they come: {kinds:?}"
    );
    let last = told.last().unwrap();
    assert_eq!(last.1["statusUpdate"]["status"]["state"], "TASK_STATE_COMPLETED", "{last:?}");
    assert!(last.1["statusUpdate"].get("final").is_none(), "1.0 ends the stream and says no more");
    let numbers: Vec<u64> = told.iter().map(|(number, _)| *number).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");

    let old = stream(&hub, "", "message/stream", old_message("m-2", "hello"), None).await;
    assert_eq!(old[0].1["kind"], "task", "{old:?}");
    let last = &old.last().unwrap().1;
    assert_eq!((&last["kind"], &last["final"]), (&json!("status-update"), &json!(true)), "{last}");
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_to_a_stream_gets_what_it_has_missed() {
    let hub = slow().await;
    let mut later = message("m-1", "hello");
    later["configuration"] = json!({"returnImmediately": true});
    let sent = call(&hub, "1.0", "SendMessage", later).await;
    let task = sent["result"]["task"].clone();
    assert_ne!(task["status"]["state"], "TASK_STATE_COMPLETED", "{task}");
    let id = json!({"id": task["id"]});
    // Both follow the same task from the same place.
    let (first, second) = tokio::join!(
        stream(&hub, "1.0", "SubscribeToTask", id.clone(), None),
        stream(&hub, "1.0", "SubscribeToTask", id.clone(), None),
    );
    assert_eq!(first[0].1["task"]["id"], task["id"], "the task comes first: {first:?}");
    assert_eq!(first.last(), second.last());
    let over = call(&hub, "1.0", "SubscribeToTask", id.clone()).await;
    assert_eq!(over["error"]["code"], -32004, "{over}");

    let mut next = message("m-2", "hello");
    next["configuration"] = json!({"returnImmediately": true});
    let task = call(&hub, "1.0", "SendMessage", next).await["result"]["task"].clone();
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    let again = stream(&hub, "", "tasks/resubscribe", json!({"id": task["id"]}), Some("2")).await;
    assert_eq!(again[0].0, 3, "{again:?}");
    assert_eq!(again.last().unwrap().1["final"], true);
}

#[tokio::test(start_paused = true)]
async fn a_task_can_be_ended_and_its_request_with_it() {
    let hub = TestHub::builder().account("a", "sim-hang").build().await;
    let mut later = message("m-1", "hello");
    later["configuration"] = json!({"returnImmediately": true});
    let task = call(&hub, "1.0", "SendMessage", later).await["result"]["task"].clone();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(hub.engine.admission().running(), 1);
    let ended = call(&hub, "1.0", "CancelTask", json!({"id": task["id"]})).await;
    assert_eq!(ended["result"]["status"]["state"], "TASK_STATE_CANCELED", "{ended}");
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(hub.engine.admission().running(), 0, "its place is given back");
    let again = call(&hub, "", "tasks/cancel", json!({"id": task["id"]})).await;
    assert_eq!(again["error"]["code"], -32002, "{again}");
    let mut more = message("m-2", "more");
    more["message"]["taskId"] = task["id"].clone();
    assert_eq!(call(&hub, "1.0", "SendMessage", more).await["error"]["code"], -32004);
}

#[tokio::test(start_paused = true)]
async fn tasks_of_others_are_not_there() {
    let hub = hub().await;
    let (_, mine) = key(&hub, "mine", &["execute:completions"], json!({})).await;
    let (_, other) = key(&hub, "other", &["execute:completions"], json!({})).await;
    let sent = call_by(&hub, &mine, "1.0", "SendMessage", message("m-1", "echo: hi")).await;
    let id = sent["result"]["task"]["id"].clone();
    assert!(id.is_string(), "{sent}");
    let hook = json!({"taskId": id, "url": "https://hooks.example/x", "id": "h"});
    let mut more = message("m-2", "more");
    more["message"]["taskId"] = id.clone();
    for (method, params) in [
        ("GetTask", json!({"id": id})),
        ("CancelTask", json!({"id": id})),
        ("SubscribeToTask", json!({"id": id})),
        ("SendMessage", more),
        ("CreateTaskPushNotificationConfig", hook.clone()),
        ("GetTaskPushNotificationConfig", json!({"taskId": id, "id": "h"})),
        ("ListTaskPushNotificationConfigs", json!({"taskId": id})),
        ("DeleteTaskPushNotificationConfig", json!({"taskId": id, "id": "h"})),
    ] {
        let answer = call_by(&hub, &other, "1.0", method, params).await;
        assert_eq!(answer["error"]["code"], -32001, "{method}: {answer}");
    }
    let none = call_by(&hub, &other, "1.0", "ListTasks", json!({})).await;
    assert_eq!(none["result"]["totalSize"], 0, "{none}");
    let got = call_by(&hub, &mine, "1.0", "GetTask", json!({"id": id})).await;
    assert_eq!(got["result"]["id"], id);
}

#[tokio::test(start_paused = true)]
async fn a_key_of_which_nothing_may_be_written_down_has_no_tasks() {
    let hub = hub().await;
    let (_, quiet) = key(&hub, "quiet", &["execute:completions"], json!({"no_log": true})).await;
    let sent = call_by(&hub, &quiet, "1.0", "SendMessage", message("m-1", "echo: hi")).await;
    assert_eq!(sent["error"]["code"], -32004, "{sent}");
    assert!(sent["error"]["message"].as_str().unwrap().contains("no_log"), "{sent}");
    let status = hub.get("/api/a2a/tasks").await.json();
    assert_eq!(status["total"], 0, "{status}");
}

#[tokio::test(start_paused = true)]
async fn parts_that_nobody_can_read_are_refused() {
    let hub = hub().await;
    let code = async |part: Value| {
        let params = json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": [part]}});
        call(&hub, "1.0", "SendMessage", params).await["error"]["code"].clone()
    };
    for (part, expected) in [
        (json!({}), -32602),
        (json!({"text": "a", "data": {}}), -32602),
        (json!({"text": 7}), -32602),
        (json!({"raw": "aGk=", "mediaType": "image/png"}), -32005),
        (json!({"url": "http://127.0.0.1/secret"}), -32005),
        (json!({"text": "a", "mediaType": "application/x-unsupported"}), -32005),
        (json!({"text": "x".repeat(6 * 1024 * 1024)}), -32602),
        (json!({"data": (0..100).fold(json!(1), |inner, _| json!([inner]))}), -32602),
    ] {
        assert_eq!(code(part.clone()).await, expected, "{:.80}", part.to_string());
    }
    let none = call(
        &hub,
        "1.0",
        "SendMessage",
        json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": []}}),
    );
    assert_eq!(none.await["error"]["code"], -32602);
    let huge = raw(&hub, "1.0", &"x".repeat(9 * 1024 * 1024)).await;
    assert_eq!((huge.status, &huge.json()["error"]["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!(-32600)));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_come_in_is_told_in_an_envelope() {
    let hub = hub().await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"id":"no"}}"#;
    for (key, code) in [(None, "missing_api_key"), (Some("Bearer tvm_nobody"), "invalid_api_key")] {
        let request = match key {
            Some(key) => to_a2a("").header("authorization", key),
            None => to_a2a(""),
        };
        let answer = hub.send_bare(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{answer:?}");
        let answer = answer.json();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(null)), "{answer}");
        assert_eq!(answer["error"]["data"][0]["reason"], code, "{answer}");
    }
    let foreign = to_a2a("").header("origin", "https://evil.example").body(Body::from(body)).unwrap();
    assert_eq!(hub.send(foreign).await.status, StatusCode::FORBIDDEN);
    let page = to_a2a("").header("origin", "http://localhost:5173").body(Body::from(body)).unwrap();
    assert_eq!(hub.send(page).await.header("access-control-allow-origin"), "http://localhost:5173");
    let typed = Request::post("/a2a").header("content-type", "text/plain").body(Body::from(body)).unwrap();
    let typed = hub.send(typed).await;
    assert_eq!(
        (typed.status, &typed.json()["error"]["code"]),
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, &json!(-32005))
    );
    let got = hub.get("/a2a").await;
    assert_eq!((got.status, got.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));

    let off = TestHub::builder().yaml("a2a: {enabled: off}\n").account("a", "sim-ok").build().await;
    let answer = raw(&off, "", body).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(-32000))
    );
    assert_eq!(off.get("/.well-known/agent-card.json").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn plain_http_says_the_same() {
    let hub = hub().await;
    let send = async |method: Method, path: &str, body: Option<Value>| {
        let request = Request::builder().method(method).uri(format!("/a2a/v1{path}"));
        let request = request.header("content-type", "application/a2a+json").header("a2a-version", "1.0");
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        hub.send(request.body(body).unwrap()).await
    };
    let sent = send(Method::POST, "/message:send", Some(message("m-1", "echo: plain"))).await;
    assert_eq!(sent.header("content-type"), "application/a2a+json", "{sent:?}");
    let task = sent.json()["task"].clone();
    assert_eq!(text_of(&task, "answer"), "plain");
    let id = task["id"].as_str().unwrap();
    assert_eq!(send(Method::GET, &format!("/tasks/{id}"), None).await.json()["id"], id);
    assert_eq!(send(Method::GET, "/tasks?pageSize=1", None).await.json()["totalSize"], 1);
    let over = send(Method::POST, &format!("/tasks/{id}:cancel"), None).await;
    assert_eq!(
        (over.status, &over.json()["error"]["details"][0]["reason"]),
        (StatusCode::BAD_REQUEST, &json!("TASK_NOT_CANCELABLE"))
    );
    let none = send(Method::GET, "/tasks/none", None).await;
    assert_eq!((none.status, &none.json()["error"]["status"]), (StatusCode::NOT_FOUND, &json!("NOT_FOUND")));
    let streamed = send(Method::POST, "/message:stream", Some(message("m-2", "echo: streamed"))).await;
    assert!(streamed.text.contains("data: {\"task\":") && !streamed.text.contains("jsonrpc"), "{streamed:?}");
    let broken = send(Method::POST, "/message:send", Some(json!({"message": {}}))).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST, "{broken:?}");
    let wrong = send(Method::GET, "/message:send", None).await;
    assert_eq!((wrong.status, wrong.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    assert_eq!(send(Method::GET, "/nothing", None).await.status, StatusCode::NOT_FOUND);
    let bare = Request::get(format!("/a2a/v1/tasks/{id}")).body(Body::empty()).unwrap();
    let bare = hub.send_bare(bare).await;
    assert_eq!(
        (bare.status, &bare.json()["error"]["status"]),
        (StatusCode::UNAUTHORIZED, &json!("UNAUTHENTICATED"))
    );
}

#[tokio::test(start_paused = true)]
async fn webhooks_of_a_task_are_made_and_unmade_in_both_versions() {
    let hub = slow().await;
    let mut later = message("m-1", "hello");
    later["configuration"] = json!({"returnImmediately": true});
    let task = call(&hub, "1.0", "SendMessage", later).await["result"]["task"]["id"].clone();
    let made = call(
        &hub,
        "1.0",
        "CreateTaskPushNotificationConfig",
        json!({"taskId": task, "url": "https://hooks.example/x"}),
    )
    .await;
    let id = made["result"]["id"].clone();
    assert!(id.is_string(), "{made}");
    let old =
        json!({"taskId": task, "pushNotificationConfig": {"url": "https://hooks.example/y", "id": "old"}});
    let set = call(&hub, "", "tasks/pushNotificationConfig/set", old).await;
    assert_eq!(set["result"]["pushNotificationConfig"]["id"], "old", "{set}");
    let listed = call(&hub, "", "tasks/pushNotificationConfig/list", json!({"id": task})).await;
    assert_eq!(listed["result"].as_array().map(Vec::len), Some(2), "{listed}");
    let gone = json!({"id": task, "pushNotificationConfigId": "old"});
    let gone = call(&hub, "", "tasks/pushNotificationConfig/delete", gone).await;
    assert_eq!(gone.get("result"), Some(&Value::Null), "{gone}");
    let left = call(&hub, "1.0", "ListTaskPushNotificationConfigs", json!({"taskId": task})).await;
    assert_eq!(left["result"]["configs"][0]["id"], id, "{left}");
}
