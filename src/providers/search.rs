//! A web search in the form that a provider of the chat dialect takes.

use bytes::Bytes;
use canon::{Dialect, Edit};
use openai::chat::{self, Changes};
use serde_json::{Map, Value, json};

use super::edit::Edited;
use crate::engine::{
    ports::Call,
    settings::{Quirk, WebSearch},
};

/// Whether a call came by the route that forces a search, to a target that speaks chat.
pub(super) fn has_own_form(call: &Call) -> bool {
    call.request.searches && call.target.dialect == Dialect::Chat
}

/// Puts the web-search tool of a body into the provider's own form.
pub(super) fn in_own_form(call: &Call, edited: &mut Edited) {
    let provider = &call.target.connection.provider;
    // The scan has seen an object; what is none stays as it is.
    let Ok(mut body) = serde_json::from_slice::<Map<String, Value>>(&edited.body) else { return };
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
    edited.body = Bytes::from(Value::Object(body).to_string());
    edited.edits.push(Edit::WebSearch);
    let Ok(facts) = chat::scan(&edited.body) else { return };
    let include_usage = !provider.quirks.contains(&Quirk::NoStreamOptions);
    let changes = Changes { model: &call.target.model, include_usage };
    let (body, edits) = chat::apply(&edited.body, &facts, changes);
    edited.body = body;
    edited.edits.extend(edits);
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
