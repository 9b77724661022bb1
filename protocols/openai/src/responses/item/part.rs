//! The parts of a content, read: text and refusals. What is not understood is kept as it is.

use canon::{Block, Citation, Fields, Kind, Rest};
use serde_json::{Map, Value};

use super::{hint, media};
use crate::responses::OWN;

/// The type of a text by who wrote it.
pub(super) const fn text_type(assistant: bool) -> &'static str {
    if assistant { "output_text" } else { "input_text" }
}

/// Whether a part is a text without any.
pub(super) fn is_empty_text(part: &Value) -> bool {
    let kind = part.get("type").and_then(Value::as_str);
    matches!(kind, Some("input_text" | "output_text" | "text"))
        && part.get("text").and_then(Value::as_str) == Some("")
}

/// Reads a part.
pub(super) fn read(value: Value, assistant: bool) -> Block {
    let Value::Object(map) = value else { return opaque(value) };
    let fields = Fields::new(map);
    let read = match fields.peek_str("type") {
        Some("input_text" | "output_text" | "text") => text(fields, assistant),
        Some("refusal") => refusal(fields),
        Some("input_image") => media::image(fields),
        Some("input_file") => media::file(fields),
        Some("input_audio") => media::audio(fields),
        _ => Err(fields),
    };
    read.unwrap_or_else(|fields| opaque(Value::Object(fields.into_map())))
}

fn opaque(value: Value) -> Block {
    let mut block = Block::new(Kind::Opaque { dialect: OWN, value });
    block.rest.hint(OWN, hint::PART, true);
    block
}

/// Reads a text; one that is empty or malformed is handed back.
fn text(mut fields: Fields, assistant: bool) -> Result<Block, Fields> {
    if fields.peek_str("text").is_none_or(str::is_empty) {
        return Err(fields);
    }
    let Some(Value::String(text)) = fields.take("text") else { return Err(fields) };
    let mut hints = Rest::default();
    if let Some(Value::String(kind)) = fields.take("type")
        && kind != text_type(assistant)
    {
        hints.hint(OWN, hint::TYPE, kind);
    }
    let citations = citations(&mut fields, &mut hints);
    if fields.peek("logprobs").and_then(Value::as_array).is_some_and(Vec::is_empty) {
        fields.take("logprobs");
        hints.hint(OWN, hint::LOGPROBS, 0);
    }
    let mut block = Block::new(Kind::Text { text, citations });
    block.rest = joined(fields.rest(OWN), hints);
    Ok(block)
}

fn citations(fields: &mut Fields, hints: &mut Rest) -> Vec<Citation> {
    let all_objects = |list: &Vec<Value>| list.iter().all(Value::is_object);
    if !fields.peek("annotations").and_then(Value::as_array).is_some_and(all_objects) {
        return Vec::new();
    }
    let list = fields.list("annotations").ok().flatten().unwrap_or_default();
    if list.is_empty() {
        hints.hint(OWN, hint::ANNOTATIONS, true);
    }
    let objects = list.into_iter().filter_map(|value| match value {
        Value::Object(map) => Some(citation(map)),
        _ => None,
    });
    objects.collect()
}

/// Reads an annotation.
pub(crate) fn citation(map: Map<String, Value>) -> Citation {
    let text = |name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let place = |name: &str| map.get(name).and_then(Value::as_u64);
    Citation {
        url: text("url"),
        title: text("title").or_else(|| text("filename")),
        quote: None,
        span: place("start_index").zip(place("end_index")),
        rest: Rest::new(OWN, map),
    }
}

fn refusal(mut fields: Fields) -> Result<Block, Fields> {
    if fields.peek_str("refusal").is_none() {
        return Err(fields);
    }
    let Some(Value::String(refusal)) = fields.take("refusal") else { return Err(fields) };
    fields.take("type");
    let mut block = Block::new(Kind::Refusal(refusal));
    block.rest = fields.rest(OWN);
    Ok(block)
}

/// A rest with hints.
pub(super) fn joined(mut rest: Rest, hints: Rest) -> Rest {
    for (name, value) in hints.fields {
        rest.hint(OWN, &name, value);
    }
    rest
}
