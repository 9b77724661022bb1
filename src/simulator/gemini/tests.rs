//! What Google refuses is refused, and what it accepts is not.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;

use serde_json::{Value, json};

use super::super::problem::Problem;
use super::super::speech::{Context, Speech as _};
use super::super::store::Memory;
use super::{GenerateRequest, signature};
use crate::simulator::Behaviour;

fn read_for(model: &str, body: &Value) -> Result<GenerateRequest, Problem> {
    let context =
        Context { key: "k", betas: "", behaviour: &Behaviour::ok(), memory: &Mutex::<Memory>::default() };
    GenerateRequest::read(body.to_string().as_bytes(), model, None, &context)
}

fn with(change: &Value) -> Value {
    let mut body = json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    body
}

fn refused(change: &Value, says: &str) {
    let problem = read_for("gemini-3-pro", &with(change)).map(|_| change).unwrap_err();
    assert_eq!(problem.status, 400);
    assert!(problem.message.contains(says), "{change}: {}", problem.message);
}

fn accepted(change: &Value) -> GenerateRequest {
    read_for("gemini-3-pro", &with(change)).unwrap()
}

fn user(parts: &Value) -> Value {
    json!({"role": "user", "parts": parts})
}

fn model(parts: &Value) -> Value {
    json!({"role": "model", "parts": parts})
}

fn called(name: &str) -> Value {
    let mut part = json!({"functionCall": {"name": name, "args": {}}});
    part["thoughtSignature"] = json!(signature::sign("google", &part, 5));
    part
}

fn bare(name: &str) -> Value {
    json!({"functionCall": {"name": name, "args": {}}})
}

fn response(name: &str) -> Value {
    json!({"functionResponse": {"name": name, "response": {"result": "sunny"}}})
}

fn talk(contents: &Value) -> Value {
    json!({"contents": contents})
}

#[test]
fn both_spellings_are_read_and_nothing_else() {
    let snake = json!({"system_instruction": {"parts": {"text": "be short"}}, "generation_config": {"max_output_tokens": 5}});
    let read = accepted(&snake);
    assert_eq!((read.ask().max_tokens, read.ask().lines.len()), (Some(5), 2));
    for (change, says) in [
        (
            json!({"messages": []}),
            "Invalid JSON payload received. Unknown name \"messages\": Cannot find field.",
        ),
        (
            json!({"generationConfig": {"max_tokens": 5}}),
            "Unknown name \"max_tokens\" at 'generation_config'",
        ),
        (talk(&json!([])), "contents is not specified"),
        (talk(&json!([{"role": "assistant", "parts": [{"text": "x"}]}])), "valid role"),
        (talk(&json!([{"role": "user", "parts": []}])), "must not be empty"),
        (talk(&json!([user(&json!([{"text": ""}]))])), "contents is not specified"),
        (talk(&json!([user(&json!([{}]))])), "required oneof field 'data'"),
        (
            talk(&json!([user(&json!([{"text": "a", "inlineData": {"mimeType": "b", "data": "aa"}}]))])),
            "already set",
        ),
        (talk(&json!([user(&json!([{"inlineData": {"data": "aa"}}]))])), "mime_type"),
        (json!({"generationConfig": {"temperature": 3}}), "temperature"),
        (
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "low"}}}),
            "only one of thinking budget",
        ),
        (json!({"generationConfig": {"responseSchema": {"type": "OBJECT"}}}), "response_mime_type"),
    ] {
        refused(&change, says);
    }
}

#[test]
fn schemas_are_a_part_of_open_api() {
    let tool =
        |schema: Value| json!({"tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]});
    accepted(&tool(json!({
        "type": "OBJECT",
        "properties": {"const": {"type": "string", "enum": ["a"]}, "$schema": {"type": "array", "items": {"type": "INTEGER"}}},
        "required": ["const"],
    })));
    for (schema, says) in [
        (
            json!({"type": "object", "$schema": "x"}),
            "Unknown name \"$schema\" at 'tools[0].function_declarations[0].parameters'",
        ),
        (json!({"type": "object", "additionalProperties": false}), "\"additionalProperties\""),
        (
            json!({"type": "object", "properties": {"a": {"const": 1}}}),
            "Unknown name \"const\" at 'tools[0].function_declarations[0].parameters.properties[0].value'",
        ),
        (json!({"type": ["string", "null"]}), "Proto field is not repeating"),
        (json!({"type": "thing"}), "Invalid value at"),
        (json!({"type": "array"}), "items: missing field"),
        (json!({"type": "object", "required": ["a"]}), "property is not defined"),
        (json!({"type": "string", "format": "uri"}), "only 'enum' and 'date-time'"),
        (json!({"type": "integer", "exclusiveMinimum": 1}), "exclusiveMinimum"),
    ] {
        refused(&tool(schema), says);
    }
    let free = json!({"name": "f", "parametersJsonSchema": {"type": ["object"], "$schema": "x", "additionalProperties": false}});
    accepted(&json!({"tools": [{"functionDeclarations": [free]}]}));
    refused(&json!({"tools": [{"functionDeclarations": [{"name": "a b"}]}]}), "Invalid function name");
    refused(&json!({"tools": [{"functionDeclarations": [{"name": "a"}, {"name": "a"}]}]}), "Duplicate");
    refused(
        &json!({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
        "without function_declarations",
    );
}

#[test]
fn calls_and_responses_belong_together() {
    let hi = user(&json!([{"text": "weather?"}]));
    let two = json!([called("a"), bare("b")]);
    accepted(&talk(&json!([hi, model(&two), user(&json!([response("b"), response("a")]))])));
    // A client that keeps each chunk as a turn of its own says the same.
    let apart = json!([
        hi,
        model(&json!([called("a")])),
        model(&json!([bare("b")])),
        user(&json!([response("a"), response("b")]))
    ]);
    accepted(&talk(&apart));
    for (contents, says) in [
        (json!([hi, model(&two)]), "number of function response parts"),
        (json!([hi, model(&two), user(&json!([response("a")]))]), "number of function response parts"),
        (json!([hi, model(&two), hi, user(&json!([response("a"), response("c")]))]), "match"),
        (json!([user(&json!([response("a")]))]), "function response turn comes immediately after"),
        (
            json!([model(&json!([called("a")])), user(&json!([response("a")]))]),
            "comes immediately after a user turn",
        ),
        (json!([user(&json!([called("a")]))]), "comes immediately after a user turn"),
    ] {
        refused(&talk(&contents), says);
    }
}

#[test]
fn signatures_are_wanted_back() {
    let hi = user(&json!([{"text": "weather?"}]));
    let done = user(&json!([response("a")]));
    let step = |part: &Value| json!([hi, model(&json!([part])), done]);
    let missing = talk(&step(&bare("a")));
    refused(&missing, "missing a thought_signature in functionCall parts");
    assert!(read_for("gemini-2.5-pro", &with(&missing)).is_ok(), "older models do not mind");
    let mut later = step(&bare("a"));
    later.as_array_mut().unwrap().push(hi.clone());
    accepted(&talk(&later));
    let mut skipped = bare("a");
    skipped["thoughtSignature"] = json!("skip_thought_signature_validator");
    accepted(&talk(&step(&skipped)));
    let mut moved = bare("a");
    moved["thoughtSignature"] = called("b")["thoughtSignature"].clone();
    refused(&talk(&step(&moved)), "Corrupted thought signature");
    let second = json!([hi, model(&json!([called("a")])), done, model(&json!([bare("a")])), done]);
    refused(&talk(&second), "missing a thought_signature");
}
