//! Which tool is wanted, read and written.

use canon::{Dialect, Fields, Losses, Rest, Tool, ToolChoice, ToolName, Turn, names};
use serde_json::{Map, Value, json};

use super::{hint, tools};
use crate::responses::OWN;

/// Reads the choice. One that no other dialect has is kept as it is.
pub(super) fn read(fields: &mut Fields, tools: &[Tool], hints: &mut Rest) -> Option<ToolChoice> {
    let value = fields.take("tool_choice")?;
    Some(match value.as_str() {
        Some("auto") => ToolChoice::Auto,
        Some("none") => ToolChoice::None,
        Some("required") => ToolChoice::Required,
        _ => match value {
            Value::Object(map) => object(map, tools, hints),
            value => ToolChoice::Opaque { dialect: OWN, value },
        },
    })
}

fn object(map: Map<String, Value>, offered: &[Tool], hints: &mut Rest) -> ToolChoice {
    let text = |name: &str| map.get(name).and_then(Value::as_str);
    let kind = text("type");
    if kind.is_some_and(tools::is_web_search) {
        hints.hint(OWN, hint::CHOICE, Value::Object(map));
        return ToolChoice::WebSearch;
    }
    let known = matches!(kind, Some("function" | "custom"));
    let namespace = text("namespace").map(str::to_owned);
    match text("name").map(str::to_owned) {
        Some(name) if known && map.len() == 2 + usize::from(namespace.is_some()) => {
            let custom = kind == Some("custom");
            if namespace.is_none()
                && let Some(found) = only_in_namespace(&name, offered)
            {
                hints.hint(OWN, hint::CHOICE, Value::Object(map));
                return ToolChoice::Named { name, namespace: Some(found), custom };
            }
            ToolChoice::Named { name, namespace, custom }
        }
        _ => allowed(&map).unwrap_or_else(|| ToolChoice::Opaque { dialect: OWN, value: Value::Object(map) }),
    }
}

/// The tools that a choice allows, if they are all the client's and it says nothing else.
fn allowed(choice: &Map<String, Value>) -> Option<ToolChoice> {
    let known = choice.len() == 3 && choice.get("type")? == "allowed_tools";
    let required = match choice.get("mode")?.as_str()? {
        "auto" if known => false,
        "required" if known => true,
        _ => return None,
    };
    let tools = choice.get("tools")?.as_array()?.iter().map(|tool| {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).map(str::to_owned);
        let custom = match tool.get("type")?.as_str()? {
            "custom" => true,
            "function" => false,
            _ => return None,
        };
        let namespace = text("namespace");
        let plain = tool.as_object()?.len() == 2 + usize::from(namespace.is_some());
        Some(ToolName { name: text("name").filter(|_| plain)?, namespace, custom })
    });
    let tools = tools.collect::<Option<Vec<_>>>()?;
    (!tools.is_empty()).then_some(ToolChoice::Allowed { required, tools })
}

/// A choice of one tool, or an entry of a list of them.
fn named(name: &str, namespace: Option<&str>, custom: bool, native: bool) -> Value {
    let name = if native { name.into() } else { names::flat(None, name) };
    let mut choice = Map::new();
    choice.insert("type".to_owned(), if custom { "custom" } else { "function" }.into());
    choice.insert("name".to_owned(), name.into_owned().into());
    if let Some(namespace) = namespace {
        choice.insert("namespace".to_owned(), namespace.into());
    }
    Value::Object(choice)
}

/// The namespace of a tool that was chosen by its bare name.
fn only_in_namespace(name: &str, tools: &[Tool]) -> Option<String> {
    let mut found = None;
    for tool in tools.iter().filter(|tool| tool.name == name) {
        // A tool without one is meant before all others.
        found = Some(tool.namespace.clone()?);
    }
    found
}

/// Writes the choice; `None` where it cannot be said, which is declared.
pub(super) fn write(turn: &Turn, native: bool, losses: &mut Losses) -> Option<Value> {
    if let Some(own) = turn.rest.hinted(OWN, hint::CHOICE) {
        return Some(own.clone());
    }
    Some(match turn.tool_choice.as_ref()? {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Named { name, namespace, custom } => named(name, namespace.as_deref(), *custom, native),
        ToolChoice::Allowed { required, tools } => {
            let name = |tool: &ToolName| named(&tool.name, tool.namespace.as_deref(), tool.custom, native);
            let tools: Value = tools.iter().map(name).collect();
            json!({"type": "allowed_tools", "mode": if *required { "required" } else { "auto" }, "tools": tools})
        }
        // The newer type of the tool cannot be demanded.
        ToolChoice::WebSearch => json!({ "type": tools::FORCED_SEARCH }),
        ToolChoice::Opaque { dialect: Dialect::Responses, value } => value.clone(),
        ToolChoice::Opaque { .. } => {
            losses.dropped("tool_choice");
            return None;
        }
    })
}
