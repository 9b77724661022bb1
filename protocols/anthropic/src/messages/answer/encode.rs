//! A whole answer for a client of this dialect.

use canon::{Answer, Asked, Dialect, Encoded, Losses, Stop};
use serde_json::{Map, Value};

use super::{
    is_foreign, reason,
    speech::{Speech, shows_nothing},
};
use crate::usage;

/// Writes a whole answer.
#[must_use]
pub fn encode_answer(answer: Answer, asked: &Asked) -> Encoded {
    let mut speech = Speech::new(asked.clone());
    speech.identify(&answer.id);
    if !answer.logprobs.is_empty() {
        speech.losses.dropped("logprobs");
    }
    let mut content = Vec::with_capacity(answer.blocks.len());
    for block in answer.blocks {
        speech.block(block, &mut content);
    }
    // A provider may leave the reason open; then the rest holds a null.
    let own = answer.rest.of(Dialect::Messages);
    if own.is_none() {
        end_with_text(&mut content, &mut speech.losses);
    }
    let mut message = Map::new();
    let mut put = |name: &str, value: Value| drop(message.insert(name.to_owned(), value));
    put("id", speech.id.clone().into());
    put("type", "message".into());
    put("role", "assistant".into());
    put("model", speech.model(answer.model).into());
    put("content", Value::Array(content));
    if own.is_none_or(|own| !own.contains_key("stop_reason")) {
        let reason = match &answer.stop {
            Stop::Other(word) if own.is_some() => word,
            stop => {
                if is_foreign(stop) {
                    speech.losses.changed("finish_reason");
                }
                reason(stop, speech.called, speech.refused)
            }
        };
        put("stop_reason", reason.into());
    }
    put("stop_sequence", answer.stop_sequence.into());
    let counted = own.is_none_or(|own| !own.contains_key("usage")) || answer.usage.is_some();
    if counted {
        put("usage", usage::put(answer.usage.unwrap_or_default(), &answer.rest));
    }
    answer.rest.write(Dialect::Messages, &mut message, &mut speech.losses);
    Encoded { body: serde_json::to_vec(&message).unwrap_or_default(), losses: speech.losses }
}

/// Takes away thoughts that show nothing and stand behind the last text: an answer never ends with thoughts here, and
/// clients take its last block for what was said.
fn end_with_text(content: &mut Vec<Value>, losses: &mut Losses) {
    let Some(last) = content.iter().rposition(|block| !shows_nothing(block)) else { return };
    if content[last].get("type").and_then(Value::as_str) == Some("text") {
        let said = |block: &Value| {
            ["signature", "data"].iter().any(|name| block[*name].as_str().is_some_and(|it| !it.is_empty()))
        };
        if content.drain(last + 1..).any(|block| said(&block)) {
            losses.dropped("thinking.signature");
        }
    }
}
