//! A request, read.

use std::collections::HashSet;

use canon::{Block, DecodeError, Fields, Message, Rest, Role, Sampling, Tool, Turn};
use serde_json::{Value, json};

use super::{choice, echo, hint, settings, tools};
use crate::responses::{OWN, item};

/// Reads a request.
///
/// # Errors
/// When it is not JSON, or a field has the wrong type.
pub fn decode(body: &[u8]) -> Result<Turn, DecodeError> {
    let mut fields = Fields::parse(body)?;
    let mut hints = Rest::default();
    let mut turn = Turn { echo: echo::of(&fields), ..Turn::default() };
    turn.model = fields.need_string("model")?;
    turn.stream = stream(&mut fields, &mut hints)?;
    turn.include_usage = turn.stream;
    turn.instructions = instructions(&mut fields, &mut hints)?;
    turn.tools = offered(&mut fields, &mut hints)?;
    turn.messages = conversation(&mut fields, &mut turn.tools, &mut hints)?;
    turn.tool_choice = choice::read(&mut fields, &turn.tools, &mut hints);
    turn.parallel_tool_calls = fields.flag("parallel_tool_calls")?;
    turn.max_tokens = fields.whole("max_output_tokens")?;
    turn.sampling = Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        ..Sampling::default()
    };
    turn.reasoning = fields.object("reasoning")?.map(settings::reasoning);
    turn.format = settings::format(&mut fields, &mut hints)?;
    turn.user = user(&mut fields, &mut hints)?;
    turn.rest = fields.rest(OWN);
    for (name, value) in hints.fields {
        turn.rest.hint(OWN, &name, value);
    }
    Ok(turn)
}

fn stream(fields: &mut Fields, hints: &mut Rest) -> Result<bool, DecodeError> {
    let stream = fields.flag("stream")?;
    if stream == Some(false) {
        hints.hint(OWN, hint::STREAM, false);
    }
    Ok(stream == Some(true))
}

fn instructions(fields: &mut Fields, hints: &mut Rest) -> Result<Vec<Block>, DecodeError> {
    Ok(match fields.string("instructions")? {
        None => Vec::new(),
        Some(text) if text.is_empty() => {
            hints.hint(OWN, hint::INSTRUCTIONS, "");
            Vec::new()
        }
        Some(text) => vec![Block::text(text)],
    })
}

fn offered(fields: &mut Fields, hints: &mut Rest) -> Result<Vec<Tool>, DecodeError> {
    let Some(list) = fields.list("tools")? else { return Ok(Vec::new()) };
    if list.is_empty() {
        hints.hint(OWN, hint::TOOLS, true);
    }
    Ok(tools::read(list))
}

fn user(fields: &mut Fields, hints: &mut Rest) -> Result<Option<String>, DecodeError> {
    if let Some(user) = fields.string("user")? {
        return Ok(Some(user));
    }
    let user = fields.string("safety_identifier")?;
    if user.is_some() {
        hints.hint(OWN, hint::USER, "safety_identifier");
    }
    Ok(user)
}

fn conversation(
    fields: &mut Fields,
    tools: &mut Vec<Tool>,
    hints: &mut Rest,
) -> Result<Vec<Message>, DecodeError> {
    match fields.take("input") {
        None => {
            hints.hint(OWN, hint::INPUT, "absent");
            Ok(Vec::new())
        }
        Some(Value::String(text)) => {
            hints.hint(OWN, hint::INPUT, "string");
            let said = (!text.is_empty()).then(|| Message::new(Role::User, vec![Block::text(text)]));
            Ok(said.into_iter().collect())
        }
        Some(Value::Array(items)) => read_items(items, tools, hints),
        Some(_) => Err(DecodeError::new("input", "must be a string or an array")),
    }
}

fn read_items(
    items: Vec<Value>,
    tools: &mut Vec<Tool>,
    hints: &mut Rest,
) -> Result<Vec<Message>, DecodeError> {
    let mut conversation = item::Conversation::default();
    let mut brought = Brought::default();
    for (at, value) in items.into_iter().enumerate() {
        match value.get("type").and_then(Value::as_str) {
            Some("additional_tools") => {
                brought.add(&value, tools);
                brought.placed.push(json!({ "at": at, "item": value }));
                continue;
            }
            // Found by a search that the client ran: the model may call them from here on.
            Some("tool_search_output") => brought.add(&value, tools),
            _ => {}
        }
        conversation.push(item::read(value).map_err(|error| error.within(&format!("input[{at}]")))?);
    }
    if !brought.placed.is_empty() {
        hints.hint(OWN, hint::PLACED, brought.placed);
    }
    Ok(conversation.finish())
}

/// The tools that items of the input bring along.
#[derive(Default)]
struct Brought {
    /// The items that are nothing but tools.
    placed: Vec<Value>,
    /// The tools that are known, by namespace and name; filled when it is first needed.
    known: Option<HashSet<(Option<String>, String)>>,
}

impl Brought {
    /// Offers the tools of an item, if they are not on offer already.
    fn add(&mut self, item: &Value, tools: &mut Vec<Tool>) {
        let Some(Value::Array(list)) = item.get("tools") else { return };
        let key = |tool: &Tool| (tool.namespace.clone(), tool.name.clone());
        let known = self.known.get_or_insert_with(|| tools.iter().map(key).collect());
        for mut tool in tools::read(list.clone()) {
            if tool.name.is_empty() || known.insert(key(&tool)) {
                tool.rest.hint(OWN, hint::BROUGHT, true);
                tools.push(tool);
            }
        }
    }
}
