//! The tools that a chat request offers, and which of them it wants called.

use serde_json::{Map, Value};

use super::super::problem::Problem;
use super::request::{missing, wrong_type};

/// A function that the model may call.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Tool {
    /// Its name.
    pub(in super::super) name: String,
    /// The JSON Schema of its arguments.
    pub(in super::super) parameters: Value,
}

/// Whether a tool is to be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ToolChoice {
    /// As the model likes.
    Auto,
    /// No.
    None,
    /// One of them.
    Required,
    /// This one.
    Named(String),
}

/// Reads `tools`. Tools that are no functions are known to OpenAI, and are never called here.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<Tool>, Problem> {
    let list = match body.get("tools") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    };
    let mut tools = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let Some(kind) = item.get("type").and_then(Value::as_str) else {
            return Err(missing(&format!("tools[{at}].type")));
        };
        if kind != "function" {
            continue;
        }
        let Some(name) = item.pointer("/function/name").and_then(Value::as_str) else {
            return Err(missing(&format!("tools[{at}].function.name")));
        };
        let parameters =
            item.pointer("/function/parameters").cloned().unwrap_or_else(|| Value::Object(Map::new()));
        tools.push(Tool { name: name.to_owned(), parameters });
    }
    Ok(tools)
}

/// Reads `tool_choice`.
pub(super) fn choice(body: &Map<String, Value>, tools: &[Tool]) -> Result<ToolChoice, Problem> {
    let choice = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(ToolChoice::Auto),
        Some(choice) => choice,
    };
    if tools.is_empty() && !body.contains_key("tools") {
        return Err(Problem::bad(
            "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
            Some("tool_choice"),
            None,
        ));
    }
    match choice {
        Value::String(word) => match word.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" => Ok(ToolChoice::Required),
            other => Err(Problem::bad(
                format!("Invalid value: '{other}'. Supported values are: 'none', 'auto', and 'required'."),
                Some("tool_choice"),
                Some("invalid_value"),
            )),
        },
        Value::Object(_) => named(choice, tools),
        other => Err(wrong_type("tool_choice", "one of a string or an object", other)),
    }
}

fn named(choice: &Value, tools: &[Tool]) -> Result<ToolChoice, Problem> {
    let Some(name) = choice.pointer("/function/name").and_then(Value::as_str) else {
        return Err(missing("tool_choice.function"));
    };
    if !tools.iter().any(|tool| tool.name == name) {
        return Err(Problem::bad(
            format!("Tool choice '{name}' not found in 'tools' parameter."),
            Some("tool_choice"),
            None,
        ));
    }
    Ok(ToolChoice::Named(name.to_owned()))
}
