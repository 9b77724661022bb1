//! The tools that a request offers, and which of them it wants called.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::ask::{Choice, Search, Tool};
use super::super::fields::{below, flag, list, object, only, required, set, text, wrong};
use super::super::problem::Problem;
use super::blocks::{check_name, mark};

/// The tools that the vendor defines itself, by the beginning of their type; a date follows.
const OWN: [&str; 11] = [
    "web_search_",
    "web_fetch_",
    "code_execution_",
    "bash_",
    "text_editor_",
    "computer_",
    "memory_",
    "tool_search_tool_",
    "mcp_toolset",
    "advisor_",
    "browser_",
];

/// The fields of a tool that the client defines.
const FIELDS: [&str; 10] = [
    "type",
    "name",
    "description",
    "input_schema",
    "cache_control",
    "strict",
    "defer_loading",
    "allowed_callers",
    "input_examples",
    "eager_input_streaming",
];

/// The tools, and what is wanted of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tools {
    /// Those that the client runs.
    pub(super) list: Vec<Tool>,
    /// Which is wanted.
    pub(super) choice: Choice,
    /// Whether several may be called at once.
    pub(super) parallel: bool,
    /// The vendor's web search.
    pub(super) search: Search,
}

/// Reads `tools` and `tool_choice`.
pub(super) fn read(body: &Map<String, Value>) -> Result<Tools, Problem> {
    let mut tools = Tools { parallel: true, ..Tools::default() };
    let mut names = HashSet::new();
    if let Some(offered) = set(body, "tools") {
        for (at, tool) in list("tools", offered)?.iter().enumerate() {
            let place = format!("tools.{at}");
            let tool = object(&place, tool)?;
            mark(&place, tool)?;
            let name = match tool.get("type").and_then(Value::as_str) {
                None | Some("custom") => {
                    let read = custom(&below(&place, "custom"), tool)?;
                    tools.list.push(read);
                    text(&place, tool, "name")?
                }
                Some(kind) if OWN.iter().any(|own| kind.starts_with(own)) => {
                    if kind.starts_with("web_search_") {
                        tools.search = Search::Offered;
                    }
                    tool.get("name").and_then(Value::as_str).unwrap_or(kind)
                }
                Some(kind) => {
                    let what = format!(
                        "Input tag '{kind}' found using 'type' does not match any of the expected tags: \
                         'bash_20250124', 'custom', 'text_editor_20250728', 'web_search_20250305'"
                    );
                    return Err(wrong(&place, what));
                }
            };
            if !names.insert(name) {
                return Err(wrong("tools", "Tool names must be unique."));
            }
        }
    }
    choice(body, &names, &mut tools)?;
    Ok(tools)
}

fn custom(place: &str, tool: &Map<String, Value>) -> Result<Tool, Problem> {
    only(place, tool, &FIELDS)?;
    let name = text(place, tool, "name")?;
    check_name(&below(place, "name"), name, 128)?;
    let place = below(place, "input_schema");
    let Some(schema) = tool.get("input_schema") else { return Err(wrong(&place, "Field required")) };
    let map = object(&place, schema)?;
    if required(&place, map, "type")? != "object" {
        return Err(wrong(&below(&place, "type"), "Input should be 'object'"));
    }
    if ["oneOf", "anyOf", "allOf"].iter().any(|name| map.contains_key(*name)) {
        let what = "input_schema does not support oneOf, allOf, or anyOf at the top level";
        return Err(wrong(&place, what));
    }
    Ok(Tool::function(name, Some(schema)))
}

fn choice(body: &Map<String, Value>, names: &HashSet<&str>, tools: &mut Tools) -> Result<(), Problem> {
    let Some(choice) = set(body, "tool_choice") else { return Ok(()) };
    let choice = object("tool_choice", choice)?;
    let kind = text("tool_choice", choice, "type")?;
    let place = below("tool_choice", kind);
    if names.is_empty() {
        return Err(wrong("tool_choice", "Tool choice may only be specified while providing `tools`."));
    }
    only(&place, choice, &["type", "name", "disable_parallel_tool_use"])?;
    tools.parallel = !flag(&place, choice, "disable_parallel_tool_use")?;
    tools.choice = match kind {
        "auto" => Choice::Auto,
        "none" => Choice::None,
        "any" => Choice::Required,
        "tool" => {
            let name = text(&place, choice, "name")?;
            if !names.contains(name) {
                return Err(Problem::invalid(format!("Tool '{name}' not found in provided tools")));
            }
            Choice::Named(name.to_owned())
        }
        other => {
            let what = format!(
                "Input tag '{other}' found using 'type' does not match any of the expected tags: 'any', 'auto', \
                 'none', 'tool'"
            );
            return Err(wrong("tool_choice", what));
        }
    };
    let named_search = matches!(&tools.choice, Choice::Named(name) if name == "web_search");
    if tools.search == Search::Offered && (named_search || (kind == "any" && tools.list.is_empty())) {
        tools.search = Search::Forced;
    }
    Ok(())
}
