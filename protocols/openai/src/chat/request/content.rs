//! The content of messages: one text, or a list of parts.

use canon::{Block, DecodeError, Fields, Kind};
use serde_json::Value;

use crate::chat::kept::{CHAT, Hints, rest_of};
use crate::chat::media;

/// Takes the content of a message. Empty texts become no blocks: where they stood is a hint.
pub(super) fn read(
    message: &mut Fields,
    blocks: &mut Vec<Block>,
    hints: &mut Hints,
) -> Result<(), DecodeError> {
    match message.take("content") {
        None => {}
        Some(Value::String(text)) if text.is_empty() => hints.push(("$content", Value::String(text))),
        Some(Value::String(text)) => blocks.push(Block::text(text)),
        Some(Value::Array(parts)) => {
            hints.push(("$list", true.into()));
            let mut empty = Vec::new();
            for (at, part) in parts.into_iter().enumerate() {
                if is_empty(&part) {
                    empty.push(Value::Array(vec![at.into(), part]));
                } else {
                    blocks.push(read_part(part).map_err(|error| error.within(&format!("content[{at}]")))?);
                }
            }
            if !empty.is_empty() {
                hints.push(("$empty", empty.into()));
            }
        }
        Some(_) => return Err(DecodeError::new("content", "must be a string or an array")),
    }
    Ok(())
}

fn is_empty(part: &Value) -> bool {
    let field = |name: &str| part.get(name).and_then(Value::as_str);
    field("type") == Some("text") && field("text") == Some("")
}

fn read_part(part: Value) -> Result<Block, DecodeError> {
    let kind = match &part {
        // Some lists hold plain strings.
        Value::String(text) => {
            let mut block = Block::text(text.as_str());
            block.rest.hint(CHAT, "$bare", true);
            return Ok(block);
        }
        other => other.get("type").and_then(Value::as_str).unwrap_or_default().to_owned(),
    };
    if !matches!(kind.as_str(), "text" | "refusal" | "image_url" | "video_url" | "input_audio" | "file") {
        if !part.is_object() {
            return Err(DecodeError::new("", "must be an object"));
        }
        return Ok(Block::new(Kind::Opaque { dialect: CHAT, value: part }));
    }
    let mut fields = Fields::of(part)?;
    fields.take("type");
    let mut hints = Hints::new();
    let cache = fields.take("cache_control");
    let kind = match kind.as_str() {
        "text" => Kind::Text { text: fields.need_string("text")?, citations: Vec::new() },
        "refusal" => {
            hints.push(("$part", true.into()));
            Kind::Refusal(fields.need_string("refusal")?)
        }
        "input_audio" => media::read_audio(&mut fields, &mut hints)?,
        "file" => media::read_file(&mut fields)?,
        url => media::read_url(&mut fields, url, &mut hints)?,
    };
    Ok(Block { kind, cache, rest: rest_of(fields, hints) })
}
