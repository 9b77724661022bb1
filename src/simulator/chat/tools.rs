//! The tools that a chat request offers, and which of them it wants called.

use serde_json::{Map, Value};

use super::super::ask::{Choice, Tool};
use super::super::problem::Problem;
use super::request::{flag, missing, wrong_type};

/// The longest name of a tool.
const LONGEST_NAME: usize = 64;

/// Reads `tools`. Tools that OpenAI runs itself are let through, and never called here.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<Tool>, Problem> {
    let list = match body.get("tools") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    };
    if list.is_empty() {
        return Err(Problem::bad(
            "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            Some("tools"),
            Some("empty_array"),
        ));
    }
    let mut tools = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let Some(kind) = item.get("type").and_then(Value::as_str) else {
            return Err(missing(&format!("tools[{at}].type")));
        };
        if !matches!(kind, "function" | "custom") {
            continue;
        }
        let place = format!("tools[{at}].{kind}.name");
        let Some(name) = item.get(kind).and_then(|tool| tool.get("name")).and_then(Value::as_str) else {
            return Err(missing(&place));
        };
        check_name(&place, name)?;
        let custom = kind == "custom";
        tools.push(Tool { custom, ..Tool::function(name, item.pointer("/function/parameters")) });
    }
    Ok(tools)
}

/// Reads `tool_choice`, which may allow some of the tools only.
pub(super) fn choice(body: &Map<String, Value>, tools: &mut Vec<Tool>) -> Result<Choice, Problem> {
    let choice = match body.get("tool_choice") {
        None | Some(Value::Null) => return Ok(Choice::Auto),
        Some(choice) => choice,
    };
    only_with_tools(body, "tool_choice")?;
    match choice {
        Value::String(word) => match word.as_str() {
            "auto" => Ok(Choice::Auto),
            "none" => Ok(Choice::None),
            "required" => Ok(Choice::Required),
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

fn named(choice: &Value, tools: &mut Vec<Tool>) -> Result<Choice, Problem> {
    let kind = choice.get("type").and_then(Value::as_str).unwrap_or("function");
    let name_of = |tool: &Value| {
        let kind = tool.get("type").and_then(Value::as_str).unwrap_or("function");
        tool.get(kind).and_then(|tool| tool.get("name")).and_then(Value::as_str).map(str::to_owned)
    };
    if kind == "allowed_tools" {
        let allowed = choice.pointer("/allowed_tools/tools").and_then(Value::as_array);
        let Some(allowed) = allowed else { return Err(missing("tool_choice.allowed_tools.tools")) };
        let names: Vec<String> = allowed.iter().filter_map(name_of).collect();
        tools.retain(|tool| names.contains(&tool.name));
        let must = choice.pointer("/allowed_tools/mode").is_some_and(|mode| mode == "required");
        return Ok(if must { Choice::Required } else { Choice::Auto });
    }
    let Some(name) = name_of(choice) else { return Err(missing(&format!("tool_choice.{kind}"))) };
    if !tools.iter().any(|tool| tool.name == name) {
        return Err(Problem::bad(
            format!("Tool choice '{name}' not found in 'tools' parameter."),
            Some("tool_choice"),
            None,
        ));
    }
    Ok(Choice::Named(name))
}

/// Reads `parallel_tool_calls`.
pub(super) fn parallel(body: &Map<String, Value>) -> Result<bool, Problem> {
    if body.get("parallel_tool_calls").is_none_or(Value::is_null) {
        return Ok(true);
    }
    only_with_tools(body, "parallel_tool_calls")?;
    flag(body, "parallel_tool_calls")
}

fn only_with_tools(body: &Map<String, Value>, name: &str) -> Result<(), Problem> {
    if body.get("tools").is_some_and(|tools| !tools.is_null()) {
        return Ok(());
    }
    Err(Problem::bad(
        format!("Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified."),
        Some(name),
        None,
    ))
}

/// Refuses a name that no function may have.
pub(in super::super) fn check_name(place: &str, name: &str) -> Result<(), Problem> {
    if name.len() > LONGEST_NAME {
        return Err(Problem::bad(
            format!(
                "Invalid '{place}': string too long. Expected a string with maximum length {LONGEST_NAME}, but got a \
                 string with length {} instead.",
                name.len()
            ),
            Some(place),
            Some("string_above_max_length"),
        ));
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
        return Err(Problem::bad(
            format!(
                "Invalid '{place}': string does not match pattern. Expected a string that matches the pattern \
                 '^[a-zA-Z0-9_-]+$'."
            ),
            Some(place),
            Some("invalid_value"),
        ));
    }
    Ok(())
}
