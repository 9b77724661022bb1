//! What Anthropic refuses is refused, and what it accepts is not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::seal;
use super::super::speech::{Context, Speech as _};
use super::super::store::Memory;
use super::MessagesRequest;
use crate::simulator::Behaviour;

fn read(body: &Value) -> Result<MessagesRequest, Problem> {
    let context =
        Context { key: "k", betas: "", behaviour: &Behaviour::ok(), memory: &Mutex::<Memory>::default() };
    MessagesRequest::read(body.to_string().as_bytes(), &context)
}

fn with(change: &Value) -> Value {
    let mut body =
        json!({"model": "m", "max_tokens": 5_000, "messages": [{"role": "user", "content": "hi"}]});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

fn refused(change: &Value, says: &str) {
    let problem = read(&with(change)).map(|_| change).unwrap_err();
    assert_eq!(problem.status, 400);
    assert!(problem.message.contains(says), "{change}: {}", problem.message);
}

fn accepted(change: &Value) -> MessagesRequest {
    read(&with(change)).unwrap()
}

fn talk(messages: &Value) -> Value {
    json!({"messages": messages})
}

fn user(content: &Value) -> Value {
    json!({"role": "user", "content": content})
}

fn model(content: &Value) -> Value {
    json!({"role": "assistant", "content": content})
}

fn used(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "sun", "input": {}})
}

fn result(id: &str) -> Value {
    json!({"type": "tool_result", "tool_use_id": id, "content": "sunny"})
}

fn thought(text: &str, maker: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": seal::seal(maker, "thinking", text)})
}

#[test]
fn fields_are_checked() {
    for (change, says) in [
        (json!({"max_tokens": null}), "max_tokens"),
        (json!({"max_tokens": 0}), "max_tokens: Input should be greater than or equal to 1"),
        (json!({"n": 2}), "n: Extra inputs are not permitted"),
        (json!({"temperature": 1.5}), "temperature: range: 0..1"),
        (json!({"stop_sequences": [" "]}), "stop_sequences"),
        (json!({"stream": "yes"}), "stream: Input should be a valid boolean"),
        (json!({"tool_choice": {"type": "auto"}}), "tool_choice"),
        (json!({"output_config": {"effort": "some"}}), "output_config.effort"),
        (
            json!({"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}}),
            "output_config.format.schema",
        ),
        (json!({"metadata": {"user": 1}}), "metadata.user: Extra inputs are not permitted"),
    ] {
        refused(&change, says);
    }
    let mut missing = with(&json!({}));
    missing.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(read(&missing).unwrap_err().message, "max_tokens: Field required");
}

#[test]
fn messages_have_an_order_and_a_content() {
    let hi = user(&json!("hi"));
    for (messages, says) in [
        (json!([]), "at least one message"),
        (json!([model(&json!("hi"))]), "first message must use"),
        (json!([{"role": "king", "content": "hi"}]), "messages.0.role"),
        (json!([{"role": "user", "content": "hi", "name": "x"}]), "messages.0.name: Extra inputs"),
        (json!([user(&json!(""))]), "non-empty content"),
        (json!([user(&json!([{"type": "text", "text": ""}]))]), "text content blocks must be non-empty"),
        (json!([user(&json!([{"type": "text", "text": "\n"}]))]), "non-whitespace"),
        (json!([user(&json!([{"type": "words", "text": "hi"}]))]), "Input tag 'words'"),
        (json!([user(&json!([used("a")]))]), "can only be in `assistant`"),
        (json!([hi, model(&json!("so "))]), "trailing whitespace"),
        (
            json!([user(
                &json!([{"type": "image", "source": {"type": "base64", "media_type": "image/tiff", "data": "aa"}}])
            )]),
            "media_type",
        ),
    ] {
        refused(&talk(&messages), says);
    }
    let system = json!({"role": "system", "content": "be short"});
    let read = accepted(&talk(&json!([hi, system])));
    assert_eq!(read.ask().user(), Some("hi"));
}

#[test]
fn uses_and_results_belong_together() {
    let hi = user(&json!("weather?"));
    let two = model(&json!([{"type": "text", "text": "so"}, used("a"), used("b")]));
    let done = user(&json!([result("b"), result("a"), {"type": "text", "text": "and?"}]));
    assert_eq!(accepted(&talk(&json!([hi, two, done]))).ask().lines.len(), 5);
    let one = model(&json!([used("a")]));
    for (messages, says) in [
        (json!([user(&json!([result("a")]))]), "messages.0.content.0: unexpected `tool_use_id`"),
        (
            json!([hi, two]),
            "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: a, b",
        ),
        (json!([hi, two, user(&json!([result("b")]))]), "immediately after: a."),
        (
            json!([hi, one, user(&json!([{"type": "text", "text": "so"}, result("a")]))]),
            "immediately after: a",
        ),
        (
            json!([hi, one, user(&json!([result("a")])), user(&json!([result("a")]))]),
            "unexpected `tool_use_id`",
        ),
        (
            json!([hi, one, {"role": "system", "content": "x"}, user(&json!([result("a")]))]),
            "immediately after",
        ),
        (
            json!([hi, one, user(&json!([result("a")])), one, user(&json!([result("a")]))]),
            "ids must be unique",
        ),
        (json!([hi, model(&json!([used("a.b")]))]), "String should match pattern '^[a-zA-Z0-9_-]+$'"),
    ] {
        refused(&talk(&messages), says);
    }
}

#[test]
fn tools_have_rules() {
    let tool = |name: &str| json!({"name": name, "input_schema": {"type": "object"}});
    for (tools, says) in [
        (json!([tool("a b")]), "tools.0.custom.name"),
        (json!([tool(&"a".repeat(129))]), "{1,128}"),
        (json!([{"name": "a"}]), "tools.0.custom.input_schema: Field required"),
        (json!([{"name": "a", "input_schema": {"type": "string"}}]), "Input should be 'object'"),
        (json!([{"name": "a", "input_schema": {"type": "object", "anyOf": []}}]), "top level"),
        (json!([{"type": "function", "name": "a"}]), "Input tag 'function'"),
        (json!([{"name": "a", "parameters": {}, "input_schema": {"type": "object"}}]), "Extra inputs"),
        (json!([tool("a"), tool("a")]), "unique"),
    ] {
        refused(&json!({"tools": tools}), says);
    }
    refused(&json!({"tools": [tool("a")], "tool_choice": {"type": "tool", "name": "b"}}), "not found");
    let search = json!({"type": "web_search_20250305", "name": "web_search", "max_uses": 3});
    assert_eq!(accepted(&json!({"tools": [search, tool("a")]})).ask().tools.len(), 1);
}

#[test]
fn thinking_has_rules() {
    let on = json!({"type": "enabled", "budget_tokens": 2_000});
    assert!(accepted(&json!({"thinking": on})).ask().thinks);
    assert!(accepted(&json!({"thinking": {"type": "adaptive", "display": "omitted"}})).ask().thinks);
    assert!(!accepted(&json!({"thinking": {"type": "disabled"}})).ask().thinks);
    let tools = json!([{"name": "a", "input_schema": {"type": "object"}}]);
    for (change, says) in [
        (json!({"thinking": {"type": "enabled", "budget_tokens": 1_000}}), "greater than or equal to 1024"),
        (json!({"thinking": {"type": "enabled", "budget_tokens": 5_000}}), "`max_tokens` must be greater"),
        (json!({"thinking": {"type": "enabled"}}), "Field required"),
        (json!({"thinking": on, "temperature": 0.5}), "`temperature`"),
        (json!({"thinking": on, "top_k": 5}), "`top_k`"),
        (json!({"thinking": on, "tools": tools, "tool_choice": {"type": "any"}}), "forces tool use"),
        (
            json!({"thinking": on, "messages": [user(&json!("hi")), model(&json!([used("a")])), user(&json!([result("a")]))]}),
            "messages.1.content.0.type: Expected `thinking`",
        ),
    ] {
        refused(&change, says);
    }
}

#[test]
fn thinking_comes_back_unchanged() {
    let talk_with = |block: Value| {
        talk(&json!([user(&json!("hi")), model(&json!([block, used("a")])), user(&json!([result("a")]))]))
    };
    accepted(&talk_with(thought("so", "anthropic")));
    accepted(&talk_with(thought("", "anthropic")));
    let mut altered = thought("so", "anthropic");
    altered["thinking"] = json!("so so");
    let bare = json!({"type": "thinking", "thinking": "so"});
    for block in [thought("so", "other"), altered, bare] {
        refused(&talk_with(block), "messages.1.content.0: Invalid `signature` in `thinking` block");
    }
    accepted(&talk_with(
        json!({"type": "redacted_thinking", "data": seal::token("anthropic", "redacted_thinking", 3)}),
    ));
    refused(&talk_with(json!({"type": "redacted_thinking", "data": "x"})), "Invalid `data`");
    refused(
        &talk(&json!([user(&json!("hi")), model(&json!([thought("so", "anthropic")]))])),
        "cannot be `thinking`",
    );
}

#[test]
fn marks_are_counted() {
    let marked = json!({"type": "text", "text": "so", "cache_control": {"type": "ephemeral"}});
    let blocks = |n| user(&Value::from(vec![marked.clone(); n]));
    assert_eq!(accepted(&talk(&json!([blocks(4)]))).ask().cache.len(), 4);
    refused(&talk(&json!([blocks(5)])), "A maximum of 4 blocks with cache_control may be provided. Found 5.");
    let system = json!({"system": [marked], "messages": [blocks(4)]});
    refused(&system, "Found 5.");
    let hourly = json!({"type": "text", "text": "so", "cache_control": {"type": "ephemeral", "ttl": "2h"}});
    refused(&talk(&json!([user(&json!([hourly]))])), "ttl");
}
