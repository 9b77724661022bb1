//! What a request asks for: chat completions to the canonical turn.

mod content;
mod messages;
mod settings;
mod tools;

pub(super) use messages::{annotations, refusal};

use canon::{DecodeError, Fields, Turn};
use serde_json::Value;

use super::kept::{Hints, hush, rest_of};

/// Reads a request.
///
/// # Errors
/// When it is not JSON, or a field that is known here has another type than it should. Unknown fields are kept.
pub fn decode(body: &[u8]) -> Result<Turn, DecodeError> {
    let mut fields = Fields::parse(body)?;
    let mut hints = Hints::new();
    let mut turn = Turn { model: fields.need_string("model")?, ..Turn::default() };
    let messages = fields.list("messages")?.ok_or_else(|| DecodeError::new("messages", "is missing"))?;
    turn.messages = messages::read(messages)?;
    tools::read(&mut fields, &mut turn, &mut hints)?;
    settings::read(&mut fields, &mut turn, &mut hints)?;
    turn.rest = rest_of(fields, hints);
    hush(&mut turn.rest, "n", &Value::from(1));
    hush(&mut turn.rest, "logprobs", &Value::Bool(false));
    Ok(turn)
}
