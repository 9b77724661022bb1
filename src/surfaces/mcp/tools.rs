//! Operations in the shape of tools: schemas that clients accept, hints, and a picture of what kind a tool is.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use operations::{Definition, Scope};
use rmcp::model::{Icon, JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

/// What a caller has to say to a tool that takes away something for good.
pub(super) const CONFIRM: &str = "confirm";

/// Every operation as a tool, in the order of the catalogue.
pub(super) static ALL: LazyLock<Vec<(&'static Definition, Tool)>> =
    LazyLock::new(|| Definition::all().iter().map(|definition| (definition, tool(definition))).collect());

static BY_NAME: LazyLock<HashMap<&'static str, usize>> =
    LazyLock::new(|| ALL.iter().enumerate().map(|(at, (definition, _))| (definition.name, at)).collect());

/// The tool of that name.
pub(super) fn named(name: &str) -> Option<&'static (&'static Definition, Tool)> {
    ALL.get(*BY_NAME.get(name)?)
}

fn tool(definition: &'static Definition) -> Tool {
    let mut input = object(definition.args_schema());
    if definition.hints.destructive {
        ask_to_confirm(&mut input);
    }
    let output = object(definition.result_schema());
    let mut tool = Tool::new(definition.name, definition.summary, Arc::new(input));
    tool.title = Some(definition.title.to_owned());
    tool.output_schema = Some(Arc::new(output));
    tool.annotations = Some(annotations(definition));
    tool.icons = Some(vec![icon(definition)]);
    tool
}

fn annotations(definition: &Definition) -> ToolAnnotations {
    let hints = definition.hints;
    ToolAnnotations::with_title(definition.title)
        .read_only(hints.read_only)
        .destructive(hints.destructive)
        .idempotent(hints.idempotent)
        .open_world(reaches_out(definition.scope))
}

/// Whether a tool has to do with more than the hub itself: with what providers answer.
fn reaches_out(scope: Scope) -> bool {
    scope.as_str().starts_with("execute:")
}

fn ask_to_confirm(input: &mut JsonObject) {
    let properties = input.entry("properties").or_insert_with(|| json!({}));
    if let Some(properties) = properties.as_object_mut() {
        let text = "Must be true: this cannot be taken back. Without it the answer says what would be done.";
        properties
            .insert(CONFIRM.to_owned(), json!({"type": "boolean", "default": false, "description": text}));
    }
}

/// A schema whose root says that it is an object, without what only readers of Rust understand.
fn object(schema: Value) -> JsonObject {
    let Value::Object(mut schema) = schema else { return JsonObject::new() };
    schema.entry("type").or_insert_with(|| "object".into());
    plain(&mut schema);
    schema
}

/// Takes the names of Rust's number types out: clients that check formats do not know them.
fn plain(schema: &mut JsonObject) {
    let numeric = |format: &Value| {
        format.as_str().is_some_and(|format| {
            format.starts_with("int") || format.starts_with("uint") || matches!(format, "double" | "float")
        })
    };
    if schema.get("format").is_some_and(numeric) {
        schema.remove("format");
    }
    for value in schema.values_mut() {
        match value {
            Value::Object(inner) => plain(inner),
            Value::Array(items) => items.iter_mut().filter_map(Value::as_object_mut).for_each(plain),
            _ => {}
        }
    }
}

/// An eye for what only looks, a pen for what changes, a cross for what takes away, an arrow for what goes out.
fn icon(definition: &Definition) -> Icon {
    let path = if reaches_out(definition.scope) {
        "M2 8h10M8 4l4 4-4 4"
    } else if definition.hints.destructive {
        "M3 3l10 10M13 3L3 13"
    } else if definition.hints.read_only {
        "M1 8q7-8 14 0q-7 8-14 0M8 6a2 2 0 1 0 .1 0"
    } else {
        "M3 13l2-4 7-7 2 2-7 7z"
    };
    let svg = format!(
        "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='{path}' \
         fill='none' stroke='gray'/%3E%3C/svg%3E"
    );
    // No space is allowed in a URI.
    let svg = svg.replace(' ', "%20");
    let mut icon = Icon::new(svg);
    icon.mime_type = Some("image/svg+xml".to_owned());
    icon
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn schemas_are_objects_without_foreign_formats() {
        for (definition, tool) in ALL.iter() {
            let output = tool.output_schema.as_ref().unwrap();
            for schema in [&tool.input_schema, output] {
                let name = definition.name;
                assert_eq!(schema.get("type").and_then(Value::as_str), Some("object"), "{name}");
                let text = serde_json::to_string(&**schema).unwrap();
                assert!(!text.contains("\"uint") && !text.contains("\"format\":\"int"), "{name}: {text}");
            }
        }
    }

    #[test]
    fn icons_are_uris() {
        for (definition, tool) in ALL.iter() {
            for icon in tool.icons.iter().flatten() {
                let uri: Result<http::Uri, _> = icon.src.replace("data:", "http://a/").parse();
                assert!(uri.is_ok() && !icon.src.contains(' '), "{}: {}", definition.name, icon.src);
            }
        }
    }

    #[test]
    fn what_destroys_asks_first() {
        for (definition, tool) in ALL.iter() {
            let asks = tool.input_schema.get("properties").and_then(|all| all.get(CONFIRM)).is_some();
            assert_eq!(asks, definition.hints.destructive, "{}", definition.name);
        }
    }
}
