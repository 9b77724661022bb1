//! Every operation over REST, with the right that it needs, with every other right, and with none; and what the audit log
//! says of each. The table is made from the definitions, so that a new operation is tested by being there.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Request, StatusCode};
use operations::{
    Definition, Operation, Scope, affinity, audit, backups, keys, models, oauth, routing, search, tasks,
    traces,
};
use serde_json::{Value, json};

use super::support::{Answer, TestHub};

/// Serves what the examples name, so that deleting the connection of an example leaves nothing without a target.
const SERVED: &str = "
prices_sync: {url: 'https://prices.test/list.json'}
webhooks: [{id: on-call, url: 'https://hooks.test/x'}]
providers:
  - {id: base, type: openai-compatible, api_key: sim-ok.base, base_url: 'http://simulator.test/v1', models: [{id: llama-3.3-70b-versatile, tags: [web-search]}]}
  - id: work-account
    type: openai-compatible
    base_url: http://simulator.test/v1
    models: [m]
    oauth: {client_id: app, authorization_url: 'http://login.localhost/oauth/authorize', token_url: 'http://login.localhost/oauth/token'}
";

/// An operation with the arguments of its example, as REST carries them.
pub(crate) fn example(definition: &Definition, key: Option<&str>) -> Request<Body> {
    let mut args: Value = serde_json::from_str(definition.example).unwrap();
    let args = args.as_object_mut().unwrap();
    let route = definition.route;
    let mut path = route.path.to_owned();
    for name in route.parameters() {
        let value = args.remove(name).unwrap();
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        path = path.replace(&format!("{{{name}}}"), &text);
    }
    let body = match (route.method.has_body(), route.body) {
        (true, Some(whole)) => args[whole].to_string(),
        (true, None) => Value::Object(std::mem::take(args)).to_string(),
        (false, _) => String::new(),
    };
    if !route.method.has_body() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in args.iter() {
            query.append_pair(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        path = format!("{path}?{}", query.finish());
    }
    let request = Request::builder().method(route.method.as_str()).uri(path);
    let request = match key {
        Some(key) => request.header("authorization", format!("Bearer {key}")),
        None => request.header("authorization", "none"),
    };
    request.body(Body::from(body)).unwrap()
}

/// Rights that the example of an operation needs beside its own: whoever makes a key or learns its text must hold what it
/// may do, and whoever takes a change back must be able to make it.
pub(crate) fn needed(definition: &Definition) -> BTreeSet<Scope> {
    let more: &[Scope] = match definition.name {
        keys::Create::NAME | keys::Rotate::NAME => &[Scope::ExecuteCompletions, Scope::ReadModels],
        audit::Undo::NAME => &[Scope::WriteConnections],
        search::Web::NAME => &[Scope::ExecuteCompletions],
        _ => &[],
    };
    more.iter().copied().chain([definition.scope]).collect()
}

/// A hub on which everything that the examples name is there.
pub(crate) async fn seeded() -> TestHub {
    let hub = TestHub::builder().yaml(SERVED).build().await;
    let price =
        json!({"litellm_provider": "groq", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6});
    hub.lists.give(json!({ "m": price }).to_string());
    let made = Definition::all().iter().filter(|definition| definition.name.starts_with("put_"));
    for definition in made.chain(Definition::named(keys::Create::NAME)) {
        let answer = hub.send(example(definition, Some(super::support::KEY))).await;
        assert!(answer.status.is_success(), "{}: {}", definition.name, answer.text);
    }
    let named: Value = serde_json::from_str(tasks::Get::EXAMPLE).unwrap();
    hub.waiting_task(named["id"].as_str().unwrap(), "somebody", 10).await;
    hub
}

/// A key with these rights, as its id and its text.
async fn key(hub: &TestHub, name: &str, scopes: &BTreeSet<Scope>) -> (String, String) {
    let made = hub.json(http::Method::POST, "/api/keys", json!({"name": name, "scopes": scopes})).await;
    let made = made.json();
    (made["key"]["id"].as_str().unwrap().to_owned(), made["secret"].as_str().unwrap().to_owned())
}

/// What the audit log says, newest first.
async fn log(hub: &TestHub) -> Vec<Value> {
    hub.get("/api/audit?limit=500").await.json()["entries"].as_array().unwrap().clone()
}

/// The one entry that was added since there were `before`.
async fn added(hub: &TestHub, before: usize) -> Value {
    let entries = log(hub).await;
    assert_eq!(entries.len(), before + 1, "{:?}", entries.first());
    entries[0].clone()
}

fn tells(entry: &Value, definition: &Definition, caller: &str, answer: &Answer) {
    let name = definition.name;
    assert_eq!(entry["operation"], name);
    assert_eq!(entry["scope"], definition.scope.as_str(), "{name}");
    assert_eq!(entry["caller"], caller, "{name}");
    assert_eq!(entry["surface"], "rest", "{name}");
    assert_eq!(entry["request_id"], answer.header("x-request-id"), "{name}");
}

async fn with_just_the_right(definition: &'static Definition) {
    let hub = seeded().await;
    let (id, secret) = key(&hub, "exact", &needed(definition)).await;
    let before = log(&hub).await.len();
    let answer = hub.send(example(definition, Some(&secret))).await;
    assert_ne!(answer.status, StatusCode::FORBIDDEN, "{}: {}", definition.name, answer.text);
    assert!(!answer.status.is_server_error(), "{}: {}", definition.name, answer.text);
    if definition.hints.read_only {
        assert_eq!(log(&hub).await.len(), before, "{}: reading leaves no entry", definition.name);
        return;
    }
    let entry = added(&hub, before).await;
    tells(&entry, definition, &id, &answer);
    let outcome = if answer.status.is_success() { "done" } else { "failed" };
    assert_eq!(entry["outcome"], outcome, "{}: {}", definition.name, answer.text);
}

async fn with_every_other_right(definition: &'static Definition) {
    let hub = seeded().await;
    let others = Scope::ALL.into_iter().filter(|scope| *scope != definition.scope).collect();
    let (id, secret) = key(&hub, "others", &others).await;
    let before = log(&hub).await.len();
    let versions = hub.get("/api/combos").await.text;
    let answer = hub.send(example(definition, Some(&secret))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}: {}", definition.name, answer.text);
    assert_eq!(answer.code(), "insufficient_scope", "{}", definition.name);
    assert!(answer.text.contains(definition.scope.as_str()), "{}: it names what is missing", answer.text);
    let entry = added(&hub, before).await;
    tells(&entry, definition, &id, &answer);
    assert_eq!(entry["outcome"], "denied", "{}", definition.name);
    assert_eq!(entry["error"], "forbidden", "{}", definition.name);
    assert_eq!(hub.get("/api/combos").await.text, versions, "{}: nothing was done", definition.name);
}

async fn without_a_key(definition: &'static Definition) {
    let hub = seeded().await;
    let before = log(&hub).await.len();
    for (key, code) in [(None, "missing_api_key"), (Some("tvm_nobody"), "invalid_api_key")] {
        let answer = hub.send(example(definition, key)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}: {}", definition.name, answer.text);
        assert_eq!(answer.code(), code, "{}", definition.name);
    }
    assert_eq!(log(&hub).await.len(), before, "{}: nobody is noted", definition.name);
}

#[tokio::test]
async fn the_right_of_an_operation_is_enough() {
    for definition in Definition::all() {
        with_just_the_right(definition).await;
    }
}

#[tokio::test]
async fn every_other_right_is_not() {
    for definition in Definition::all() {
        with_every_other_right(definition).await;
    }
}

#[tokio::test]
async fn without_a_key_nothing_can_be_asked() {
    for definition in Definition::all() {
        without_a_key(definition).await;
    }
}

#[tokio::test]
async fn examples_work_on_a_hub_that_has_what_they_name() {
    // These name a request that nobody made, a key that is there already, and logins that nobody began.
    let beyond = [
        routing::Explain::NAME,
        traces::Get::NAME,
        keys::Create::NAME,
        oauth::Finish::NAME,
        oauth::Status::NAME,
        oauth::Logout::NAME,
        // These want a store that has files, which this hub has not.
        backups::Create::NAME,
        backups::Verify::NAME,
        backups::Delete::NAME,
        // Nobody has asked anything in this session.
        affinity::Forget::NAME,
        // Nothing is hidden.
        models::Show::NAME,
    ];
    let mut failed = Vec::new();
    for definition in Definition::all().iter().filter(|one| !beyond.contains(&one.name)) {
        let hub = seeded().await;
        if definition.name.ends_with("_suggestion") {
            // What it names follows from what the simulator lists and the connection of the examples does not.
            let found = hub.json(http::Method::POST, "/api/diagnosis", json!({"connection": "groq-2"})).await;
            assert!(found.status.is_success(), "{}", found.text);
        }
        let answer = hub.send(example(definition, Some(super::support::KEY))).await;
        if answer.status.as_u16() != definition.route.status {
            failed.push(format!("{}: {} {}", definition.name, answer.status, answer.text));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[tokio::test]
async fn a_denied_change_is_noted_with_secrets_masked() {
    let hub = seeded().await;
    let (_, secret) = key(&hub, "reader", &[Scope::ReadAudit].into()).await;
    let body = json!({"type": "groq", "api_key": "gsk_CaNaRy7f3e", "models": ["x"]}).to_string();
    let request = Request::put("/api/connections/mine").header("authorization", format!("Bearer {secret}"));
    let answer = hub.send(request.body(Body::from(body)).unwrap()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let text = hub.get("/api/audit").await.text;
    assert!(text.contains("\"mine\"") && !text.contains("CaNaRy7f3e"), "{text}");
}
