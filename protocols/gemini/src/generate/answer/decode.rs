//! A whole answer as canon holds it.

use canon::{Answer, AnswerError, Block, Dialect, Fields, Kind, Rest};
use serde_json::{Map, Value};

use super::{grounding, logprobs, stop};
use crate::{
    fault,
    generate::{
        hints,
        part::{Calls, Reader},
        signature, wire,
    },
    usage,
};

/// Reads a whole answer.
///
/// # Errors
/// When it is an error, or no answer.
pub fn decode_answer(body: &[u8]) -> Result<Answer, AnswerError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(AnswerError::Empty);
    }
    let mut fields = Fields::new(object(body)?);
    let mut answer = Answer {
        id: text(&mut fields, "responseId"),
        model: text(&mut fields, "modelVersion"),
        ..Answer::default()
    };
    let mut own = Rest::default();
    if let Some(metadata) = fields.take("usageMetadata") {
        answer.usage = usage::of_value(&metadata);
        hints::leave(&mut own, "$usage", metadata);
    }
    let mut candidates = match fields.take("candidates") {
        Some(Value::Array(list)) => list.into_iter(),
        None => Vec::new().into_iter(),
        Some(_) => return Err(AnswerError::Garbage),
    };
    match candidates.next() {
        Some(Value::Object(candidate)) => {
            let seed =
                if answer.id.is_empty() { String::from_utf8_lossy(body) } else { answer.id.as_str().into() };
            let mut calls = Calls::new(&seed);
            let candidate = self::candidate(candidate, &mut calls, &mut answer, &mut own)?;
            hints::fold(&mut own, "candidate", candidate);
        }
        Some(_) => return Err(AnswerError::Garbage),
        None if blocked(fields.peek("promptFeedback")) => {
            answer.stop = canon::Stop::Refusal;
            hints::leave(&mut own, "$blocked", true);
        }
        None => return Err(AnswerError::Empty),
    }
    let others: Vec<Value> = candidates.collect();
    let mut left = fields.into_map();
    if !others.is_empty() {
        left.insert("candidates".into(), others.into());
    }
    left.append(&mut own.fields);
    answer.rest = Rest::new(Dialect::Gemini, left);
    Ok(answer)
}

/// The object in a body, if it is no error.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Value>, AnswerError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(map)) if map.get("error").is_none_or(Value::is_null) => Ok(map),
        Ok(value) if fault::is_error_body(body) => Err(AnswerError::Reported(fault::said(&value))),
        Ok(Value::Object(map)) => Err(AnswerError::Reported(fault::said(&Value::Object(map)))),
        _ => Err(AnswerError::Garbage),
    }
}

/// Whether a `promptFeedback` says that the prompt was refused.
pub(super) fn blocked(feedback: Option<&Value>) -> bool {
    let reason = feedback.and_then(|feedback| feedback.get("blockReason"));
    reason.and_then(Value::as_str).is_some_and(wire::is_reason)
}

/// Takes a text; one of another type stays where it is.
fn text(fields: &mut Fields, name: &str) -> String {
    if fields.peek(name).is_some_and(Value::is_string) {
        fields.string(name).ok().flatten().unwrap_or_default()
    } else {
        String::new()
    }
}

fn candidate(
    candidate: Map<String, Value>,
    calls: &mut Calls,
    answer: &mut Answer,
    own: &mut Rest,
) -> Result<Map<String, Value>, AnswerError> {
    let mut fields = Fields::new(candidate);
    match fields.take("content") {
        Some(Value::Object(mut content)) => {
            if let Some(parts) = content.shift_remove("parts") {
                self::parts(parts, calls, answer, own)?;
            } else {
                hints::leave(own, "$noParts", true);
            }
            hints::leave(own, "$content", content);
        }
        Some(_) => return Err(AnswerError::Garbage),
        None => {}
    }
    let mut read = Map::new();
    for name in ["finishReason", "index", "logprobsResult"] {
        read.extend(fields.take(name).map(|value| (name.to_owned(), value)));
    }
    let calls = answer.blocks.iter().any(|block| matches!(block.kind, Kind::ToolCall(_)));
    let word = read.get("finishReason").and_then(Value::as_str).unwrap_or_default();
    answer.stop = stop::read(word, calls).unwrap_or_default();
    answer.logprobs = read.get("logprobsResult").map(logprobs::read).unwrap_or_default();
    hints::leave(own, "$candidate", read);
    let candidate = fields.into_map();
    cite(&candidate, &mut answer.blocks);
    Ok(candidate)
}

fn parts(parts: Value, calls: &mut Calls, answer: &mut Answer, own: &mut Rest) -> Result<(), AnswerError> {
    let (parts, single) = hints::as_list(parts).ok_or(AnswerError::Garbage)?;
    if single {
        hints::leave(own, "$single", true);
    }
    let mut reader = Reader { signature: signature::plain, thoughts: |_| None, calls };
    let silent = reader.parts(parts, &mut answer.blocks).map_err(|_| AnswerError::Garbage)?;
    if !silent.is_empty() {
        hints::leave(own, "$silent", silent);
    }
    Ok(())
}

/// Puts the citations of a candidate on its last text. The metadata as a whole stays in the rest.
fn cite(candidate: &Map<String, Value>, blocks: &mut [Block]) {
    let texts = blocks.iter().filter_map(Block::as_text);
    let mut offsets = grounding::Offsets::default();
    texts.clone().for_each(|text| offsets.push(text));
    let offsets = (texts.count() == 1).then_some(offsets);
    let last = blocks.iter_mut().rev().find_map(|block| match &mut block.kind {
        Kind::Text { citations, .. } => Some(citations),
        _ => None,
    });
    if let Some(citations) = last {
        *citations = grounding::read(candidate, offsets.as_ref());
    }
}
