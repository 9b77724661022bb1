//! The conversation of a chat request: who speaks, and that every call of a tool has its answer.

use serde_json::{Map, Value};

use super::super::ask::{Line, Speaker};
use super::super::problem::Problem;
use super::super::script::Quirk;
use super::super::speech::Context;
use super::request::{missing, wrong_type};
use super::tools::check_name;

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

/// Reads `messages`.
pub(super) fn read(body: &Map<String, Value>, context: &Context<'_>) -> Result<Vec<Line>, Problem> {
    let list = match body.get("messages") {
        None | Some(Value::Null) => return Err(missing("messages")),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
    };
    if list.is_empty() {
        return Err(Problem::bad(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            Some("messages"),
            Some("empty_array"),
        ));
    }
    let mut open = Open::default();
    let mut read = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        read.push(message(at, item, context)?);
        open.pass(at, item)?;
        open.enter(&format!("messages[{at}]"), item, context)?;
    }
    open.end()?;
    Ok(read)
}

/// The calls of the last assistant message, and which of them have been answered.
#[derive(Default)]
struct Open<'a> {
    at: usize,
    calls: Vec<(&'a str, bool)>,
}

impl<'a> Open<'a> {
    /// Takes a tool's message, or closes the list before any other one.
    fn pass(&mut self, at: usize, item: &'a Value) -> Result<(), Problem> {
        if item.get("role").and_then(Value::as_str) != Some("tool") {
            self.end()?;
            self.calls.clear();
            return Ok(());
        }
        let id = item.get("tool_call_id").and_then(Value::as_str).unwrap_or("");
        match self.calls.iter_mut().find(|(call, _)| *call == id) {
            Some((_, answered)) => *answered = true,
            None => {
                return Err(Problem::bad(
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with \
                     'tool_calls'.",
                    Some(&format!("messages.[{at}].role")),
                    None,
                ));
            }
        }
        self.at = at;
        Ok(())
    }

    /// Opens the calls of a message.
    fn enter(&mut self, place: &str, item: &'a Value, context: &Context<'_>) -> Result<(), Problem> {
        let calls = match item.get("tool_calls") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(calls)) => calls,
            Some(other) => {
                return Err(wrong_type(&format!("{place}.tool_calls"), "an array of objects", other));
            }
        };
        for (at, call) in calls.iter().enumerate() {
            let place = format!("{place}.tool_calls[{at}]");
            let Some(id) = call.get("id").and_then(Value::as_str) else {
                return Err(missing(&format!("{place}.id")));
            };
            check_id(&place, id, context)?;
            let custom = call.get("type").and_then(Value::as_str) == Some("custom");
            let (object, arguments) = if custom { ("custom", "input") } else { ("function", "arguments") };
            let Some(function) = call.get(object) else { return Err(missing(&format!("{place}.{object}"))) };
            let Some(name) = function.get("name").and_then(Value::as_str) else {
                return Err(missing(&format!("{place}.{object}.name")));
            };
            check_name(&format!("{place}.{object}.name"), name)?;
            if !function.get(arguments).is_some_and(Value::is_string) {
                return Err(missing(&format!("{place}.{object}.{arguments}")));
            }
            self.calls.push((id, false));
        }
        Ok(())
    }

    /// Refuses calls that were not answered.
    fn end(&self) -> Result<(), Problem> {
        let unanswered: Vec<&str> =
            self.calls.iter().filter(|(_, answered)| !answered).map(|(id, _)| *id).collect();
        if unanswered.is_empty() {
            return Ok(());
        }
        Err(Problem::bad(
            format!(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
                 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
                unanswered.join(", ")
            ),
            Some(&format!("messages.[{}].role", self.at)),
            None,
        ))
    }
}

fn check_id(place: &str, id: &str, context: &Context<'_>) -> Result<(), Problem> {
    let nine = id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if context.has(Quirk::ToolIdNine) && !nine {
        return Err(Problem::invalid(format!(
            "Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9."
        )));
    }
    if context.has(Quirk::ToolIdForty) && id.len() > 40 {
        return Err(Problem::bad(
            format!(
                "Invalid '{place}.id': string too long. Expected a string with maximum length 40, but got a string \
                 with length {} instead.",
                id.len()
            ),
            Some(&format!("{place}.id")),
            Some("string_above_max_length"),
        ));
    }
    Ok(())
}

fn message(at: usize, item: &Value, context: &Context<'_>) -> Result<Line, Problem> {
    let place = format!("messages[{at}]");
    let Value::Object(item) = item else { return Err(wrong_type(&place, "an object", item)) };
    let role = match item.get("role") {
        None | Some(Value::Null) => return Err(missing(&format!("{place}.role"))),
        Some(Value::String(role)) => role,
        Some(other) => return Err(wrong_type(&format!("{place}.role"), "a string", other)),
    };
    let known = ROLES.contains(&role.as_str());
    if !known || (role == "developer" && context.has(Quirk::NoDeveloperRole)) {
        return Err(Problem::bad(
            format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
            ),
            Some(&format!("{place}.role")),
            Some("invalid_value"),
        ));
    }
    if role == "tool" && !item.get("tool_call_id").is_some_and(Value::is_string) {
        return Err(missing(&format!("{place}.tool_call_id")));
    }
    let content = item.get("content").unwrap_or(&Value::Null);
    // An assistant that called tools may have said nothing.
    if content.is_null() && role != "assistant" {
        return Err(wrong_type(&format!("{place}.content"), "one of a string or array of objects", content));
    }
    let speaker = match role.as_str() {
        "user" => Speaker::User,
        "assistant" => Speaker::Model,
        "tool" | "function" => Speaker::Tool,
        _ => Speaker::System,
    };
    Ok(Line { speaker, text: text(&place, content)? })
}

/// The text of a message's content: a string, or parts of which the text ones count.
fn text(place: &str, content: &Value) -> Result<String, Problem> {
    let place = format!("{place}.content");
    let parts = match content {
        Value::Null => return Ok(String::new()),
        Value::String(text) => return Ok(text.clone()),
        Value::Array(parts) => parts,
        other => return Err(wrong_type(&place, "one of a string or array of objects", other)),
    };
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        let place = format!("{place}[{at}]");
        if !part.is_object() {
            return Err(wrong_type(&place, "an object", part));
        }
        match (part.get("type").and_then(Value::as_str), part.get("text").and_then(Value::as_str)) {
            (None, _) => return Err(missing(&format!("{place}.type"))),
            (Some("text"), None) => return Err(missing(&format!("{place}.text"))),
            (Some("text"), Some(words)) => text.push_str(words),
            (Some(_), _) => {}
        }
    }
    Ok(text)
}
