//! Stored responses: shown, forgotten, cancelled, and what was asked in them.

use axum::http::Method;
use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::problem::Problem;
use super::super::route::Wanted;
use super::super::store::Memory;

/// Answers a request about the response of this id.
pub(in super::super) fn answer(
    memory: &mut Memory,
    key: &str,
    id: &str,
    wanted: Wanted,
    method: &Method,
    ascending: bool,
) -> Result<Value, Problem> {
    let not_found = || {
        let message = format!("Response with id '{id}' not found.");
        Problem::new(404, message, "invalid_request_error", None, None)
    };
    match wanted {
        Wanted::Itself if method == Method::DELETE => {
            if !memory.forget(key, id) {
                return Err(not_found());
            }
            Ok(json!({"id": id, "object": "response", "deleted": true}))
        }
        Wanted::Itself => memory.response(key, id).map(|stored| stored.body.clone()).ok_or_else(not_found),
        Wanted::Input => {
            let stored = memory.response(key, id).ok_or_else(not_found)?;
            let mut items: Vec<Value> =
                stored.input.iter().enumerate().map(|(at, item)| shown(id, at, item)).collect();
            if !ascending {
                items.reverse();
            }
            let end = |item: Option<&Value>| item.map_or(Value::Null, |item| item["id"].clone());
            let (first, last) = (end(items.first()), end(items.last()));
            Ok(
                json!({"object": "list", "data": items, "first_id": first, "last_id": last, "has_more": false}),
            )
        }
        Wanted::Cancel => {
            let stored = memory.response_mut(key, id).ok_or_else(not_found)?;
            if stored.body["background"] != true {
                return Err(Problem::invalid("Cannot cancel a synchronous response."));
            }
            stored.body["status"] = json!("cancelled");
            stored.body["output"] = json!([]);
            Ok(stored.body.clone())
        }
    }
}

/// An item as it is listed: with an id, and texts in parts.
fn shown(response: &str, at: usize, item: &Value) -> Value {
    let mut shown = item.clone();
    if shown.get("type").is_none() {
        shown["type"] = json!("message");
    }
    let message = shown["type"] == "message";
    if shown.get("id").is_none() {
        let prefix = if message { "msg_" } else { "item_" };
        let id = Dice::new(0, &[response.as_bytes(), &(at as u64).to_le_bytes()]).id(prefix, 48);
        shown["id"] = json!(id);
    }
    if message {
        shown["status"] = json!("completed");
        if let Some(text) = shown["content"].as_str().map(str::to_owned) {
            let kind = if shown["role"] == "assistant" { "output_text" } else { "input_text" };
            shown["content"] = json!([{"type": kind, "text": text}]);
        }
    }
    shown
}
