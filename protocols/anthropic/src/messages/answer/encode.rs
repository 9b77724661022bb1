//! A whole answer for a client of this dialect.

use canon::{Answer, Asked, Dialect, Encoded, Stop};
use serde_json::{Map, Value};

use super::{is_foreign, reason, speech::Speech};
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
    let mut message = Map::new();
    let mut put = |name: &str, value: Value| drop(message.insert(name.to_owned(), value));
    put("id", speech.id.clone().into());
    put("type", "message".into());
    put("role", "assistant".into());
    put("model", speech.model(answer.model).into());
    put("content", Value::Array(content));
    // A provider may leave the reason open; then the rest holds a null.
    let own = answer.rest.of(Dialect::Messages);
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
