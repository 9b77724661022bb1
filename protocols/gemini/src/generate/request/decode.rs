//! A request as a turn.

use canon::{Block, DecodeError, Dialect, Fields, Message, Rest, Role, Turn};
use serde_json::{Map, Value};

use super::{config, thoughts, tools};
use crate::generate::{
    hints,
    part::{Calls, Reader},
    signature, spelling,
};

/// Reads a request. The model and whether to stream stand in its path: the caller sets them.
///
/// # Errors
/// When the body is not a request of this dialect.
pub fn decode(body: &[u8]) -> Result<Turn, DecodeError> {
    let mut map = Fields::parse(body)?.into_map();
    let found = spelling::tidy(&mut map, &spelling::REQUEST);
    let mut fields = Fields::new(map);
    // Some SDKs repeat the model of the path.
    let mut turn = Turn { include_usage: true, ..Turn::default() };
    let mut own = Rest::default();
    spelling::keep(&mut own, found);
    let mut calls = Calls::new("contents");
    instructions(&mut fields, &mut calls, &mut turn, &mut own)?;
    let contents = fields.take("contents").ok_or_else(|| DecodeError::new("contents", "is missing"))?;
    let (contents, single) =
        hints::as_list(contents).ok_or_else(|| DecodeError::new("contents", "must be an array"))?;
    if single {
        hints::leave(&mut own, "$single", true);
    }
    for (at, content) in contents.into_iter().enumerate() {
        let message =
            message(content, &mut calls).map_err(|error| error.within(&format!("contents[{at}]")))?;
        turn.messages.push(message);
    }
    thoughts::join(&mut turn.messages);
    tools::decode(&mut fields, &mut turn, &mut own)?;
    tools::decode_choice(&mut fields, &mut turn, &mut own)?;
    config::decode(&mut fields, &mut turn, &mut own)?;
    turn.rest = joined(fields.into_map(), own);
    Ok(turn)
}

/// The fields that nobody understood, and the hints behind them.
fn joined(left: Map<String, Value>, mut own: Rest) -> Rest {
    let mut rest = Rest::new(Dialect::Gemini, left);
    if !own.fields.is_empty() {
        rest.dialect = Some(Dialect::Gemini);
        rest.fields.append(&mut own.fields);
    }
    rest
}

fn instructions(
    fields: &mut Fields,
    calls: &mut Calls,
    turn: &mut Turn,
    own: &mut Rest,
) -> Result<(), DecodeError> {
    match fields.take("systemInstruction") {
        None => Ok(()),
        Some(Value::String(text)) => {
            hints::leave(own, "$systemText", true);
            turn.instructions.extend((!text.is_empty()).then(|| Block::text(text)));
            Ok(())
        }
        Some(content) => {
            let message = message(content, calls).map_err(|error| error.within("systemInstruction"))?;
            turn.instructions = message.blocks;
            hints::leave(own, "$system", message.rest.fields);
            Ok(())
        }
    }
}

/// Reads a content.
fn message(content: Value, calls: &mut Calls) -> Result<Message, DecodeError> {
    let mut fields = Fields::of(content)?;
    let role = match fields.peek("role") {
        None => {
            return rest_of_message(Role::User, None, fields, calls);
        }
        Some(Value::String(role)) => match role.as_str() {
            "user" | "function" | "tool" => Role::User,
            "model" | "assistant" => Role::Assistant,
            "system" => Role::System,
            // An empty role is an absent one.
            "" => Role::User,
            _ => return Err(DecodeError::new("role", "must be `user` or `model`")),
        },
        Some(_) => return Err(DecodeError::new("role", "must be a string")),
    };
    let word = fields.take("role");
    rest_of_message(role, word, fields, calls)
}

fn rest_of_message(
    role: Role,
    word: Option<Value>,
    mut fields: Fields,
    calls: &mut Calls,
) -> Result<Message, DecodeError> {
    let parts = fields.take("parts");
    let mut rest = fields.rest(Dialect::Gemini);
    let usual = if role == Role::Assistant { "model" } else { "user" };
    match word {
        Some(word) if word == usual => {}
        word => hints::leave(&mut rest, "$role", word.unwrap_or_default()),
    }
    let mut blocks = Vec::new();
    let Some(parts) = parts else {
        hints::leave(&mut rest, "$noParts", true);
        return Ok(Message { role, blocks, rest });
    };
    let (parts, single) =
        hints::as_list(parts).ok_or_else(|| DecodeError::new("parts", "must be an array"))?;
    if single {
        hints::leave(&mut rest, "$single", true);
    }
    let mut reader = Reader { signature: signature::read, thoughts: signature::thoughts, calls };
    let silent = reader.parts(parts, &mut blocks).map_err(|error| error.within("parts"))?;
    if !silent.is_empty() {
        hints::leave(&mut rest, "$silent", silent);
    }
    Ok(Message { role, blocks, rest })
}
