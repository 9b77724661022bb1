//! A response object, written: as it was, where it was one, and else as the stream of the same answer would end.

use canon::{Answer, Asked, Encoded, Losses, Role};
use serde_json::{Map, Value};

use super::SPELT;
use crate::responses::{
    OWN,
    events::Encoder,
    item::{Items, Purpose},
    usage,
};

/// Writes a unary answer.
#[must_use]
pub fn encode_answer(answer: Answer, asked: &Asked) -> Encoded {
    let spelt = answer.rest.hinted(OWN, SPELT).and_then(Value::as_object).cloned();
    match spelt {
        Some(spelt) => as_it_was(answer, spelt),
        None => translated(answer, asked),
    }
}

fn as_it_was(answer: Answer, spelt: Map<String, Value>) -> Encoded {
    let mut items = Items::new(Purpose::Answer, true);
    items.with_logprobs(answer.logprobs);
    items.blocks(&answer.blocks, Role::Assistant, "assistant", &answer.rest);
    let (output, mut losses) = items.finish();
    let mut object = Map::new();
    object.insert("id".to_owned(), answer.id.into());
    object.insert("model".to_owned(), answer.model.into());
    object.insert("output".to_owned(), Value::Array(output));
    let same = spelt.get("usage").and_then(usage::of) == answer.usage;
    object.extend(spelt);
    if let Some(usage) = answer.usage.filter(|_| !same) {
        object.insert("usage".to_owned(), usage::written(&usage));
    }
    answer.rest.write(OWN, &mut object, &mut losses);
    Encoded { body: Value::Object(object).to_string().into_bytes(), losses }
}

fn translated(mut answer: Answer, asked: &Asked) -> Encoded {
    let mut losses = Losses::default();
    std::mem::take(&mut answer.rest).lost(&mut losses);
    for block in &mut answer.blocks {
        if block.cache.is_some() {
            losses.dropped("cache_control");
        }
        block.rest.lost(&mut losses);
    }
    let (response, lost) = Encoder::whole(asked.clone(), answer.into_events());
    losses.extend(lost);
    Encoded { body: response.to_string().into_bytes(), losses }
}
