//! A turn as a request.

use canon::{Block, Dialect, Encoded, Kind, Losses, Target, Turn, names};
use serde_json::{Map, Value, json};

use super::{config, contents, tools};
use crate::generate::{
    hints,
    part::{Writer, put_back},
    spelling,
};

/// Writes a turn for a target. The model and whether to stream belong into [`crate::generate::path`].
#[must_use]
pub fn encode(turn: &Turn, target: &Target<'_>) -> Encoded {
    let native = target.source == Dialect::Gemini;
    let mut losses = Losses::default();
    let mut body = Map::new();
    if native {
        native_contents(turn, target, &mut body, &mut losses);
    } else {
        let (instructions, used) = turn.hoisted();
        system(&instructions, &mut body, &mut losses);
        for message in turn.messages.iter().take(used) {
            message.rest.lost(&mut losses);
        }
        let mut contents =
            contents::encode(turn.messages.get(used..).unwrap_or_default(), target, &mut losses);
        if contents.is_empty() {
            // Contents must not be empty: a prompt of instructions alone is what the user says.
            contents.extend(body.shift_remove("systemInstruction").map(|said| {
                losses.changed("role");
                json!({"role": "user", "parts": said.get("parts").cloned().unwrap_or_default()})
            }));
        }
        body.insert("contents".into(), contents.into());
        said_elsewhere(turn, &mut losses);
    }
    tools::encode(turn, native, &mut body, &mut losses);
    tools::encode_choice(turn, native, &mut body, &mut losses);
    config::encode(turn, target, native, &mut body, &mut losses);
    if native && hints::hint(&turn.rest, "$toolConfig").is_some() {
        body.entry("toolConfig").or_insert_with(|| json!({}));
    }
    hints::unfold(&turn.rest, &mut body, &mut losses);
    spelling::restore(&mut body, &turn.rest);
    // Writing JSON that is in memory to memory does not fail.
    Encoded { body: serde_json::to_vec(&body).unwrap_or_default(), losses }
}

/// What has no field here.
fn said_elsewhere(turn: &Turn, losses: &mut Losses) {
    if turn.user.is_some() {
        losses.dropped("user");
    }
    if turn.parallel_tool_calls == Some(false) && !turn.tools.is_empty() {
        losses.dropped("parallel_tool_calls");
    }
}

/// The system prompt, which is text here.
fn system(blocks: &[&Block], body: &mut Map<String, Value>, losses: &mut Losses) {
    let mut parts = Vec::new();
    for block in blocks {
        if block.cache.is_some() {
            losses.dropped("cache_control");
        }
        block.rest.lost(losses);
        let what = match &block.kind {
            Kind::Text { text, .. } => {
                if !text.is_empty() {
                    parts.push(json!({"text": text}));
                }
                continue;
            }
            Kind::Image(_) => "image".to_owned(),
            Kind::File(_) => "file".to_owned(),
            Kind::Opaque { value, .. } => {
                format!("content.{}", names::kind_of(value))
            }
            _ => "content.system".to_owned(),
        };
        losses.dropped(&what);
    }
    if !parts.is_empty() {
        body.insert("systemInstruction".into(), json!({"parts": parts}));
    }
}

/// Contents that were read from this dialect, as they were.
fn native_contents(turn: &Turn, target: &Target<'_>, body: &mut Map<String, Value>, losses: &mut Losses) {
    if let Some(Value::Object(fields)) = hints::hint(&turn.rest, "$system") {
        let rest = canon::Rest::new(Dialect::Gemini, fields.clone());
        let content = content(&turn.instructions, &rest, "user", target, losses);
        body.insert("systemInstruction".into(), content);
    } else if hints::hint(&turn.rest, "$systemText").is_some() {
        let text = turn.instructions.first().and_then(Block::as_text).unwrap_or_default();
        body.insert("systemInstruction".into(), text.into());
    } else {
        system(&turn.instructions.iter().collect::<Vec<_>>(), body, losses);
    }
    let mut contents: Vec<Value> = Vec::with_capacity(turn.messages.len());
    for message in &turn.messages {
        let role = if message.role == canon::Role::Assistant { "model" } else { "user" };
        contents.push(content(&message.blocks, &message.rest, role, target, losses));
    }
    if hints::hint(&turn.rest, "$single").is_some() && contents.len() == 1 {
        body.extend(contents.pop().map(|content| ("contents".to_owned(), content)));
    } else {
        body.insert("contents".into(), contents.into());
    }
}

/// A content as it was read.
fn content(
    blocks: &[Block],
    rest: &canon::Rest,
    role: &str,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Value {
    let mut content = Map::new();
    match hints::hint(rest, "$role") {
        None => drop(content.insert("role".into(), role.into())),
        Some(Value::Null) => {}
        Some(word) => drop(content.insert("role".into(), word.clone())),
    }
    let mut parts = Vec::with_capacity(blocks.len());
    let mut writer = Writer::to(target, true, losses);
    for block in blocks {
        writer.block(block, &mut parts);
    }
    if let Some(Value::Object(silent)) = hints::hint(rest, "$silent") {
        put_back(silent, &mut parts);
    }
    if hints::hint(rest, "$single").is_some() && parts.len() == 1 {
        content.extend(parts.pop().map(|part| ("parts".to_owned(), part)));
    } else if hints::hint(rest, "$noParts").is_none() {
        content.insert("parts".into(), parts.into());
    }
    rest.write(Dialect::Gemini, &mut content, losses);
    Value::Object(content)
}
