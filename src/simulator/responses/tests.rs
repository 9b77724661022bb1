//! What OpenAI refuses is refused, and what it accepts is not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::seal;
use super::super::speech::{Context, Speech as _};
use super::super::store::Memory;
use super::{REASONING, ResponsesRequest};
use crate::simulator::Behaviour;

fn read(body: &Value) -> Result<ResponsesRequest, Problem> {
    let context =
        Context { key: "k", betas: "", behaviour: &Behaviour::ok(), memory: &Mutex::<Memory>::default() };
    ResponsesRequest::read(body.to_string().as_bytes(), &context)
}

fn with(change: &Value) -> Value {
    let mut body = json!({"model": "m", "input": "hi"});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

/// The refusal's parameter and code.
fn refused(change: &Value) -> (String, String, String) {
    let problem = read(&with(change)).map(|_| change).unwrap_err();
    let error = problem.openai();
    let text = |name: &str| error[name].as_str().unwrap_or("").to_owned();
    (text("param"), text("code"), text("message"))
}

fn accepted(change: &Value) -> ResponsesRequest {
    read(&with(change)).unwrap()
}

fn input(items: &Value) -> Value {
    json!({"input": items})
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "id": "fc_1", "call_id": id, "name": "sun", "arguments": "{}"})
}

fn output(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "sunny"})
}

fn reasoning(key: &str) -> Value {
    json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal::token(key, REASONING, 4)})
}

#[test]
fn parameters_are_known_or_refused() {
    for (change, param, code) in [
        (json!({"max_tokens": 5}), "max_tokens", "unknown_parameter"),
        (json!({"stop": ["x"]}), "stop", "unknown_parameter"),
        (json!({"messages": []}), "messages", "unknown_parameter"),
        (json!({"reasoning": {"budget": 5}}), "reasoning.budget", "unknown_parameter"),
        (json!({"reasoning": {"effort": "much"}}), "reasoning.effort", "invalid_value"),
        (json!({"include": ["all"]}), "include[0]", "invalid_value"),
        (json!({"max_output_tokens": 5}), "max_output_tokens", "below_min_value"),
        (json!({"temperature": 3}), "temperature", "above_max_value"),
        (json!({"stream": "yes"}), "stream", "invalid_type"),
        (
            json!({"text": {"format": {"type": "json_schema", "schema": {}}}}),
            "text.format.name",
            "missing_required_parameter",
        ),
        (json!({"input": null}), "input", "missing_required_parameter"),
        (json!({"previous_response_id": "resp_1"}), "previous_response_id", "previous_response_not_found"),
    ] {
        let (got_param, got_code, message) = refused(&change);
        assert_eq!((got_param.as_str(), got_code.as_str()), (param, code), "{change}: {message}");
    }
    assert!(refused(&json!({"text": {"format": {"type": "json_object"}}})).2.contains("the word 'json'"));
    let strict = json!({"type": "json_schema", "name": "x", "strict": true, "schema": {"type": "object", "properties": {"a": {}}}});
    assert_eq!(refused(&json!({"text": {"format": strict}})).1, "invalid_json_schema");
}

#[test]
fn items_have_a_shape() {
    let long = "c".repeat(65);
    for (item, param, code) in [
        (json!({"role": "tool", "content": "x"}), "input[0]", "invalid_value"),
        (json!({"type": "words"}), "input[0]", "invalid_value"),
        (
            json!({"role": "user", "content": "x", "cache_control": {}}),
            "input[0].cache_control",
            "unknown_parameter",
        ),
        (
            json!({"role": "user", "content": [{"type": "output_text", "text": "x"}]}),
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            json!({"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}),
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            json!({"role": "user", "content": [{"type": "text", "text": "x"}]}),
            "input[0].content[0]",
            "invalid_value",
        ),
        (json!({"role": "user", "id": "m1", "content": "x"}), "input[0].id", "invalid_value"),
        (call(&long), "input[0].call_id", "string_above_max_length"),
        (
            json!({"type": "function_call", "id": "call_1", "call_id": "c", "name": "a", "arguments": "{}"}),
            "input[0].id",
            "invalid_value",
        ),
        (
            json!({"type": "function_call", "call_id": "c", "name": "a.b", "arguments": "{}"}),
            "input[0].name",
            "invalid_value",
        ),
        (
            json!({"type": "custom_tool_call", "id": "fc_1", "call_id": "c", "name": "a", "input": "x"}),
            "input[0].id",
            "invalid_value",
        ),
        (json!({"type": "reasoning", "id": "rs_1"}), "input[0].summary", "missing_required_parameter"),
    ] {
        let (got_param, got_code, message) = refused(&input(&json!([item])));
        assert_eq!((got_param.as_str(), got_code.as_str()), (param, code), "{item}: {message}");
    }
}

#[test]
fn calls_and_outputs_belong_together() {
    let lines = accepted(&input(&json!([user("weather?"), call("a"), call("b"), output("b"), output("a")])));
    assert_eq!(lines.ask().lines.len(), 4, "two calls in a row are one message of the model");
    let custom = json!({"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "x"});
    accepted(&input(
        &json!([custom, {"type": "custom_tool_call_output", "call_id": "a", "output": [{"type": "input_text", "text": "x"}]}]),
    ));
    for (items, says) in [
        (json!([output("a")]), "No tool call found for function call output with call_id a."),
        (json!([call("a")]), "No tool output found for function call a."),
        (json!([output("a"), call("a")]), "No tool call found"),
        (json!([custom, output("a")]), "No tool call found for function call output"),
    ] {
        assert!(refused(&input(&items)).2.contains(says), "{items}");
    }
}

#[test]
fn reasoning_is_ones_own_and_is_followed() {
    accepted(&input(&json!([reasoning("k"), call("a"), output("a")])));
    accepted(&input(&json!([reasoning("k"), {"role": "assistant", "content": "so"}, user("and?")])));
    let foreign = refused(&input(&json!([reasoning("other"), call("a"), output("a")])));
    assert_eq!(foreign.1, "invalid_encrypted_content");
    let alone = refused(&input(&json!([reasoning("k"), user("hi")])));
    assert!(alone.2.contains("without its required following item"));
    assert!(refused(&input(&json!([reasoning("k")]))).2.contains("following item"));
    let bare = json!({"type": "reasoning", "id": "rs_1", "summary": []});
    assert!(refused(&input(&json!([bare, call("a"), output("a")]))).2.contains("not persisted"));
}

#[test]
fn tools_have_rules() {
    let function = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    for (change, param, code) in [
        (
            json!({"tools": [{"type": "function", "function": {"name": "a"}}]}),
            "tools[0].name",
            "missing_required_parameter",
        ),
        (json!({"tools": [function("a b")]}), "tools[0].name", "invalid_value"),
        (json!({"tools": [{"type": "thing"}]}), "tools[0].type", "invalid_value"),
        (
            json!({"tools": [{"type": "function", "name": "a", "cache_control": {}}]}),
            "tools[0].cache_control",
            "unknown_parameter",
        ),
        (json!({"tool_choice": "required"}), "tool_choice", ""),
        (
            json!({"tools": [function("a")], "tool_choice": {"type": "function", "name": "b"}}),
            "tool_choice",
            "",
        ),
    ] {
        let (got_param, got_code, message) = refused(&change);
        assert_eq!((got_param.as_str(), got_code.as_str()), (param, code), "{change}: {message}");
    }
    accepted(&json!({"tools": [], "tool_choice": "auto"}));
    let space = json!({"type": "namespace", "name": "box", "description": "x", "tools": [function("a"), {"type": "custom", "name": "b"}]});
    let read = accepted(&json!({"tools": [space, {"type": "web_search"}, {"type": "tool_search"}]}));
    let names: Vec<_> =
        read.ask().tools.iter().map(|tool| (tool.namespace.as_deref(), tool.custom)).collect();
    assert_eq!(names, [(Some("box"), false), (Some("box"), true)]);
    let late =
        input(&json!([user("hi"), {"type": "additional_tools", "role": "developer", "tools": [space]}]));
    assert_eq!(accepted(&late).ask().tools.len(), 2);
}
