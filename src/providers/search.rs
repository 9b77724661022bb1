//! A web search in the form that a provider of the chat dialect takes.

use bytes::Bytes;
use canon::Dialect;
use openai::chat::{self, Changes};
use serde_json::{Map, Value, json};

use crate::engine::{
    ports::Call,
    settings::{Quirk, WebSearch},
};

/// The body with its web-search tool in the provider's own form; `None` for requests that did not come by the route
/// that forces one, and where the target does not speak chat.
pub(super) fn in_own_form(call: &Call) -> Option<Bytes> {
    if !call.request.searches || call.target.dialect != Dialect::Chat {
        return None;
    }
    let provider = &call.target.connection.provider;
    let mut body: Map<String, Value> = serde_json::from_slice(&call.request.body).ok()?;
    // Who tagged the model said that it can; OpenAI's form is the most likely one.
    let form = provider.web_search.unwrap_or(WebSearch::Options);
    if form != WebSearch::Tool {
        without_tool(&mut body);
    }
    match form {
        WebSearch::Tool | WebSearch::Always => {}
        WebSearch::Options => put(&mut body, "web_search_options", json!({})),
        WebSearch::Plugin => put(&mut body, "plugins", json!([{"id": "web"}])),
        WebSearch::Parameters => put(&mut body, "search_parameters", json!({"mode": "on"})),
        WebSearch::Compound => {
            put(&mut body, "compound_custom", json!({"tools": {"enabled_tools": ["web_search"]}}));
        }
    }
    let body = Bytes::from(Value::Object(body).to_string());
    let facts = chat::scan(&body).ok()?;
    let include_usage = !provider.quirks.contains(&Quirk::NoStreamOptions);
    Some(chat::apply(&body, &facts, Changes { model: &call.target.model, include_usage }).0)
}

/// What the client said itself stays.
fn put(body: &mut Map<String, Value>, name: &str, value: Value) {
    body.entry(name).or_insert(value);
}

/// Takes the search out of the tools, and the demand for it; other tools stay.
fn without_tool(body: &mut Map<String, Value>) {
    let is_search = |value: &Value| {
        value.get("type").and_then(Value::as_str).is_some_and(|kind| kind.starts_with("web_search"))
    };
    if body.get("tool_choice").is_some_and(is_search) {
        body.shift_remove("tool_choice");
    }
    let Some(tools) = body.get_mut("tools").and_then(Value::as_array_mut) else { return };
    tools.retain(|tool| !is_search(tool));
    if tools.is_empty() {
        body.shift_remove("tools");
    }
}
