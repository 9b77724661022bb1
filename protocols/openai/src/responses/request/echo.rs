//! What a response object repeats of its request, with the documented defaults of what was not said.

use canon::Fields;
use serde_json::{Map, Value, json};

/// Reads it off a request that was not taken apart yet.
pub(super) fn of(request: &Fields) -> Map<String, Value> {
    let said = |name: &str| request.peek(name).filter(|value| !value.is_null()).cloned();
    let mut echo = defaults();
    for (name, value) in &mut echo {
        if let Some(own) = said(name) {
            *value = own;
        }
    }
    // `auto` is what one asks for; what one gets is a tier.
    if echo.get("service_tier").is_some_and(|tier| tier == "auto") {
        echo.insert("service_tier".to_owned(), "default".into());
    }
    if let Some(Value::Object(own)) = said("reasoning") {
        let mut reasoning = json!({ "effort": null, "summary": null });
        overlay(&mut reasoning, own);
        echo.insert("reasoning".to_owned(), reasoning);
    }
    if let Some(Value::Object(own)) = said("text") {
        let mut text = json!({ "format": { "type": "text" } });
        overlay(&mut text, own);
        echo.insert("text".to_owned(), text);
    }
    match said("conversation") {
        Some(Value::String(id)) => echo.insert("conversation".to_owned(), json!({ "id": id })),
        Some(other) => echo.insert("conversation".to_owned(), other),
        None => None,
    };
    echo.extend(said("prompt").map(|prompt| ("prompt".to_owned(), prompt)));
    echo
}

fn overlay(under: &mut Value, over: Map<String, Value>) {
    if let Value::Object(under) = under {
        under.extend(over);
    }
}

/// What a response object says where the request says nothing.
pub(in crate::responses) fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "background": false,
        "instructions": null,
        "max_output_tokens": null,
        "max_tool_calls": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "previous_response_id": null,
        "prompt_cache_key": null,
        "reasoning": { "effort": null, "summary": null },
        "safety_identifier": null,
        "service_tier": "default",
        "store": true,
        "temperature": 1.0,
        "text": { "format": { "type": "text" } },
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "user": null,
    });
    match defaults {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
