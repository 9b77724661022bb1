//! A unary answer of a provider.

use canon::{Answer, AnswerError, Block, DecodeError, Fields, Kind, Media, Signature, Source, Stop};
use serde_json::Value;

use super::think;
use crate::chat::kept::{CHAT, Hints, hush, rest_of};
use crate::chat::request::{annotations, refusal};
use crate::chat::{calls, finish, media, thinking};
use crate::{fault, usage};

/// Reads a unary answer. Of several candidates the first is read; the others are kept for this dialect.
///
/// # Errors
/// When it is no completion.
pub fn decode_answer(body: &[u8]) -> Result<Answer, AnswerError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(AnswerError::Empty);
    }
    let mut fields = Fields::parse(body).map_err(|_| AnswerError::Garbage)?;
    if fields.take("error").is_some() {
        return Err(AnswerError::Reported(fault::message_of(body)));
    }
    read(fields)
}

fn read(mut fields: Fields) -> Result<Answer, AnswerError> {
    let garbage = |_: DecodeError| AnswerError::Garbage;
    let mut choices = fields.list("choices").map_err(garbage)?.unwrap_or_default();
    if choices.is_empty() {
        return Err(AnswerError::Empty);
    }
    let mut choice = Fields::of(choices.remove(0)).map_err(garbage)?;
    if !choices.is_empty() {
        fields.put("choices", choices.into());
    }
    // So that its encoder knows an answer of this dialect.
    let mut hints: Hints = vec![("$chat", true.into())];
    let mut answer = Answer { created: integer(&mut fields, "created"), ..Answer::default() };
    answer.id = fields.string("id").map_err(garbage)?.unwrap_or_default();
    answer.model = fields.string("model").map_err(garbage)?.unwrap_or_default();
    if let Some(object) = fields.take("object").filter(|object| object != "chat.completion") {
        hints.push(("$object", object));
    }
    if let Some(value) = fields.take("usage") {
        answer.usage = usage::of_value(&value);
        // Details that are not typed are nobody else's loss: the counts are.
        hints.push(("$usage", value));
    }
    let mut message = choice.object("message").map_err(garbage)?.unwrap_or_default();
    blocks(&mut message, &mut answer.blocks, &mut hints).map_err(garbage)?;
    stop(&mut choice, &mut answer, &mut hints);
    logprobs(&mut choice, &mut answer, &mut hints);
    if choice.take("index").is_none() {
        hints.push(("$unnumbered", true.into()));
    }
    aside(&mut fields, "choice", choice);
    aside(&mut fields, "message", message);
    answer.rest = rest_of(fields, hints);
    hush(&mut answer.rest, "message.annotations", &Value::Array(Vec::new()));
    Ok(answer)
}

fn integer(fields: &mut Fields, name: &str) -> Option<i64> {
    let number = fields.peek(name)?.as_i64()?;
    fields.take(name);
    Some(number)
}

/// Keeps what is left of an inner object beside the answer's own fields.
fn aside(fields: &mut Fields, of: &str, inner: Fields) {
    for (name, value) in inner.into_map() {
        fields.put(&format!("{of}.{name}"), value);
    }
}

fn sign(wire: &str) -> Signature {
    Signature { data: wire.to_owned(), maker: None }
}

fn blocks(message: &mut Fields, blocks: &mut Vec<Block>, hints: &mut Hints) -> Result<(), DecodeError> {
    if message.take("role").is_none_or(|role| role != "assistant") {
        hints.push(("$roleless", true.into()));
    }
    thinking::read(message, blocks, hints, sign);
    content(message, blocks, hints)?;
    annotations(message, blocks);
    refusal(message, blocks)?;
    images(message, blocks);
    audio(message, blocks)?;
    calls::read(message, blocks, sign)?;
    // A call without an id gets one, as it does in a stream.
    calls::read_single(message, blocks, &mut 0)
}

fn content(message: &mut Fields, blocks: &mut Vec<Block>, hints: &mut Hints) -> Result<(), DecodeError> {
    match message.take("content") {
        None => {}
        Some(Value::String(text)) if text.is_empty() => hints.push(("$content", Value::String(text))),
        Some(Value::String(text)) => think::blocks(text, blocks),
        Some(Value::Array(parts)) => {
            for part in &parts {
                blocks.extend(of_part(part).map(|mut block| {
                    // The list is written as a whole.
                    block.rest.hint(CHAT, "$listed", true);
                    block
                }));
            }
            hints.push(("$parts", parts.into()));
        }
        Some(_) => return Err(DecodeError::new("content", "must be a string or an array")),
    }
    Ok(())
}

/// A block of a content that is a list, as Mistral writes it.
pub(super) fn of_part(part: &Value) -> Option<Block> {
    let texts = |value: &Value| -> String {
        let text = |part: &Value| part.get("text").and_then(Value::as_str).map(str::to_owned);
        value.as_array().into_iter().flatten().filter_map(text).collect()
    };
    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
    let inner = part.get(kind);
    match (kind, inner) {
        ("text", Some(Value::String(text))) => (!text.is_empty()).then(|| Block::text(text.as_str())),
        ("refusal", Some(Value::String(text))) => Some(Block::new(Kind::Refusal(text.clone()))),
        ("thinking", Some(inner)) => {
            let text = inner.as_str().map_or_else(|| texts(inner), str::to_owned);
            let thinking = canon::Thinking { text, ..canon::Thinking::default() };
            (!thinking.text.is_empty()).then(|| Block::new(Kind::Thinking(thinking)))
        }
        _ => Some(Block::new(Kind::Opaque { dialect: CHAT, value: part.clone() })),
    }
}

/// Pictures that a model drew, as aggregators hand them on.
fn images(message: &mut Fields, blocks: &mut Vec<Block>) {
    match message.take("images") {
        Some(Value::Array(list)) if !list.is_empty() => blocks.extend(list.into_iter().map(of_image)),
        Some(other) => message.put("images", other),
        None => {}
    }
}

pub(super) fn of_image(value: Value) -> Block {
    let mut hints = Hints::new();
    let whole = value.clone();
    let read = Fields::of(value).and_then(|mut fields| {
        let kind = fields.take("type");
        if kind.is_none_or(|kind| kind != "image_url") {
            return Err(DecodeError::new("type", "must be `image_url`"));
        }
        let kind = media::read_url(&mut fields, "image_url", &mut hints)?;
        Ok((kind, fields))
    });
    match read {
        Ok((kind, fields)) => Block { kind, cache: None, rest: rest_of(fields, hints) },
        Err(_) => {
            let mut block = Block::new(Kind::Opaque { dialect: CHAT, value: whole });
            block.rest.hint(CHAT, "$image", true);
            block
        }
    }
}

fn audio(message: &mut Fields, blocks: &mut Vec<Block>) -> Result<(), DecodeError> {
    let Some(mut inner) = message.object("audio")? else { return Ok(()) };
    let data = inner.string("data")?.unwrap_or_default();
    let media = Media { mime: None, source: Source::Base64(data), name: None, detail: None };
    blocks.push(Block { kind: Kind::Audio(media), cache: None, rest: rest_of(inner, Hints::new()) });
    Ok(())
}

fn stop(choice: &mut Fields, answer: &mut Answer, hints: &mut Hints) {
    let calls = has_calls(&answer.blocks);
    let word = choice.take("finish_reason");
    answer.stop = match word.as_ref().and_then(Value::as_str) {
        Some(word) => finish::read(word, calls),
        None if calls => Stop::ToolUse,
        None => Stop::End,
    };
    match word {
        Some(word) if word == finish::word(&answer.stop, calls) => {}
        Some(word) => hints.push(("$finish_reason", word)),
        // A null stays with what is left of the choice.
        None => hints.push(("$finish_reason", Value::Null)),
    }
}

pub(super) fn has_calls(blocks: &[Block]) -> bool {
    blocks.iter().any(|block| matches!(block.kind, Kind::ToolCall(_)))
}

fn logprobs(choice: &mut Fields, answer: &mut Answer, hints: &mut Hints) {
    let Some(value) = choice.take("logprobs") else { return };
    let Value::Object(map) = value else { return choice.put("logprobs", value) };
    let mut inner = Fields::new(map);
    match inner.take("content") {
        Some(Value::Array(content)) => answer.logprobs = content,
        Some(other) => inner.put("content", other),
        None => {}
    }
    hints.push(("$logprobs", Value::Object(inner.into_map())));
}
