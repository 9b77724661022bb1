//! Schemas as they are compared: what says nothing is left out.

use canon::{Tool, ToolKind};
use serde_json::{Map, Value, json};

/// Whether a schema describes the object into which free text is wrapped.
fn is_free_text(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|it| {
        it.len() == 1 && it.get("input").is_some_and(|input| input == &json!({"type": "string"}))
    })
}

/// A tool's schema: none where there are no arguments, and one word where they are free text.
pub(crate) fn normalise(tool: &mut Tool) {
    let ToolKind::Function { parameters, .. } = &mut tool.kind else { return };
    let Some(schema) = parameters else { return };
    if is_free_text(schema) {
        *schema = "free text".into();
    } else if schema.get("properties").and_then(Value::as_object).is_none_or(Map::is_empty) {
        *parameters = None;
    }
}

/// A schema without the word that closes its objects.
pub(crate) fn opened(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("additionalProperties") == Some(&Value::Bool(false)) {
                map.shift_remove("additionalProperties");
            }
            map.values_mut().for_each(opened);
        }
        Value::Array(list) => list.iter_mut().for_each(opened),
        _ => {}
    }
}
