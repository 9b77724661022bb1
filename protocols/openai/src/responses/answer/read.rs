//! A response object, read.

use canon::{Answer, AnswerError, Block, Fields, Kind, Rest, Signature, Thinking};
use serde_json::{Map, Value};

use super::{SPELT, object};
use crate::{
    fault,
    responses::{OWN, item, request, usage},
};

/// Fields that are no part of what the model said, beside those that repeat the request.
const SPELLING: &[&str] = &[
    "object",
    "status",
    "incomplete_details",
    "created_at",
    "completed_at",
    "usage",
    "conversation",
    "prompt",
    "prompt_cache_retention",
];

/// Reads a unary answer.
///
/// # Errors
/// When it is empty, no response object, or one that failed.
pub fn decode_answer(body: &[u8]) -> Result<Answer, AnswerError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(AnswerError::Empty);
    }
    let mut fields = Fields::parse(body).map_err(|_| AnswerError::Garbage)?;
    let error = fields.peek("error").is_some_and(|error| !error.is_null());
    let status = fields.peek_str("status").map(str::to_owned);
    if error || status.as_deref() == Some("failed") {
        return Err(AnswerError::Reported(if error { fault::message_of(body) } else { String::new() }));
    }
    let running = matches!(status.as_deref(), Some("queued" | "in_progress"));
    let output = match fields.list("output") {
        Ok(Some(output)) => output,
        Ok(None) if running => Vec::new(),
        _ => return Err(AnswerError::Garbage),
    };
    let reason = fields.peek("incomplete_details").and_then(|details| details.get("reason")?.as_str());
    let reason = reason.map(str::to_owned);
    let mut answer = Answer {
        id: fields.string("id").ok().flatten().unwrap_or_default(),
        model: fields.string("model").ok().flatten().unwrap_or_default(),
        created: fields.peek("created_at").and_then(whole),
        usage: fields.peek("usage").and_then(usage::of),
        ..Answer::default()
    };
    read_output(output, &mut answer)?;
    object::set_stop(&mut answer, status.as_deref(), reason.as_deref());
    keep_spelling(fields, &mut answer.rest);
    Ok(answer)
}

#[expect(clippy::cast_possible_truncation, reason = "a time in seconds has long been a whole number by then")]
fn whole(number: &Value) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))
}

fn read_output(output: Vec<Value>, answer: &mut Answer) -> Result<(), AnswerError> {
    for value in output {
        let item = item::read(value).map_err(|_| AnswerError::Garbage)?;
        item::add(item, &mut answer.blocks, &mut answer.rest);
    }
    for block in &mut answer.blocks {
        unnamed(block);
        answer.logprobs.extend(logprobs(block));
    }
    Ok(())
}

/// Takes a maker's name back into the signature: only clients' items are read for names. A provider's own data may look
/// like one, as behind another hub, and has to come back to it as it is.
fn unnamed(block: &mut Block) {
    if let Kind::Thinking(Thinking { signature: Some(signature), .. }) = &mut block.kind
        && signature.maker.is_some()
    {
        *signature = Signature { data: signature.written(), maker: None };
    }
}

/// Takes the logprobs off a text, and leaves their number behind.
fn logprobs(block: &mut Block) -> Vec<Value> {
    if !matches!(block.kind, Kind::Text { .. }) {
        return Vec::new();
    }
    match block.rest.fields.shift_remove("logprobs") {
        Some(Value::Array(list)) => {
            block.rest.hint(OWN, item::hint::LOGPROBS, list.len());
            list
        }
        Some(other) => {
            block.rest.hint(OWN, "logprobs", other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// What repeats the request or only describes the object is nobody's loss.
fn keep_spelling(fields: Fields, rest: &mut Rest) {
    let echoed = request::defaults();
    let mut spelt = Map::new();
    for (name, value) in fields.into_map() {
        if SPELLING.contains(&name.as_str()) || echoed.contains_key(&name) {
            spelt.insert(name, value);
        } else {
            rest.hint(OWN, &name, value);
        }
    }
    rest.hint(OWN, SPELT, spelt);
}
