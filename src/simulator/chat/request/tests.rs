//! What a chat request may say, and the error object for what it may not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::simulator::Behaviour;
use crate::simulator::store::Memory;

fn read_as(body: &[u8], quirks: &[Quirk]) -> Result<ChatRequest, Problem> {
    let behaviour = Behaviour { quirks: quirks.to_vec(), ..Behaviour::ok() };
    ChatRequest::read(
        body,
        &Context { key: "k", betas: "", behaviour: &behaviour, memory: &Mutex::<Memory>::default() },
    )
}

fn read(body: &Value) -> Result<ChatRequest, Problem> {
    read_as(body.to_string().as_bytes(), &[])
}

fn refusal(change: &Value) -> Value {
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let problem = read(&body).unwrap_err();
    assert_eq!(problem.status, 400);
    problem.openai()
}

#[test]
fn refusals_name_parameter_and_code() {
    for (change, param, code) in [
        (json!({"model": null}), Value::Null, Value::Null),
        (json!({"model": 7}), json!("model"), json!("invalid_type")),
        (json!({"messages": null}), json!("messages"), json!("missing_required_parameter")),
        (json!({"messages": "hi"}), json!("messages"), json!("invalid_type")),
        (json!({"messages": []}), json!("messages"), json!("empty_array")),
        (json!({"messages": ["hi"]}), json!("messages[0]"), json!("invalid_type")),
        (
            json!({"messages": [{"content": "hi"}]}),
            json!("messages[0].role"),
            json!("missing_required_parameter"),
        ),
        (
            json!({"messages": [{"role": "king", "content": "hi"}]}),
            json!("messages[0].role"),
            json!("invalid_value"),
        ),
        (json!({"messages": [{"role": "user"}]}), json!("messages[0].content"), json!("invalid_type")),
        (json!({"stream": "yes"}), json!("stream"), json!("invalid_type")),
        (json!({"stream_options": {}}), json!("stream_options"), Value::Null),
        (json!({"n": 0}), json!("n"), json!("below_min_value")),
        (json!({"n": 1.5}), json!("n"), json!("invalid_type")),
        (json!({"temperature": 3}), json!("temperature"), json!("above_max_value")),
        (json!({"max_tokens": -1}), json!("max_tokens"), json!("below_min_value")),
        (json!({"tools": {}}), json!("tools"), json!("invalid_type")),
    ] {
        let error = refusal(&change);
        assert_eq!((&error["param"], &error["code"]), (&param, &code), "{change}");
        assert_eq!(error["type"], "invalid_request_error");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for body in [&b"{"[..], b"[]", b"\xff", b""] {
        let problem = read_as(body, &[]).unwrap_err();
        assert!(problem.message.contains("could not parse the JSON body"));
    }
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "sun", "arguments": "{}"}})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "ok"})
}

fn talk(messages: &Value, quirks: &[Quirk]) -> Result<ChatRequest, Problem> {
    read_as(json!({"model": "m", "messages": messages}).to_string().as_bytes(), quirks)
}

#[test]
fn calls_and_results_belong_together() {
    let user = json!({"role": "user", "content": "hi"});
    let calls = json!({"role": "assistant", "content": null, "tool_calls": [call("a"), call("b")]});
    let good = talk(&json!([user, calls, result("b"), result("a")]), &[]).unwrap();
    assert_eq!(good.ask.last().map(|line| line.text.as_str()), Some("ok"));
    for (messages, says) in [
        (json!([result("a")]), "must be a response"),
        (json!([user, calls, result("c")]), "must be a response"),
        (json!([user, calls, result("a")]), "did not have response messages: b"),
        (json!([user, calls, user]), "did not have response messages: a, b"),
        (json!([user, calls, result("a"), user, result("b")]), "did not have response messages: b"),
    ] {
        let problem = talk(&messages, &[]).unwrap_err();
        assert!(problem.message.contains(says), "{}", problem.message);
    }
}

#[test]
fn tools_have_rules() {
    let tool = |name: &str| json!([{"type": "function", "function": {"name": name}}]);
    for (change, param) in [
        (json!({"tools": []}), "tools"),
        (json!({"tools": tool("a b")}), "tools[0].function.name"),
        (json!({"tools": tool(&"a".repeat(65))}), "tools[0].function.name"),
        (json!({"tool_choice": "auto"}), "tool_choice"),
        (json!({"parallel_tool_calls": true}), "parallel_tool_calls"),
        (json!({"reasoning_effort": "much"}), "reasoning_effort"),
    ] {
        assert_eq!(refusal(&change)["param"], param, "{change}");
    }
    let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tool("a")});
    body["parallel_tool_calls"] = json!(false);
    assert!(!read(&body).unwrap().ask.parallel);
}

#[test]
fn stricter_vendors_refuse_more() {
    let user = json!({"role": "user", "content": "hi"});
    let calls = |id: &str| json!([user, {"role": "assistant", "tool_calls": [call(id)]}, result(id)]);
    assert!(talk(&calls("abcdefghi"), &[Quirk::ToolIdNine]).is_ok());
    assert!(talk(&calls("call_abcd"), &[Quirk::ToolIdNine]).is_err());
    assert!(talk(&calls(&"a".repeat(41)), &[]).is_ok());
    assert!(talk(&calls(&"a".repeat(41)), &[Quirk::ToolIdForty]).is_err());
    let developer = json!([{"role": "developer", "content": "hi"}, user]);
    assert!(talk(&developer, &[]).is_ok());
    assert!(talk(&developer, &[Quirk::NoDeveloperRole]).is_err());
    for (field, quirk) in [
        (json!({"stream": true, "stream_options": {}}), Quirk::NoStreamOptions),
        (json!({"max_completion_tokens": 5}), Quirk::NoMaxCompletionTokens),
    ] {
        let mut body = json!({"model": "m", "messages": [user]});
        body.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
        assert!(read(&body).is_ok());
        assert!(read_as(body.to_string().as_bytes(), &[quirk]).is_err());
    }
}

#[test]
fn parts_are_read_as_text() {
    let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}]);
    let read = read(&json!({"model": "m", "messages": [{"role": "user", "content": parts}]})).unwrap();
    assert_eq!(read.ask.user(), Some("ab"));
    assert_eq!((read.ask.n, read.ask.stream, read.ask.max_tokens), (1, false, None));
}
