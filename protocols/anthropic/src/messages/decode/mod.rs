//! A request in this dialect, read into a [`Turn`]. What has no typed place stays in the rests, so that writing it in
//! the same dialect again gives the same request.

mod blocks;
mod settings;
mod tools;

use canon::{Block, DecodeError, Dialect, Fields, Message, Role, ToolChoice, ToolKind, Turn};
use serde_json::Value;

pub(super) use blocks::{Speaker, blocks, citation};

/// Reads a request.
///
/// # Errors
/// When it is not a request of this dialect; the error names the place.
pub fn decode(body: &[u8]) -> Result<Turn, DecodeError> {
    let mut fields = Fields::parse(body)?;
    let mut turn = Turn { model: fields.need_string("model")?, ..Turn::default() };
    turn.stream = settings::stream(&mut fields)?;
    turn.include_usage = true;
    turn.instructions = system(&mut fields)?;
    turn.messages = messages(&mut fields)?;
    turn.tools = tools::tools(&mut fields)?;
    (turn.tool_choice, turn.parallel_tool_calls) = tools::choice(&mut fields)?;
    if names_web_search(&turn) {
        turn.tool_choice = Some(ToolChoice::WebSearch);
    }
    turn.max_tokens = fields.whole("max_tokens")?;
    turn.sampling = settings::sampling(&mut fields)?;
    turn.stop = settings::stop(&mut fields)?;
    turn.reasoning = settings::thinking(&mut fields)?;
    settings::output(&mut fields, &mut turn)?;
    turn.user = settings::user(&mut fields)?;
    turn.rest = fields.rest(Dialect::Messages);
    Ok(turn)
}

/// Whether the tool that is wanted is the provider's web search.
fn names_web_search(turn: &Turn) -> bool {
    let Some(ToolChoice::Named { name, .. }) = &turn.tool_choice else { return false };
    name == "web_search"
        && turn.tools.iter().any(|tool| tool.kind == ToolKind::WebSearch && tool.name == *name)
}

fn system(fields: &mut Fields) -> Result<Vec<Block>, DecodeError> {
    let Some(value) = fields.take("system") else { return Ok(Vec::new()) };
    let (blocks, hint) = content(value).map_err(|error| error.within("system"))?;
    if let Some(hint) = hint {
        fields.put("$system", hint.into());
    }
    Ok(blocks)
}

fn messages(fields: &mut Fields) -> Result<Vec<Message>, DecodeError> {
    let list = fields.list("messages")?.ok_or_else(|| DecodeError::new("messages", "is missing"))?;
    let read = |(at, value)| message(value).map_err(|error| error.within(&format!("messages[{at}]")));
    list.into_iter().enumerate().map(read).collect()
}

fn message(value: Value) -> Result<Message, DecodeError> {
    let mut fields = Fields::of(value)?;
    let role = match fields.need_string("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        _ => return Err(DecodeError::new("role", "must be `user`, `assistant` or `system`")),
    };
    let value = fields.take("content").ok_or_else(|| DecodeError::new("content", "is missing"))?;
    let (blocks, hint) = content(value).map_err(|error| error.within("content"))?;
    if let Some(hint) = hint {
        fields.put("$content", hint.into());
    }
    Ok(Message { role, blocks, rest: fields.rest(Dialect::Messages) })
}

/// The blocks of a content, and how it was spelled where that is not as a list of blocks.
fn content(value: Value) -> Result<(Vec<Block>, Option<&'static str>), DecodeError> {
    match value {
        Value::String(text) if text.is_empty() => Ok((Vec::new(), Some("string"))),
        Value::String(text) => Ok((vec![Block::text(text)], Some("string"))),
        Value::Array(list) => {
            let hint = list.is_empty().then_some("list");
            Ok((blocks(list, Speaker::Client)?, hint))
        }
        _ => Err(DecodeError::new("", "must be a string or an array")),
    }
}
