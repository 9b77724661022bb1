//! `tool_calls` of an assistant's message: both directions, of requests and of answers.

use canon::{Block, DecodeError, Fields, Kind, ToolCall, names};
use serde_json::{Map, Value};

use super::kept::{CHAT, Hints, leave, object, rest_of};
use super::thinking::Read;

/// The calls of a message, in order.
///
/// # Errors
/// When one is not in the shape of a call.
pub(super) fn read(message: &mut Fields, blocks: &mut Vec<Block>, sign: Read) -> Result<(), DecodeError> {
    for (at, call) in message.list("tool_calls")?.unwrap_or_default().into_iter().enumerate() {
        let block = read_one(call, sign).map_err(|error| error.within(&format!("tool_calls[{at}]")))?;
        blocks.push(block);
    }
    Ok(())
}

fn read_one(value: Value, sign: Read) -> Result<Block, DecodeError> {
    let kind = match value.get("type") {
        None | Some(Value::Null) => "function",
        Some(Value::String(kind)) if kind == "function" => "function",
        Some(Value::String(kind)) if kind == "custom" => "custom",
        Some(_) => {
            let mut block = Block::new(Kind::Opaque { dialect: CHAT, value });
            block.rest.hint(CHAT, "$call", true);
            return Ok(block);
        }
    };
    let mut fields = Fields::of(value)?;
    let mut hints = Hints::new();
    if fields.take("type").is_none() {
        hints.push(("$untyped", true.into()));
    }
    let id = fields.string("id")?.unwrap_or_default();
    let mut inner = fields.object(kind)?.ok_or_else(|| DecodeError::new(kind, "is missing"))?;
    let call = read_inner(&mut inner, kind, id).map_err(|error| error.within(kind))?;
    leave(&mut fields, kind, inner);
    let signature = take_signature(&mut fields).map(|wire| sign(&wire));
    let call = ToolCall { signature, ..call };
    Ok(Block { kind: Kind::ToolCall(call), cache: None, rest: rest_of(fields, hints) })
}

fn read_inner(inner: &mut Fields, kind: &str, id: String) -> Result<ToolCall, DecodeError> {
    let custom = kind == "custom";
    let name = inner.need_string("name")?;
    let arguments = match inner.take(if custom { "input" } else { "arguments" }) {
        None => String::new(),
        Some(Value::String(text)) => text,
        // Some write the object itself.
        Some(other) => other.to_string(),
    };
    Ok(ToolCall { id, name, namespace: None, arguments, custom, signature: None })
}

/// Takes Gemini's signature of a call out of where Google's endpoint for this dialect puts it.
fn take_signature(fields: &mut Fields) -> Option<String> {
    fields.peek("extra_content")?.get("google")?.get("thought_signature")?.as_str()?;
    let mut extra = fields.object("extra_content").ok()??;
    let mut google = extra.object("google").ok()??;
    let signature = google.string("thought_signature").ok()?;
    leave(&mut extra, "google", google);
    leave(fields, "extra_content", extra);
    signature
}

/// The deprecated `function_call` of a message. It has no id, so it gets one: `made` counts those.
pub(super) fn read_single(
    message: &mut Fields,
    blocks: &mut Vec<Block>,
    made: &mut u32,
) -> Result<(), DecodeError> {
    let Some(mut inner) = message.object("function_call")? else { return Ok(()) };
    let id = names::made("function_call", *made);
    *made += 1;
    let call = read_inner(&mut inner, "function", id).map_err(|error| error.within("function_call"))?;
    let rest = rest_of(inner, vec![("$function_call", true.into())]);
    blocks.push(Block { kind: Kind::ToolCall(call), cache: None, rest });
    Ok(())
}

/// A call as it is written, without its block's rest.
pub(super) fn write(
    id: &str,
    name: &str,
    arguments: &str,
    custom: bool,
    signature: Option<String>,
) -> Map<String, Value> {
    let (kind, field) = if custom { ("custom", "input") } else { ("function", "arguments") };
    let inner = object([("name", name.into()), (field, arguments.into())]);
    let mut call = object([("id", id.into()), ("type", kind.into()), (kind, inner.into())]);
    if let Some(signature) = signature {
        call.insert("extra_content".to_owned(), extra(signature).into());
    }
    call
}

/// What holds the signature of a call.
pub(super) fn extra(signature: String) -> Map<String, Value> {
    object([("google", object([("thought_signature", signature.into())]).into())])
}

/// Free text as the arguments of a function.
pub(super) fn wrapped(input: &str) -> String {
    Value::Object(object([(names::CUSTOM_INPUT, input.into())])).to_string()
}

/// The free text back out of the arguments. What the model wrote in another form is handed on as it is.
pub(super) fn unwrapped(arguments: String) -> String {
    match serde_json::from_str(&arguments) {
        Ok(Value::Object(mut map)) => match map.get_mut(names::CUSTOM_INPUT).map(Value::take) {
            Some(Value::String(input)) => input,
            _ => arguments,
        },
        _ => arguments,
    }
}
