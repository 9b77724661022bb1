//! The tools on offer, and which of them is wanted.

use canon::{DecodeError, Fields, Tool, ToolChoice, ToolKind, ToolName, Turn};
use serde_json::{Map, Value};

use crate::chat::kept::{CHAT, Hints, leave, object, rest_of};

pub(super) fn read(fields: &mut Fields, turn: &mut Turn, hints: &mut Hints) -> Result<(), DecodeError> {
    for (at, tool) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        turn.tools.push(one(tool).map_err(|error| error.within(&format!("tools[{at}]")))?);
    }
    for (at, function) in fields.list("functions")?.unwrap_or_default().into_iter().enumerate() {
        let tool = deprecated(function).map_err(|error| error.within(&format!("functions[{at}]")))?;
        turn.tools.push(tool);
    }
    if let Some(options) = fields.object("web_search_options")? {
        turn.tools.push(web_search(options, vec![("$options", true.into())]));
    }
    turn.parallel_tool_calls = fields.flag("parallel_tool_calls")?;
    if let Some(value) = fields.take("tool_choice") {
        turn.tool_choice = Some(choice(value, hints));
    } else if let Some(value) = fields.take("function_call") {
        hints.push(("$function_call", true.into()));
        let value = match value {
            Value::Object(named) => object([("type", "function".into()), ("function", named.into())]).into(),
            word => word,
        };
        turn.tool_choice = Some(choice(value, hints));
    }
    Ok(())
}

fn one(value: Value) -> Result<Tool, DecodeError> {
    let kind = match value.get("type") {
        None | Some(Value::Null) if value.get("function").is_some() => "function",
        Some(Value::String(kind)) if kind == "function" => "function",
        Some(Value::String(kind)) if kind == "custom" && value.get("custom").is_some() => "custom",
        Some(Value::String(kind)) if kind.starts_with("web_search") => "web_search",
        _ if value.is_object() => {
            let kind = ToolKind::Server { dialect: CHAT, value };
            return Ok(tool(String::new(), None, kind));
        }
        _ => return Err(DecodeError::new("", "must be an object")),
    };
    let mut fields = Fields::of(value)?;
    let mut hints = Hints::new();
    let named = fields.take("type");
    if kind == "web_search" {
        hints.push(("$type", named.unwrap_or_default()));
        return Ok(web_search(fields, hints));
    }
    if named.is_none() {
        hints.push(("$untyped", true.into()));
    }
    let cache = fields.take("cache_control");
    let mut inner = fields.object(kind)?.ok_or_else(|| DecodeError::new(kind, "is missing"))?;
    let read = if kind == "custom" { custom(&mut inner) } else { function(&mut inner) };
    let made = read.map_err(|error| error.within(kind))?;
    leave(&mut fields, kind, inner);
    Ok(Tool { cache, rest: rest_of(fields, hints), ..made })
}

fn tool(name: String, description: Option<String>, kind: ToolKind) -> Tool {
    Tool { name, namespace: None, description, kind, cache: None, rest: canon::Rest::default() }
}

fn function(inner: &mut Fields) -> Result<Tool, DecodeError> {
    let name = inner.need_string("name")?;
    let description = inner.string("description")?;
    let kind = ToolKind::Function { parameters: inner.take("parameters"), strict: inner.flag("strict")? };
    Ok(tool(name, description, kind))
}

fn custom(inner: &mut Fields) -> Result<Tool, DecodeError> {
    let name = inner.need_string("name")?;
    let description = inner.string("description")?;
    let format = inner.take("format").map(flat_grammar);
    Ok(tool(name, description, ToolKind::Custom { format }))
}

/// A grammar without the object around it that only this dialect has.
fn flat_grammar(format: Value) -> Value {
    let Value::Object(mut map) = format else { return format };
    if map.len() != 2 || map.get("type").and_then(Value::as_str) != Some("grammar") {
        return Value::Object(map);
    }
    match map.shift_remove("grammar") {
        Some(Value::Object(grammar)) if !grammar.contains_key("type") && !grammar.contains_key("grammar") => {
            map.extend(grammar);
        }
        Some(other) => drop(map.insert("grammar".to_owned(), other)),
        None => {}
    }
    Value::Object(map)
}

fn deprecated(value: Value) -> Result<Tool, DecodeError> {
    let mut fields = Fields::of(value)?;
    let made = function(&mut fields)?;
    Ok(Tool { rest: rest_of(fields, vec![("$function", true.into())]), ..made })
}

fn web_search(options: Fields, hints: Hints) -> Tool {
    let mut made = tool(String::new(), None, ToolKind::WebSearch);
    made.rest = rest_of(options, hints);
    made
}

fn choice(value: Value, hints: &mut Hints) -> ToolChoice {
    match &value {
        Value::String(word) => match word.as_str() {
            "auto" => return ToolChoice::Auto,
            "none" => return ToolChoice::None,
            "required" => return ToolChoice::Required,
            "any" => {
                hints.push(("$any", true.into()));
                return ToolChoice::Required;
            }
            _ => {}
        },
        Value::Object(map) => {
            if let Some((name, custom)) = named(map) {
                return ToolChoice::Named { name: name.to_owned(), namespace: None, custom };
            }
            if let Some(allowed) = allowed(map) {
                return allowed;
            }
        }
        _ => {}
    }
    ToolChoice::Opaque { dialect: CHAT, value }
}

/// The tool that a choice names, if it says nothing else.
fn named(choice: &Map<String, Value>) -> Option<(&str, bool)> {
    let kind = choice.get("type")?.as_str()?;
    let inner = choice.get(kind)?.as_object()?;
    let known = matches!(kind, "function" | "custom") && choice.len() == 2 && inner.len() == 1;
    Some((inner.get("name")?.as_str().filter(|_| known)?, kind == "custom"))
}

/// The tools that a choice allows, if they are all the client's and it says nothing else.
fn allowed(choice: &Map<String, Value>) -> Option<ToolChoice> {
    let inner = choice.get("allowed_tools")?.as_object()?;
    let known = choice.len() == 2 && inner.len() == 2 && choice.get("type")? == "allowed_tools";
    let required = match inner.get("mode")?.as_str()? {
        "auto" if known => false,
        "required" if known => true,
        _ => return None,
    };
    let tools = inner.get("tools")?.as_array()?.iter().map(|tool| {
        let (name, custom) = named(tool.as_object()?)?;
        Some(ToolName { name: name.to_owned(), namespace: None, custom })
    });
    let tools = tools.collect::<Option<Vec<_>>>()?;
    (!tools.is_empty()).then_some(ToolChoice::Allowed { required, tools })
}
