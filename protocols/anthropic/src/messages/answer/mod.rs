//! Answers in this dialect: read from a provider, whole or as a stream, and written for a client.

mod decoder;
mod encode;
mod encoder;
mod speech;

use canon::{Answer, AnswerError, Dialect, Fields, Stop};
use serde_json::Value;

use super::decode::{Speaker, blocks};
use crate::{fault, usage};

pub use decoder::Decoder;
pub use encode::encode_answer;
pub use encoder::Encoder;

/// Reads a whole answer. Signatures in it are without their maker, whom the caller knows.
///
/// # Errors
/// When it is an error object, or no message.
pub fn decode_answer(body: &[u8]) -> Result<Answer, AnswerError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(AnswerError::Empty);
    }
    let value: Value = serde_json::from_slice(body).map_err(|_| AnswerError::Garbage)?;
    if is_error(&value) {
        return Err(AnswerError::Reported(fault::message_in(&value)));
    }
    read(value).map_err(|_| AnswerError::Garbage)?.ok_or(AnswerError::Empty)
}

fn is_error(value: &Value) -> bool {
    let kind = value.get("type").and_then(Value::as_str);
    kind == Some("error") || value.get("error").is_some_and(|error| !error.is_null())
}

/// The answer; `None` if it holds nothing and does not say why it ended.
fn read(value: Value) -> Result<Option<Answer>, canon::DecodeError> {
    let mut fields = Fields::of(value)?;
    fields.take("type");
    fields.take("role");
    let content = fields.list("content")?;
    let reason = fields.string("stop_reason")?;
    let Some(content) = content.filter(|content| !content.is_empty() || reason.is_some()) else {
        return Ok(None);
    };
    let mut answer = Answer {
        id: fields.string("id")?.unwrap_or_default(),
        model: fields.string("model")?.unwrap_or_default(),
        blocks: blocks(content, Speaker::Provider)?,
        stop: reason.map(stop).unwrap_or_default(),
        stop_sequence: fields.string("stop_sequence")?,
        ..Answer::default()
    };
    let used = fields.take("usage");
    answer.rest = fields.rest(Dialect::Messages);
    answer.usage = used.and_then(|used| usage::take(used, &mut answer.rest));
    Ok(Some(answer))
}

/// The reason behind a word.
fn stop(word: String) -> Stop {
    match word.as_str() {
        "end_turn" => Stop::End,
        "max_tokens" => Stop::MaxTokens,
        "stop_sequence" => Stop::Sequence,
        "tool_use" => Stop::ToolUse,
        "pause_turn" => Stop::Pause,
        "refusal" => Stop::Refusal,
        "model_context_window_exceeded" => Stop::ContextFull,
        _ => Stop::Other(word),
    }
}

/// Whether a reason has no word here: the answer then just ends, since clients know the documented words only.
const fn is_foreign(stop: &Stop) -> bool {
    matches!(stop, Stop::Other(_))
}

/// The word for a reason. `called` and `refused` say what the answer holds: clients run tools only after `tool_use`,
/// and wait for calls that do not come if there are none.
fn reason(stop: &Stop, called: bool, refused: bool) -> &str {
    match stop {
        Stop::End | Stop::ToolUse | Stop::Other(_) if called => "tool_use",
        Stop::End | Stop::Other(_) if refused => "refusal",
        Stop::End | Stop::ToolUse | Stop::Other(_) => "end_turn",
        Stop::MaxTokens => "max_tokens",
        Stop::Sequence => "stop_sequence",
        Stop::Refusal => "refusal",
        Stop::Pause => "pause_turn",
        Stop::ContextFull => "model_context_window_exceeded",
    }
}
