//! Every tool with its right, with every other and with none: what is listed, what is done, and what both logs say. The
//! tables are made from the definitions, so that a new operation is tested by being there.

use std::{collections::BTreeSet, time::Duration};

use axum::body::Body;
use http::{Method, Request};
use operations::{Definition, Scope};
use serde_json::{Value, json};

use super::{
    agents::{by, key},
    mcp_client::{Client, opening},
    operations::{needed, seeded},
    own,
    support::{KEY, TestHub},
};

/// The arguments of a tool's example.
fn example(definition: &Definition) -> Value {
    let mut args: Value = serde_json::from_str(definition.example).unwrap();
    if definition.hints.destructive {
        args["confirm"] = true.into();
    }
    args
}

fn names(tools: &[Value]) -> BTreeSet<String> {
    let named = tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned());
    named.filter(|name| name != "search_tools").collect()
}

fn words(scopes: impl IntoIterator<Item = Scope>) -> Vec<&'static str> {
    scopes.into_iter().map(Scope::as_str).collect()
}

/// The newest call on record.
async fn newest(hub: &TestHub) -> Value {
    hub.get("/api/mcp/audit?limit=1").await.json()["calls"][0].clone()
}

/// The newest entry of the audit log.
async fn noted(hub: &TestHub) -> Value {
    hub.get("/api/audit?limit=1").await.json()["entries"][0].clone()
}

/// Whether a value is what a schema says: the part of JSON Schema that the operations use.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let Some(schema) = schema.as_object() else { return Ok(()) };
    if let Some(at) = schema.get("$ref").and_then(Value::as_str) {
        let there = root.pointer(at.trim_start_matches('#')).ok_or(format!("{at} leads nowhere"))?;
        fits(value, there, root)?;
    }
    for inner in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        fits(value, inner, root)?;
    }
    for any in ["anyOf", "oneOf"] {
        let Some(all) = schema.get(any).and_then(Value::as_array) else { continue };
        if !all.iter().any(|inner| fits(value, inner, root).is_ok()) {
            return Err(format!("{value} is none of {all:?}"));
        }
    }
    let is = |kind: &str| match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    let right = match schema.get("type") {
        Some(Value::String(kind)) => is(kind),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    let listed = schema.get("enum").and_then(Value::as_array).is_none_or(|all| all.contains(value));
    if !right || !listed || schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{value} is not {schema:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        fits(item, schema.get("items").unwrap_or(&Value::Null), root)?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
        if !object.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    let properties = schema.get("properties");
    for (name, value) in object {
        let other = schema.get("additionalProperties").unwrap_or(&Value::Null);
        let inner = properties.and_then(|all| all.get(name)).unwrap_or(other);
        fits(value, inner, root).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

#[test]
fn the_check_of_schemas_finds_what_is_wrong() {
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": {"a": {"$ref": "#/$defs/word"}, "b": {"type": ["integer", "null"]}, "c": {"items": {"const": 1}}},
        "$defs": {"word": {"enum": ["x", "y"]}}
    });
    let right = |value: Value| fits(&value, &schema, &schema).is_ok();
    assert!(right(json!({"a": "x", "b": null, "c": [1]})));
    for wrong in
        [json!([]), json!({}), json!({"a": "z"}), json!({"a": "x", "b": 1.5}), json!({"a": "x", "c": [2]})]
    {
        assert!(!right(wrong.clone()), "{wrong}");
    }
}

#[tokio::test]
async fn its_right_is_enough_and_it_answers_what_its_schema_says() {
    let (mut answered, mut wrong) = (0, Vec::new());
    for definition in Definition::all() {
        let hub = seeded().await;
        let (id, secret) = key(&hub, "exact", &words(needed(definition)), json!({})).await;
        let client = Client::open(&hub, &secret).await;
        let tools = client.tools().await;
        let tool = tools.iter().find(|tool| tool["name"] == definition.name);
        let Some(tool) = tool else { panic!("{} is not listed", definition.name) };
        let result = client.call(definition.name, example(definition)).await;
        let text = result.to_string();
        let call = newest(&hub).await;
        assert_ne!(call["outcome"], "denied", "{}: {text}", definition.name);
        let told = (&call["tool"], &call["caller"], &call["scope"], &call["transport"]);
        let expected =
            (&json!(definition.name), &json!(id), &json!(definition.scope.as_str()), &json!("http"));
        assert_eq!(told, expected, "{call}");
        assert_eq!((&call["client"], &call["client_version"]), (&json!("agent"), &json!("1.2")), "{call}");
        assert!(call["result_bytes"].as_u64() > Some(0), "{call}");
        let done = result["isError"] != true && result.get("code").is_none();
        assert_eq!(call["outcome"], if done { "ok" } else { "error" }, "{}: {text}", definition.name);
        assert_eq!(call["error"].is_string(), !done, "{call}");
        if !definition.hints.read_only {
            let entry = noted(&hub).await;
            assert_eq!((&entry["operation"], &entry["surface"]), (&call["tool"], &json!("mcp")), "{entry}");
        }
        if done {
            answered += 1;
            let schema = &tool["outputSchema"];
            if let Err(error) = fits(&result["structuredContent"], schema, schema) {
                wrong.push(format!("{}: {error}", definition.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered * 10 > Definition::all().len() * 8, "{answered} of {}", Definition::all().len());
}

#[tokio::test]
async fn every_other_right_is_not_and_none_is_nothing() {
    let hub = seeded().await;
    let all: BTreeSet<String> = Definition::all().iter().map(|one| one.name.to_owned()).collect();
    assert_eq!(names(&Client::open(&hub, KEY).await.tools().await), all);
    for scope in Scope::ALL {
        let others = Scope::ALL.into_iter().filter(|other| *other != scope);
        let (id, secret) = key(&hub, &format!("no-{}", scope as u8), &words(others), json!({})).await;
        let client = Client::open(&hub, &secret).await;
        let listed = names(&client.tools().await);
        for definition in Definition::all().iter() {
            assert_eq!(listed.contains(definition.name), definition.scope != scope, "{}", definition.name);
        }
        for definition in Definition::all().iter().filter(|one| one.scope == scope) {
            let result = client.call(definition.name, example(definition)).await;
            assert_eq!(result["isError"], true, "{}: {result}", definition.name);
            assert!(result.to_string().contains("insufficient_scope"), "{result}");
            let (call, entry) = (newest(&hub).await, noted(&hub).await);
            let told = (&call["tool"], &call["outcome"], &call["error"], &call["caller"]);
            let expected = (&json!(definition.name), &json!("denied"), &json!("forbidden"), &json!(id));
            assert_eq!(told, expected, "{call}");
            assert!(call.get("arguments").is_none(), "anybody can be denied a lot: {call}");
            assert_eq!(
                (&entry["operation"], &entry["outcome"]),
                (&call["tool"], &call["outcome"]),
                "{entry}"
            );
        }
    }
    // A key must hold something: what it holds is not in the catalogue of management.
    let (_, bare) = key(&hub, "bare", &["execute:search"], json!({})).await;
    let listed = names(&Client::open(&hub, &bare).await.tools().await);
    assert_eq!(listed, ["web_search".to_owned()].into());
    assert_eq!(hub.get("/api/mcp/audit/verify").await.json()["whole"], true);
}

#[tokio::test]
async fn the_list_of_a_key_bounds_what_it_sees_finds_and_calls() {
    let hub = seeded().await;
    let scopes = words(Scope::ALL);
    let (id, secret) = key(&hub, "narrow", &scopes, json!({"tools": ["get_*", "list_tools"]})).await;
    let client = Client::open(&hub, &secret).await;
    let listed = names(&client.tools().await);
    assert!(listed.contains("get_health") && listed.contains("list_tools"), "{listed:?}");
    assert!(listed.iter().all(|name| name.starts_with("get_") || name == "list_tools"), "{listed:?}");
    let found = client.call("search_tools", json!({"query": "combos", "limit": 50})).await;
    let found = names(found["structuredContent"]["tools"].as_array().unwrap());
    assert!(found.iter().all(|name| listed.contains(name)), "{found:?}");
    let told = client.call("list_tools", json!({})).await;
    let callable = |tool: &&Value| tool["callable"] == true;
    let told: Vec<Value> =
        told["structuredContent"]["tools"].as_array().unwrap().iter().filter(callable).cloned().collect();
    assert_eq!(names(&told), listed);

    let refused = client.call("delete_combo", json!({"name": "smart"})).await;
    assert!(refused.to_string().contains("tool_not_allowed"), "{refused}");
    let (call, entry) = (newest(&hub).await, noted(&hub).await);
    assert_eq!((&call["outcome"], &call["error"]), (&json!("denied"), &json!("tool_not_allowed")), "{call}");
    assert_eq!(
        (&entry["outcome"], &entry["error"]),
        (&json!("denied"), &json!("tool_not_allowed")),
        "{entry}"
    );
    assert_eq!(entry["caller"], id);
    let read = async |uri: &str| client.send("resources/read", json!({"uri": uri})).await.text;
    assert!(!read("trivium://health").await.contains("error"));
    assert!(read("trivium://combos").await.contains("error"), "what `list_combos` answers");
    // It is about tools: over REST the scopes decide. And it can be taken away.
    assert_eq!(by(&hub, &secret, Method::GET, "/api/combos", Value::Null).await.status, 200);
    let shown = hub.get(&format!("/api/keys/{id}")).await.json();
    assert_eq!(shown["policy"]["tools"], json!(["get_*", "list_tools"]), "{shown}");
    let cleared = hub.json(Method::PATCH, &format!("/api/keys/{id}"), json!({"clear": ["tools"]})).await;
    assert_eq!(cleared.status, 200, "{}", cleared.text);
    assert!(names(&client.tools().await).contains("list_combos"));
}

#[tokio::test]
async fn the_record_tells_what_was_asked_and_not_what_was_said() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let client = Client::open(&hub, KEY).await;
    let said = json!({"model": "m", "messages": [{"role": "user", "content": "canary-word"}]});
    let routed = client.call("route_request", said).await;
    assert_ne!(routed["isError"], true, "{routed}");
    let made =
        json!({"id": "mine", "definition": {"type": "groq", "api_key": "gsk_CaNaRy7f3e", "models": ["x"]}});
    client.call("put_connection", made).await;
    client.call("no_such_tool", json!({"text": "canary-word"})).await;
    let (_, quiet) = key(&hub, "quiet", &["read:models"], json!({"no_log": true})).await;
    Client::open(&hub, &quiet).await.call("list_models", json!({"provider": "canary-word"})).await;

    let page = hub.get("/api/mcp/audit").await;
    assert!(!page.text.contains("canary-word") && !page.text.contains("CaNaRy7f3e"), "{}", page.text);
    let page = page.json();
    let calls = page["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 4, "{page}");
    assert_eq!((&calls[1]["tool"], &calls[1]["error"]), (&json!("no_such_tool"), &json!("unknown_tool")));
    let route = &calls[3];
    assert_eq!(route["caused"][0], routed["structuredContent"]["request_id"], "{route}");
    assert_eq!(route["arguments"]["model"], "m");
    assert_eq!(route["arguments_digest"].as_str().map(str::len), Some(64));
    assert!(calls[0].get("arguments_digest").is_none(), "{page}");
    assert!(
        client.session.starts_with(route["session"].as_str().unwrap()) && route["session"] != client.session
    );

    let of = |path: &'static str| hub.get(path);
    let failed = of("/api/mcp/audit?success=false&tool=no_such_tool").await.json();
    assert_eq!(failed["calls"].as_array().map(Vec::len), Some(1), "{failed}");
    let first = of("/api/mcp/audit?limit=1").await.json();
    let cursor = first["next_cursor"].as_u64().unwrap();
    let next = hub.get(&format!("/api/mcp/audit?limit=1&cursor={cursor}")).await.json();
    assert_eq!(next["calls"], of("/api/mcp/audit?limit=1&offset=1").await.json()["calls"]);
    assert_eq!(of("/api/mcp/audit?apiKeyId=env").await.json()["calls"].as_array().map(Vec::len), Some(3));
    let stats = of("/api/mcp/audit/stats").await.json();
    assert_eq!((&stats["total"]["calls"], &stats["total"]["error"]), (&json!(4), &json!(1)), "{stats}");
    assert_eq!(stats["success_rate"], 0.75, "{stats}");
    // Who called what is for those who may see the audit log.
    let (_, looker) = key(&hub, "looker", &["read:health"], json!({})).await;
    let status = by(&hub, &looker, Method::GET, "/api/mcp/status", Value::Null).await.json();
    assert!(status.get("recent").is_none() && status["scopes_enforced"] == true, "{status}");
    let status = of("/api/mcp/status").await.json();
    assert_eq!(
        (&status["sessions"]["standing"], &status["sessions"]["kept"]),
        (&json!(2), &json!(2)),
        "{status}"
    );
    assert_eq!(status["recent"].as_array().map(Vec::len), Some(4), "{status}");
}

#[tokio::test(start_paused = true)]
async fn switched_off_it_is_not_there_and_nothing_stands() {
    let hub = TestHub::builder().account("a", "sim-ok").build().await;
    let client = Client::open(&hub, KEY).await;
    let stream = Request::get("/mcp").header("host", "127.0.0.1").header("mcp-session-id", &client.session);
    let stream = hub.open(stream.body(Body::empty()).unwrap()).await;
    assert_eq!(stream.status(), 200);
    assert_eq!(hub.get("/api/mcp/status").await.json()["streams"], 1);
    let off = hub.json(Method::PUT, "/api/settings/mcp.enabled", json!({"value": "off"})).await;
    assert_eq!(off.status, 200, "{}", off.text);
    assert_eq!(opening(&hub, KEY).await.status, 404);
    assert_eq!(client.send("tools/list", json!({})).await.status, 404);
    let ended =
        tokio::time::timeout(Duration::from_secs(5), axum::body::to_bytes(stream.into_body(), 1 << 20));
    assert!(ended.await.is_ok(), "the stream stands on");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let status = hub.get("/api/mcp/status").await.json();
    let told = (&status["enabled"], &status["sessions"]["standing"], &status["streams"]);
    assert_eq!(told, (&json!(false), &json!(0), &json!(0)), "{status}");
    assert_eq!(hub.json(Method::DELETE, "/api/settings/mcp.enabled", json!({})).await.status, 200);
    assert_eq!(opening(&hub, KEY).await.status, 200);
}

#[tokio::test]
async fn omniroutes_names_work_where_they_are_switched_on() {
    let yaml = "mcp: {omniroute_aliases: on}\ncombos:\n  - {id: both, steps: [m]}\n";
    let hub = TestHub::builder().yaml(yaml).account("a", "sim-ok").build().await;
    let client = Client::open(&hub, KEY).await;
    let tested = client.call("omniroute_test_combo", json!({"comboId": "both", "dry_run": true})).await;
    assert_ne!(tested["isError"], true, "{tested}");
    assert_eq!(newest(&hub).await["tool"], "test_combo");
    let absent = client.call("omniroute_memory_add", json!({"key": "k", "content": "c"})).await;
    assert!(absent["isError"] == true && absent.to_string().contains("memories"), "{absent}");
    let off = TestHub::builder().account("a", "sim-ok").build().await;
    let unknown = Client::open(&off, KEY).await.call("omniroute_get_health", json!({})).await;
    assert_eq!(unknown["code"], -32602, "{unknown}");
}

/// Names of arguments that could mean somebody else, or something of somebody else's.
const NAMING: [&str; 10] =
    ["key", "caller", "holder", "owner", "session", "request_id", "budget", "name", "context", "id"];

#[tokio::test(start_paused = true)]
async fn no_argument_of_any_tool_shows_what_is_anothers() {
    let scene = own::scene().await;
    let client = Client::open(&scene.hub, &scene.one).await;
    let listed = names(&client.tools().await);
    let others = [scene.two_id.as_str(), &scene.request, &scene.session, &scene.task, "only-two"];
    let mut tried = 0;
    for definition in Definition::all().iter().filter(|one| one.hints.read_only && listed.contains(one.name))
    {
        let schema = definition.args_schema();
        let properties = schema["properties"].as_object().cloned().unwrap_or_default();
        let naming = properties.keys().filter(|name| NAMING.contains(&name.as_str()));
        let mut all = vec![example(definition)];
        for name in naming {
            for value in others {
                let mut args = example(definition);
                args[name.as_str()] = value.into();
                all.push(args);
            }
        }
        for args in all {
            let text = client.call(definition.name, args.clone()).await.to_string();
            for other in others {
                // That something is not there may be said in the words of who asked.
                let told = text.replace(&format!("`{other}`"), "");
                assert!(!told.contains(other), "{} with {args} tells of {other}: {text}", definition.name);
            }
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}
