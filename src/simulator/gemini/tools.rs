//! The tools that a request offers, and which of them it wants called.

use std::collections::HashSet;

use serde_json::Value;

use super::super::ask::{Choice, Search, Tool};
use super::super::problem::Problem;
use super::schema::{self, wrong};

/// The tools, and what is wanted of them.
#[derive(Debug, Default)]
pub(super) struct Tools {
    /// Those that the client runs.
    pub(super) list: Vec<Tool>,
    /// Which is wanted.
    pub(super) choice: Choice,
    /// Google's search.
    pub(super) search: Search,
}

/// The longest name of a function.
const LONGEST_NAME: usize = 64;

/// Reads `tools` and `toolConfig`.
pub(super) fn read(body: &Value) -> Result<Tools, Problem> {
    let mut tools = Tools::default();
    let mut names = HashSet::new();
    for (at, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        if tool.get("googleSearch").is_some() || tool.get("googleSearchRetrieval").is_some() {
            tools.search = Search::Offered;
        }
        for (inner, function) in tool["functionDeclarations"].as_array().into_iter().flatten().enumerate() {
            let place = format!("tools[{at}].function_declarations[{inner}]");
            let read = function_at(&place, function)?;
            if !names.insert(read.name.clone()) {
                return Err(Problem::invalid(format!("Duplicate function declaration found: {}", read.name)));
            }
            tools.list.push(read);
        }
    }
    choice(&body["toolConfig"]["functionCallingConfig"], &names, &mut tools)?;
    Ok(tools)
}

fn function_at(place: &str, function: &Value) -> Result<Tool, Problem> {
    let name = function["name"].as_str().unwrap_or("");
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if !begins || name.len() > LONGEST_NAME || !name.bytes().all(letters) {
        return Err(wrong(
            &format!("{place}.name"),
            "Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), \
             underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.",
        ));
    }
    match (function.get("parameters"), function.get("parametersJsonSchema")) {
        (Some(_), Some(_)) => {
            Err(wrong(place, "parameters and parameters_json_schema are mutually exclusive."))
        }
        (Some(parameters), None) => {
            schema::check(&format!("{place}.parameters"), parameters)?;
            Ok(Tool::function(name, Some(&schema::lower(parameters))))
        }
        (None, Some(parameters)) => Ok(Tool::function(name, Some(&schema::lower(parameters)))),
        (None, None) => Ok(Tool::function(name, None)),
    }
}

fn choice(config: &Value, names: &HashSet<String>, tools: &mut Tools) -> Result<(), Problem> {
    let mode = config["mode"].as_str().unwrap_or("AUTO").to_ascii_uppercase();
    let mut allowed =
        config["allowedFunctionNames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let first = allowed.next();
    if first.is_some() && !matches!(mode.as_str(), "ANY" | "VALIDATED") {
        return Err(Problem::invalid(
            "Allowed function names should only be set when function calling mode is ANY or VALIDATED.",
        ));
    }
    if let Some(unknown) = first.into_iter().chain(allowed).find(|name| !names.contains(*name)) {
        return Err(Problem::invalid(format!(
            "Allowed function name `{unknown}` is not in the function declarations."
        )));
    }
    tools.choice = match mode.as_str() {
        "AUTO" | "MODE_UNSPECIFIED" | "VALIDATED" => Choice::Auto,
        "NONE" => Choice::None,
        "ANY" if names.is_empty() => {
            return Err(Problem::invalid("Function calling config is set without function_declarations."));
        }
        "ANY" => first.map_or(Choice::Required, |name| Choice::Named(name.to_owned())),
        other => {
            return Err(super::proto::bad(
                "tool_config.function_calling_config.mode",
                format!("Invalid value at 'tool_config.function_calling_config.mode', \"{other}\""),
            ));
        }
    };
    Ok(())
}
