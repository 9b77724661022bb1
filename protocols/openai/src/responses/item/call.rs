//! Calls of tools and their outputs, read.

use canon::{Block, DecodeError, Fields, Kind, Role, ToolCall, ToolResult};
use serde_json::Value;

use super::{Item, hint, keep, part, rest_of};

/// Reads a call. One without a name or arguments is kept as it is.
pub(super) fn read(mut fields: Fields, custom: bool) -> Item {
    let input = if custom { "input" } else { "arguments" };
    if ["call_id", "name", input].into_iter().any(|name| fields.peek_str(name).is_none()) {
        return Item::opaque(fields);
    }
    let mut text = |name: &str| fields.string(name).ok().flatten().unwrap_or_default();
    let (id, name, arguments) = (text("call_id"), text("name"), text(input));
    let namespace = fields.peek_str("namespace").map(str::to_owned);
    if namespace.is_some() {
        fields.take("namespace");
    }
    fields.take("type");
    let mut kept = Vec::new();
    keep(&mut fields, "id", hint::ID, &mut kept);
    keep(&mut fields, "status", hint::STATUS, &mut kept);
    let call = ToolCall { id, name, namespace, arguments, custom, signature: None };
    let mut block = Block::new(Kind::ToolCall(call));
    block.rest = rest_of(fields, kept);
    Item::of(Role::Assistant, block)
}

/// Reads what a tool answered.
pub(super) fn read_output(mut fields: Fields, custom: bool) -> Result<Item, DecodeError> {
    let mut kept = Vec::new();
    let call = fields.string("call_id")?.unwrap_or_default();
    let content = match fields.take("output") {
        Some(Value::String(text)) => {
            kept.push((hint::STRING, Value::Bool(true)));
            if text.is_empty() { Vec::new() } else { vec![Block::text(text)] }
        }
        Some(Value::Array(parts)) => parts.into_iter().map(|value| part::read(value, false)).collect(),
        None => Vec::new(),
        Some(_) => return Err(DecodeError::new("output", "must be a string or an array")),
    };
    let name = fields.peek_str("name").map(str::to_owned);
    fields.take("type");
    keep(&mut fields, "id", hint::ID, &mut kept);
    keep(&mut fields, "status", hint::STATUS, &mut kept);
    keep(&mut fields, "name", hint::NAME, &mut kept);
    keep(&mut fields, "namespace", hint::NAMESPACE, &mut kept);
    let mut block = Block::new(Kind::ToolResult(ToolResult { call, name, content, failed: false, custom }));
    block.rest = rest_of(fields, kept);
    Ok(Item::of(Role::User, block))
}
