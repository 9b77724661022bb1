//! The conversation: who speaks, and that every use of a tool has its result right behind it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::super::ask::{Ask, Speaker};
use super::super::fields::{below, list, object, only, required, text, wrong};
use super::super::problem::Problem;
use super::super::speech::Context;
use super::blocks;
use super::thinking::Thinking;

/// Reads `system` and `messages` into what is asked.
pub(super) fn read(body: &Map<String, Value>, ask: &mut Ask, context: &Context<'_>) -> Result<(), Problem> {
    if let Some(system) = super::super::fields::set(body, "system") {
        ask.say(Speaker::System, self::system(system)?);
    }
    let messages = list("messages", required("", body, "messages")?)?;
    if messages.is_empty() {
        return Err(wrong("messages", "at least one message is required"));
    }
    let mut uses = Uses::default();
    let mut begun = false;
    for (at, message) in messages.iter().enumerate() {
        let place = format!("messages.{at}");
        let message = object(&place, message)?;
        only(&place, message, &["role", "content"])?;
        let role = text(&place, message, "role")?;
        if !matches!(role, "user" | "assistant" | "system") {
            return Err(wrong(&below(&place, "role"), "Input should be 'user' or 'assistant'"));
        }
        if !begun && role == "assistant" {
            return Err(wrong("messages", "first message must use the \"user\" role"));
        }
        begun |= role == "user";
        let content = required(&place, message, "content")?;
        let last = at + 1 == messages.len();
        filled(&place, content, role == "assistant" && last)?;
        uses.results(at, role, content)?;
        say(ask, &place, role, content, context)?;
        uses.open(at, role, content)?;
    }
    uses.end()?;
    if let Some(Value::String(words)) =
        messages.last().filter(|last| last["role"] == "assistant").map(|last| &last["content"])
        && words.ends_with(char::is_whitespace)
    {
        return Err(wrong("messages", "final assistant content cannot end with trailing whitespace"));
    }
    Ok(())
}

fn system(system: &Value) -> Result<String, Problem> {
    if let Value::String(words) = system {
        return Ok(words.clone());
    }
    let mut joined = String::new();
    for (at, block) in list("system", system)?.iter().enumerate() {
        let place = format!("system.{at}");
        let block = object(&place, block)?;
        if blocks::kind(&place, block)? != "text" {
            return Err(wrong(&below(&place, "type"), "Input should be 'text'"));
        }
        blocks::mark(&place, block)?;
        joined.push_str(&blocks::words(&place, block)?);
    }
    Ok(joined)
}

/// Refuses a message that says nothing.
fn filled(place: &str, content: &Value, may_be_empty: bool) -> Result<(), Problem> {
    let empty = match content {
        Value::String(words) => words.trim().is_empty(),
        Value::Array(blocks) => blocks.is_empty(),
        _ => return Err(wrong(&below(place, "content"), "Input should be a valid list")),
    };
    if empty && !may_be_empty {
        return Err(wrong(
            place,
            "all messages must have non-empty content except for the optional final assistant message",
        ));
    }
    Ok(())
}

/// Adds a message to what was said: each result of a tool by itself, all other text in one piece.
fn say(
    ask: &mut Ask,
    place: &str,
    role: &str,
    content: &Value,
    context: &Context<'_>,
) -> Result<(), Problem> {
    let model = role == "assistant";
    let speaker = match role {
        "user" => Speaker::User,
        "assistant" => Speaker::Model,
        _ => Speaker::System,
    };
    let Value::Array(content) = content else {
        ask.say(speaker, content.as_str().unwrap_or(""));
        return Ok(());
    };
    let mut words = String::new();
    let mut results = 0;
    for (at, block) in content.iter().enumerate() {
        let place = below(place, format!("content.{at}"));
        let said = blocks::check(&place, block, model, context)?;
        if block["type"] == "tool_result" {
            ask.say(Speaker::Tool, said);
            results += 1;
        } else {
            words.push_str(&said);
        }
    }
    if results < content.len() {
        ask.say(speaker, words);
    }
    if content.last().is_some_and(|last| last["type"] == "thinking") && model {
        return Err(wrong(place, "The final block in an assistant message cannot be `thinking`."));
    }
    Ok(())
}

fn ids<'a>(content: &'a Value, kind: &'a str, field: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    let blocks = content.as_array().map_or(&[][..], Vec::as_slice);
    let of_kind = blocks.iter().enumerate().filter(move |(_, block)| block["type"] == kind);
    of_kind.map(move |(at, block)| (at, block.get(field).and_then(Value::as_str).unwrap_or("")))
}

/// The uses of tools in the message before.
#[derive(Default)]
struct Uses<'a> {
    at: usize,
    open: Vec<&'a str>,
    seen: HashSet<&'a str>,
}

impl<'a> Uses<'a> {
    /// Notes the uses in a message of the model.
    fn open(&mut self, at: usize, role: &str, content: &'a Value) -> Result<(), Problem> {
        self.at = at;
        if role != "assistant" {
            return Ok(());
        }
        for (_, id) in ids(content, "tool_use", "id") {
            if !self.seen.insert(id) {
                return Err(wrong("messages", "`tool_use` ids must be unique"));
            }
            self.open.push(id);
        }
        Ok(())
    }

    /// Matches the results at the head of a message with the uses before it.
    fn results(&mut self, at: usize, role: &str, content: &Value) -> Result<(), Problem> {
        let mut open: HashSet<&str> = self.open.iter().copied().collect();
        let results = ids(content, "tool_result", "tool_use_id").filter(|_| role == "user");
        for (first, (place, id)) in results.enumerate() {
            if !open.remove(id) {
                return Err(wrong(
                    &format!("messages.{at}.content.{place}"),
                    format!(
                        "unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result` block must \
                         have a corresponding `tool_use` block in the previous message."
                    ),
                ));
            }
            if place != first {
                // Something else came between the use and its result.
                return self.end();
            }
        }
        self.open.retain(|id| open.contains(id));
        self.end()
    }

    /// Refuses uses without a result.
    fn end(&self) -> Result<(), Problem> {
        if self.open.is_empty() {
            return Ok(());
        }
        Err(wrong(
            &format!("messages.{}", self.at),
            format!(
                "`tool_use` ids were found without `tool_result` blocks immediately after: {}. Each `tool_use` block \
                 must have a corresponding `tool_result` block in the next message.",
                self.open.join(", ")
            ),
        ))
    }
}

/// With a budget to think, the message that began an open round of tools must begin with its thinking.
pub(super) fn begins_with_thinking(body: &Map<String, Value>, thinking: Thinking) -> Result<(), Problem> {
    let Some(messages) = body.get("messages").and_then(Value::as_array).filter(|_| thinking.budgeted) else {
        return Ok(());
    };
    let answers = messages.iter().rfind(|message| message["role"] != "system");
    let is_open =
        answers.is_some_and(|last| ids(&last["content"], "tool_result", "tool_use_id").next().is_some());
    let Some((at, message)) =
        messages.iter().enumerate().rfind(|(_, message)| message["role"] == "assistant").filter(|_| is_open)
    else {
        return Ok(());
    };
    let first = message["content"][0]["type"].as_str().unwrap_or("text");
    if matches!(first, "thinking" | "redacted_thinking") {
        return Ok(());
    }
    Err(wrong(
        &format!("messages.{at}.content.0.type"),
        format!(
            "Expected `thinking` or `redacted_thinking`, but found `{first}`. When `thinking` is enabled, a final \
             `assistant` message must start with a thinking block (preceeding the lastmost set of `tool_use` and \
             `tool_result` blocks). To avoid this requirement, disable `thinking`."
        ),
    ))
}
