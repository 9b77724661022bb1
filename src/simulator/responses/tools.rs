//! The tools that a request offers, and which of them it wants called.

use serde_json::{Map, Value};

use super::super::ask::{Choice, Search, Tool};
use super::super::chat::request::{missing, wrong_type};
use super::super::chat::tools::check_name;
use super::super::problem::Problem;
use super::checks::{object, only, strict_schema, text, unsupported};

/// The tools that OpenAI runs or knows itself, by the beginning of their type; some have a date behind it.
const OWN: [&str; 13] = [
    "web_search",
    "file_search",
    "computer_use_preview",
    "computer",
    "code_interpreter",
    "image_generation",
    "mcp",
    "local_shell",
    "shell",
    "apply_patch",
    "tool_search",
    "programmatic_tool_calling",
    "hosted_shell",
];

/// The tools, and what is wanted of them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Those that the client runs.
    pub(super) list: Vec<Tool>,
    /// Which is wanted.
    pub(super) choice: Choice,
    /// OpenAI's web search.
    pub(super) search: Search,
}

/// Reads `tools` and `tool_choice`, and the tools among the items of the input.
pub(super) fn read(body: &Map<String, Value>) -> Result<Tools, Problem> {
    let mut tools = Tools::default();
    let mut offered = 0;
    match body.get("tools") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            offered = list.len();
            all("tools", list, None, &mut tools)?;
        }
        Some(other) => return Err(wrong_type("tools", "an array of objects", other)),
    }
    let items = body.get("input").and_then(Value::as_array).into_iter().flatten();
    for (at, item) in items.enumerate().filter(|(_, item)| item["type"] == "additional_tools") {
        if let Some(list) = item["tools"].as_array() {
            offered += list.len();
            all(&format!("input[{at}].tools"), list, None, &mut tools)?;
        }
    }
    choice(body, offered, &mut tools)?;
    Ok(tools)
}

fn all(place: &str, list: &[Value], namespace: Option<&str>, tools: &mut Tools) -> Result<(), Problem> {
    for (at, tool) in list.iter().enumerate() {
        one(&format!("{place}[{at}]"), tool, namespace, tools)?;
    }
    Ok(())
}

fn one(place: &str, tool: &Value, namespace: Option<&str>, tools: &mut Tools) -> Result<(), Problem> {
    let tool = object(place, tool)?;
    let kind = text(place, tool, "type")?;
    match kind {
        "function" => {
            let known = [
                "type",
                "name",
                "description",
                "parameters",
                "strict",
                "defer_loading",
                "allowed_callers",
                "output_schema",
            ];
            let name = text(place, tool, "name")?;
            only(place, tool, &known)?;
            check_name(&format!("{place}.name"), name)?;
            let parameters = tool.get("parameters").filter(|parameters| !parameters.is_null());
            if let Some(parameters) = parameters.filter(|_| tool.get("strict") == Some(&Value::Bool(true))) {
                strict_schema(&format!("function '{name}'"), "invalid_function_parameters", parameters, "")?;
            }
            let namespace = namespace.map(str::to_owned);
            tools.list.push(Tool { namespace, ..Tool::function(name, parameters) });
        }
        "custom" => {
            only(
                place,
                tool,
                &["type", "name", "description", "format", "defer_loading", "allowed_callers"],
            )?;
            let name = text(place, tool, "name")?;
            check_name(&format!("{place}.name"), name)?;
            let namespace = namespace.map(str::to_owned);
            tools.list.push(Tool { namespace, custom: true, ..Tool::function(name, None) });
        }
        "namespace" if namespace.is_none() => {
            only(place, tool, &["type", "name", "description", "tools"])?;
            let name = text(place, tool, "name")?;
            check_name(&format!("{place}.name"), name)?;
            let Some(Value::Array(list)) = tool.get("tools") else {
                return Err(missing(&format!("{place}.tools")));
            };
            all(&format!("{place}.tools"), list, Some(name), tools)?;
        }
        own if OWN.iter().any(|known| own == *known || own.starts_with(&format!("{known}_"))) => {
            if own.starts_with("web_search") {
                tools.search = Search::Offered;
            }
        }
        other => {
            let known =
                ["function", "custom", "namespace", "web_search", "file_search", "mcp", "code_interpreter"];
            return Err(unsupported(&format!("{place}.type"), other, &known));
        }
    }
    Ok(())
}

fn choice(body: &Map<String, Value>, offered: usize, tools: &mut Tools) -> Result<(), Problem> {
    match body.get("tool_choice") {
        None | Some(Value::Null) => {}
        Some(Value::String(word)) => {
            tools.choice = match word.as_str() {
                "auto" => Choice::Auto,
                "none" => Choice::None,
                "required" if offered == 0 => {
                    let message = "Tool choice 'required' must be specified with 'tools' parameter.";
                    return Err(Problem::bad(message, Some("tool_choice"), None));
                }
                "required" => Choice::Required,
                other => return Err(unsupported("tool_choice", other, &["none", "auto", "required"])),
            };
            if tools.choice == Choice::Required && tools.list.is_empty() && tools.search == Search::Offered {
                tools.search = Search::Forced;
            }
        }
        Some(Value::Object(choice)) => named(choice, tools)?,
        Some(other) => return Err(wrong_type("tool_choice", "one of a string or an object", other)),
    }
    Ok(())
}

fn named(choice: &Map<String, Value>, tools: &mut Tools) -> Result<(), Problem> {
    match text("tool_choice", choice, "type")? {
        "function" | "custom" => {
            let name = text("tool_choice", choice, "name")?;
            if !tools.list.iter().any(|tool| tool.name == name) {
                let message = format!("Tool choice '{name}' not found in 'tools' parameter.");
                return Err(Problem::bad(message, Some("tool_choice"), None));
            }
            tools.choice = Choice::Named(name.to_owned());
        }
        "allowed_tools" => {
            let listed = choice.get("tools").and_then(Value::as_array).into_iter().flatten();
            let names: Vec<&str> = listed.filter_map(|tool| tool["name"].as_str()).collect();
            tools.list.retain(|tool| names.contains(&tool.name.as_str()));
            if choice.get("mode").is_some_and(|mode| mode == "required") {
                tools.choice = Choice::Required;
            }
        }
        kind if kind.starts_with("web_search") => {
            if tools.search == Search::No {
                let message = format!("Tool choice '{kind}' not found in 'tools' parameter.");
                return Err(Problem::bad(message, Some("tool_choice"), None));
            }
            tools.search = Search::Forced;
        }
        kind if OWN.contains(&kind) => {}
        other => {
            return Err(unsupported(
                "tool_choice.type",
                other,
                &["function", "custom", "allowed_tools", "web_search"],
            ));
        }
    }
    Ok(())
}
