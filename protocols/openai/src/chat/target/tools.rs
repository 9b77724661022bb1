//! The tools on offer, and which of them is wanted.

use canon::{Tool, ToolChoice, ToolKind, ToolName, Turn, names, schema};
use serde_json::{Map, Value};

use super::Writer;
use crate::chat::kept::{CHAT, object, restore, some};

pub(super) fn write(writer: &mut Writer<'_>, turn: &Turn, body: &mut Map<String, Value>) {
    let (mut tools, mut functions) = (Vec::new(), Vec::new());
    let native = writer.native;
    for tool in turn.tools.iter().filter(|tool| native || is_allowed(turn, tool)) {
        let deprecated = tool.rest.hinted(CHAT, "$function").is_some();
        match &tool.kind {
            ToolKind::Function { parameters, strict } if deprecated => {
                let mut function = function(tool, parameters.as_ref(), *strict);
                restore(&tool.rest, &mut function, &mut writer.losses);
                functions.push(Value::Object(function));
            }
            ToolKind::WebSearch => web_search(writer, tool, &mut tools, body),
            ToolKind::Server { dialect, value } => {
                if *dialect == CHAT {
                    tools.push(value.clone());
                } else {
                    writer.losses.dropped(&format!("tools.{}", names::kind_of(value)));
                }
            }
            ToolKind::Function { .. } | ToolKind::Custom { .. } => {
                let mut object = client_tool(writer, tool);
                restore(&tool.rest, &mut object, &mut writer.losses);
                tools.push(Value::Object(object));
            }
        }
    }
    let none = tools.is_empty() && functions.is_empty();
    if !tools.is_empty() {
        body.insert("tools".to_owned(), tools.into());
    }
    if !functions.is_empty() {
        body.insert("functions".to_owned(), functions.into());
    }
    choose(writer, turn, none, body);
}

fn is_allowed(turn: &Turn, tool: &Tool) -> bool {
    turn.tool_choice.as_ref().is_none_or(|choice| choice.allows(tool))
}

fn function(tool: &Tool, parameters: Option<&Value>, strict: Option<bool>) -> Map<String, Value> {
    let name = names::flat(tool.namespace.as_deref(), &tool.name);
    some([
        ("name", Some(name.as_ref().into())),
        ("description", tool.description.as_deref().map(Value::from)),
        ("parameters", parameters.cloned()),
        ("strict", strict.map(Value::Bool)),
    ])
}

fn client_tool(writer: &mut Writer<'_>, tool: &Tool) -> Map<String, Value> {
    let (kind, inner) = match &tool.kind {
        // Few providers of this dialect know custom tools, so only a client of this dialect gets them.
        ToolKind::Custom { format } if writer.native => {
            let mut inner = function(tool, None, None);
            if let Some(format) = format {
                inner.insert("format".to_owned(), nested_grammar(format));
            }
            ("custom", inner)
        }
        ToolKind::Custom { format } => {
            if format.as_ref().is_some_and(|it| it.get("type").and_then(Value::as_str) != Some("text")) {
                writer.losses.dropped("tools.format");
            }
            ("function", function(tool, Some(&free_text()), None))
        }
        ToolKind::Function { parameters, strict } => {
            let mut strict = *strict;
            if !writer.native && strict == Some(true) && !parameters.as_ref().is_some_and(schema::is_closed) {
                strict = None;
                writer.losses.dropped("strict");
            }
            ("function", function(tool, parameters.as_ref(), strict))
        }
        ToolKind::WebSearch | ToolKind::Server { .. } => ("function", Map::new()),
    };
    let mut outer = Map::new();
    if tool.rest.hinted(CHAT, "$untyped").is_none() {
        outer.insert("type".to_owned(), kind.into());
    }
    outer.insert(kind.to_owned(), inner.into());
    if let Some(cache) = writer.cache(tool.cache.as_ref()) {
        outer.insert("cache_control".to_owned(), cache);
    }
    outer
}

/// The schema of a function that stands for a custom tool.
fn free_text() -> Value {
    let properties = object([(names::CUSTOM_INPUT, object([("type", "string".into())]).into())]);
    let required = Value::Array(vec![names::CUSTOM_INPUT.into()]);
    object([
        ("type", "object".into()),
        ("properties", properties.into()),
        ("required", required),
        ("additionalProperties", false.into()),
    ])
    .into()
}

/// A grammar with the object around it that only this dialect has.
fn nested_grammar(format: &Value) -> Value {
    let Value::Object(map) = format else { return format.clone() };
    if map.get("type").and_then(Value::as_str) != Some("grammar") || map.contains_key("grammar") {
        return format.clone();
    }
    let mut grammar = map.clone();
    grammar.shift_remove("type");
    object([("type", "grammar".into()), ("grammar", grammar.into())]).into()
}

fn web_search(writer: &mut Writer<'_>, tool: &Tool, tools: &mut Vec<Value>, body: &mut Map<String, Value>) {
    if writer.target.quirks.no_web_search && !writer.native {
        return writer.losses.dropped("tools.web_search");
    }
    if let Some(kind) = tool.rest.hinted(CHAT, "$type") {
        let mut object = object([("type", kind.clone())]);
        restore(&tool.rest, &mut object, &mut writer.losses);
        tools.push(object.into());
    } else {
        let mut options = Map::new();
        restore(&tool.rest, &mut options, &mut writer.losses);
        body.insert("web_search_options".to_owned(), options.into());
    }
}

fn choose(writer: &mut Writer<'_>, turn: &Turn, none: bool, body: &mut Map<String, Value>) {
    if none {
        // Both are refused beside no tools. To leave the choice to a model that has none says nothing.
        if matches!(&turn.tool_choice, Some(choice) if !matches!(choice, ToolChoice::Auto | ToolChoice::None))
        {
            writer.losses.dropped("tool_choice");
        }
        return;
    }
    if let Some(parallel) = turn.parallel_tool_calls {
        body.insert("parallel_tool_calls".to_owned(), parallel.into());
    }
    let Some(choice) = turn.tool_choice.as_ref().and_then(|choice| spelled(writer, turn, choice)) else {
        return;
    };
    if turn.rest.hinted(CHAT, "$function_call").is_some() {
        let inner = choice.get("function").cloned();
        body.insert("function_call".to_owned(), inner.unwrap_or(choice));
    } else {
        body.insert("tool_choice".to_owned(), choice);
    }
}

fn spelled(writer: &mut Writer<'_>, turn: &Turn, choice: &ToolChoice) -> Option<Value> {
    Some(match choice {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required if turn.rest.hinted(CHAT, "$any").is_some() => "any".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Allowed { required, tools } if writer.native => allowed(*required, tools),
        // Few providers know the list, so the others are not offered.
        ToolChoice::Allowed { required: true, .. } => "required".into(),
        ToolChoice::Allowed { required: false, .. } => "auto".into(),
        ToolChoice::Named { name, namespace, custom } => {
            let kind = if *custom && writer.native { "custom" } else { "function" };
            let name = names::flat(namespace.as_deref(), name);
            let inner = object([("name", name.as_ref().into())]);
            object([("type", kind.into()), (kind, inner.into())]).into()
        }
        ToolChoice::Opaque { dialect: CHAT, value } => value.clone(),
        ToolChoice::WebSearch | ToolChoice::Opaque { .. } => {
            writer.losses.dropped("tool_choice");
            return None;
        }
    })
}

fn allowed(required: bool, tools: &[ToolName]) -> Value {
    let mode = if required { "required" } else { "auto" };
    let tools: Value = tools
        .iter()
        .map(|tool| {
            let kind = if tool.custom { "custom" } else { "function" };
            let name = names::flat(tool.namespace.as_deref(), &tool.name);
            let inner = object([("name", name.as_ref().into())]);
            Value::Object(object([("type", kind.into()), (kind, inner.into())]))
        })
        .collect();
    let inner = object([("mode", mode.into()), ("tools", tools)]);
    object([("type", "allowed_tools".into()), ("allowed_tools", inner.into())]).into()
}
