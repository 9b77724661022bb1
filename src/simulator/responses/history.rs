//! The conversation: what came before, that calls and outputs belong together, and that reasoning is one's own.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Speaker};
use super::super::chat::request::{missing, wrong_type};
use super::super::problem::Problem;
use super::super::seal;
use super::super::speech::Context;
use super::{COMPACTION, REASONING, checks, items};

/// The most responses that are followed back.
const LONGEST_CHAIN: usize = 1_000;

/// What a request says, and what was said before it.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// The items of the request itself.
    pub(super) input: Vec<Value>,
    /// Whether the conversation is to be compacted.
    pub(super) compacts: bool,
}

/// Reads `instructions`, `previous_response_id` and `input` into what is asked.
pub(super) fn read(body: &Map<String, Value>, ask: &mut Ask, context: &Context<'_>) -> Result<Talk, Problem> {
    match body.get("instructions") {
        None | Some(Value::Null) => {}
        Some(Value::String(words)) => ask.say(Speaker::System, words.as_str()),
        Some(other) => return Err(wrong_type("instructions", "a string", other)),
    }
    let before = previous(body, context)?;
    let input = input(body)?;
    let mut calls = Calls::default();
    for item in &before {
        let item = checks::object("input", item)?;
        let kind = items::kind("input", item)?;
        calls.pass(kind, item)?;
        say(ask, kind, item, &items::check("input", kind, item).unwrap_or_default());
    }
    let mut compacts = false;
    for (at, item) in input.iter().enumerate() {
        let place = format!("input[{at}]");
        let item = checks::object(&place, item)?;
        let kind = items::kind(&place, item)?;
        let text = items::check(&place, kind, item)?;
        match kind {
            "reasoning" => {
                own_reasoning(item, context)?;
                followed(item, input.get(at + 1))?;
            }
            "compaction" => own(item, context, COMPACTION)?,
            "item_reference" => referred(&place, item, context)?,
            "compaction_trigger" => compacts = true,
            _ => {}
        }
        led_to(kind, item, at.checked_sub(1).and_then(|before| input.get(before)), context)?;
        calls.pass(kind, item)?;
        say(ask, kind, item, &text);
    }
    calls.end()?;
    Ok(Talk { input, compacts })
}

/// The items of the request; a text is a message of the user.
fn input(body: &Map<String, Value>) -> Result<Vec<Value>, Problem> {
    let others = ["previous_response_id", "conversation", "prompt"];
    match body.get("input") {
        None | Some(Value::Null)
            if others.iter().any(|name| body.get(*name).is_some_and(|it| !it.is_null())) =>
        {
            Ok(Vec::new())
        }
        None | Some(Value::Null) => Err(missing("input")),
        Some(Value::String(text)) => Ok(vec![json!({"type": "message", "role": "user", "content": text})]),
        Some(Value::Array(list)) => Ok(list.clone()),
        Some(other) => Err(wrong_type("input", "one of a string or array of objects", other)),
    }
}

/// All items of the responses before, oldest first.
fn previous(body: &Map<String, Value>, context: &Context<'_>) -> Result<Vec<Value>, Problem> {
    let mut next = match body.get("previous_response_id") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::String(id)) => Some(id.clone()),
        Some(other) => return Err(wrong_type("previous_response_id", "a string", other)),
    };
    let memory = context.memory();
    let mut chain = Vec::new();
    while let Some(id) = next.take().filter(|_| chain.len() < LONGEST_CHAIN) {
        let Some(stored) = memory.response(context.key, &id) else {
            return Err(Problem::bad(
                format!("Previous response with id '{id}' not found."),
                Some("previous_response_id"),
                Some("previous_response_not_found"),
            ));
        };
        next.clone_from(&stored.previous);
        chain.push(stored);
    }
    let mut items = Vec::new();
    for stored in chain.into_iter().rev() {
        items.extend(stored.input.iter().cloned());
        items.extend(stored.body["output"].as_array().into_iter().flatten().cloned());
    }
    Ok(items)
}

/// Refuses encrypted content that was not made for this key.
fn own(item: &Map<String, Value>, context: &Context<'_>, purpose: &str) -> Result<(), Problem> {
    let content = item.get("encrypted_content").and_then(Value::as_str).unwrap_or("");
    if seal::is_own(content, context.key, purpose) {
        return Ok(());
    }
    let id = item.get("id").and_then(Value::as_str).unwrap_or("");
    Err(Problem::bad(
        format!(
            "The encrypted content for item {id} could not be verified. Reason: Encrypted content could not be \
             decrypted or parsed."
        ),
        None,
        Some("invalid_encrypted_content"),
    ))
}

/// Reasoning has to be encrypted for this key, or stored for it.
fn own_reasoning(item: &Map<String, Value>, context: &Context<'_>) -> Result<(), Problem> {
    if item.get("encrypted_content").is_some_and(|content| !content.is_null()) {
        return own(item, context, REASONING);
    }
    let Some(id) = item.get("id").and_then(Value::as_str) else { return Err(missing("input.id")) };
    if context.memory().has_item(context.key, id) { Ok(()) } else { Err(not_stored(id)) }
}

fn referred(place: &str, item: &Map<String, Value>, context: &Context<'_>) -> Result<(), Problem> {
    let id = checks::text(place, item, "id")?;
    if context.memory().has_item(context.key, id) { Ok(()) } else { Err(not_stored(id)) }
}

fn not_stored(id: &str) -> Problem {
    let message = format!(
        "Item with id '{id}' not found. Items are not persisted when `store` is set to false. Try again with `store` \
         set to true, or remove this item from your input."
    );
    Problem::new(404, message, "invalid_request_error", Some("input"), None)
}

/// Refuses reasoning without what was reasoned out.
fn followed(item: &Map<String, Value>, next: Option<&Value>) -> Result<(), Problem> {
    let next = next.and_then(Value::as_object);
    let follows = next.is_some_and(|next| match next.get("type").and_then(Value::as_str) {
        None | Some("message") => next.get("role").is_some_and(|role| role == "assistant"),
        Some("item_reference" | "reasoning" | "compaction" | "compaction_trigger") => true,
        Some(kind) => kind.ends_with("_call"),
    });
    if follows {
        return Ok(());
    }
    let id = item.get("id").and_then(Value::as_str).unwrap_or("");
    Err(Problem::bad(
        format!("Item '{id}' of type 'reasoning' was provided without its required following item."),
        Some("input"),
        None,
    ))
}

/// Refuses an item that was stored with reasoning right before it, and comes without.
fn led_to(
    kind: &str,
    item: &Map<String, Value>,
    before: Option<&Value>,
    context: &Context<'_>,
) -> Result<(), Problem> {
    let Some(id) = item.get("id").and_then(Value::as_str) else { return Ok(()) };
    let memory = context.memory();
    let Some(reasoning) = memory.reasoning_of(context.key, id) else { return Ok(()) };
    if before.is_some_and(|before| before["id"] == reasoning) {
        return Ok(());
    }
    let message = format!(
        "Item '{id}' of type '{kind}' was provided without its required 'reasoning' item: '{reasoning}'."
    );
    Err(Problem::bad(message, Some("input"), None))
}

/// The calls that were made, and which of them have an output.
#[derive(Default)]
struct Calls {
    made: std::collections::HashMap<String, (bool, bool)>,
    order: Vec<String>,
}

impl Calls {
    fn pass(&mut self, kind: &str, item: &Map<String, Value>) -> Result<(), Problem> {
        let id = item.get("call_id").and_then(Value::as_str).unwrap_or("");
        let custom = kind.starts_with("custom");
        match kind {
            "function_call" | "custom_tool_call" => {
                self.made.insert(id.to_owned(), (custom, false));
                self.order.push(id.to_owned());
            }
            "function_call_output" | "custom_tool_call_output" => match self.made.get_mut(id) {
                Some((made_custom, answered)) if *made_custom == custom => *answered = true,
                _ => {
                    let kind = if custom { "custom tool" } else { "function" };
                    let message = format!("No tool call found for {kind} call output with call_id {id}.");
                    return Err(Problem::bad(message, Some("input"), None));
                }
            },
            _ => {}
        }
        Ok(())
    }

    fn end(&self) -> Result<(), Problem> {
        let open = self.order.iter().find_map(|id| match self.made.get(id) {
            Some((custom, false)) => Some((id, *custom)),
            _ => None,
        });
        let Some((id, custom)) = open else { return Ok(()) };
        let kind = if custom { "custom tool" } else { "function" };
        let message = format!("No tool output found for {kind} call {id}.");
        Err(Problem::bad(message, Some("input"), None))
    }
}

/// Adds an item to what was said.
fn say(ask: &mut Ask, kind: &str, item: &Map<String, Value>, text: &str) {
    match (kind, item.get("role").and_then(Value::as_str)) {
        ("message", Some("user")) => ask.say(Speaker::User, text),
        ("message", Some("assistant")) => ask.model_says(text),
        ("message", _) => ask.say(Speaker::System, text),
        ("function_call" | "custom_tool_call", _) => ask.model_says(""),
        ("function_call_output" | "custom_tool_call_output", _) => ask.say(Speaker::Tool, text),
        _ => {}
    }
}
