//! The messages of a request. Each becomes one canonical message; the reports of tools become user messages.

use std::collections::{HashMap, HashSet};

use canon::{Block, DecodeError, Fields, Kind, Message, Role, Signature, ToolResult};
use serde_json::Value;

use super::content;
use crate::chat::kept::{CHAT, Hints, hush, rest_of};
use crate::chat::{calls, citation, thinking};

/// What earlier messages tell about later ones.
#[derive(Default)]
struct Earlier {
    /// The ids of calls of custom tools.
    custom: HashSet<String>,
    /// The ids that were made for deprecated function calls, by the function's name.
    functions: HashMap<String, String>,
    /// How many were made.
    made: u32,
}

pub(super) fn read(messages: Vec<Value>) -> Result<Vec<Message>, DecodeError> {
    let mut earlier = Earlier::default();
    let read =
        |(at, message)| earlier.read(message).map_err(|error| error.within(&format!("messages[{at}]")));
    messages.into_iter().enumerate().map(read).collect()
}

impl Earlier {
    fn read(&mut self, message: Value) -> Result<Message, DecodeError> {
        let mut fields = Fields::of(message)?;
        match fields.need_string("role")?.as_str() {
            "system" => said(fields, Role::System),
            "developer" => said(fields, Role::Developer),
            "user" => said(fields, Role::User),
            "assistant" => self.assistant(fields),
            "tool" => self.tool(fields),
            "function" => self.function(fields),
            _ => {
                let roles = "must be one of system, developer, user, assistant, tool, function";
                Err(DecodeError::new("role", roles))
            }
        }
    }

    fn assistant(&mut self, mut fields: Fields) -> Result<Message, DecodeError> {
        let (mut blocks, mut hints) = (Vec::new(), Hints::new());
        thinking::read(&mut fields, &mut blocks, &mut hints, Signature::read);
        content::read(&mut fields, &mut blocks, &mut hints)?;
        annotations(&mut fields, &mut blocks);
        refusal(&mut fields, &mut blocks)?;
        calls::read(&mut fields, &mut blocks, Signature::read)?;
        calls::read_single(&mut fields, &mut blocks, &mut self.made)?;
        for block in &blocks {
            let Kind::ToolCall(call) = &block.kind else { continue };
            if call.custom {
                self.custom.insert(call.id.clone());
            }
            if block.rest.hinted(CHAT, "$function_call").is_some() {
                self.functions.insert(call.name.clone(), call.id.clone());
            }
        }
        let mut rest = rest_of(fields, hints);
        hush(&mut rest, "annotations", &Value::Array(Vec::new()));
        Ok(Message { role: Role::Assistant, blocks, rest })
    }

    fn tool(&self, mut fields: Fields) -> Result<Message, DecodeError> {
        let call = fields.need_string("tool_call_id")?;
        let custom = self.custom.contains(&call);
        reported(fields, Hints::new(), call, custom)
    }

    fn function(&self, fields: Fields) -> Result<Message, DecodeError> {
        let name = fields.peek_str("name").unwrap_or_default();
        let call = self.functions.get(name).cloned().unwrap_or_default();
        reported(fields, vec![("$function", true.into())], call, false)
    }
}

fn said(mut fields: Fields, role: Role) -> Result<Message, DecodeError> {
    let (mut blocks, mut hints) = (Vec::new(), Hints::new());
    content::read(&mut fields, &mut blocks, &mut hints)?;
    Ok(Message { role, blocks, rest: rest_of(fields, hints) })
}

fn reported(
    mut fields: Fields,
    mut hints: Hints,
    call: String,
    custom: bool,
) -> Result<Message, DecodeError> {
    let mut content = Vec::new();
    content::read(&mut fields, &mut content, &mut hints)?;
    let name = fields.string("name")?;
    let result = ToolResult { call, name, content, failed: false, custom };
    let blocks = vec![Block::new(Kind::ToolResult(result))];
    Ok(Message { role: Role::User, blocks, rest: rest_of(fields, hints) })
}

/// Gives citations to the first text, whose characters they count. Without a text they stay where they are.
pub(in crate::chat) fn annotations(message: &mut Fields, blocks: &mut [Block]) {
    let texts = blocks.iter_mut().find_map(|block| match &mut block.kind {
        Kind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    let Some(citations) = texts else { return };
    match message.take("annotations") {
        Some(Value::Array(list)) if !list.is_empty() => {
            citations.extend(list.into_iter().map(citation::read));
        }
        Some(other) => message.put("annotations", other),
        None => {}
    }
}

pub(in crate::chat) fn refusal(message: &mut Fields, blocks: &mut Vec<Block>) -> Result<(), DecodeError> {
    match message.string("refusal")? {
        Some(text) if text.is_empty() => message.put("refusal", Value::String(text)),
        Some(text) => blocks.push(Block::new(Kind::Refusal(text))),
        None => {}
    }
    Ok(())
}
