//! A whole answer for a client of this dialect.

use canon::{Answer, Asked, Block, Citation, Dialect, Encoded, Kind, Losses};
use serde_json::{Map, Value, json};

use super::{grounding, logprobs, stop};
use crate::{
    generate::{
        hints,
        part::{Writer, put_back},
    },
    usage,
};

/// Writes a whole answer.
#[must_use]
pub fn encode_answer(mut answer: Answer, asked: &Asked) -> Encoded {
    let mut losses = Losses::default();
    let native = answer.rest.of(Dialect::Gemini).is_some();
    for block in &mut answer.blocks {
        if let Kind::ToolCall(call) = &mut block.kind {
            call.name = asked.tool(&call.name).name;
        }
    }
    let mut body = Map::new();
    if !(native && hints::hint(&answer.rest, "$blocked").is_some()) {
        let candidate = candidate(&answer, native, &mut losses);
        body.insert("candidates".into(), json!([candidate]));
    }
    match hints::hint(&answer.rest, "$usage") {
        Some(metadata) => drop(body.insert("usageMetadata".into(), metadata.clone())),
        None => body.extend(answer.usage.map(|usage| ("usageMetadata".to_owned(), usage::written(&usage)))),
    }
    let or =
        |own: &str, other: &str| if own.is_empty() && !native { other.to_owned() } else { own.to_owned() };
    for (name, text) in
        [("modelVersion", or(&answer.model, &asked.model)), ("responseId", or(&answer.id, &asked.id))]
    {
        if !text.is_empty() {
            body.insert(name.into(), text.into());
        }
    }
    if answer.stop_sequence.is_some() {
        losses.dropped("stop_sequence");
    }
    if !native && stop::is_lost(&answer.stop) {
        losses.changed("finish_reason");
    }
    rest(&answer, &mut body, &mut losses);
    Encoded { body: serde_json::to_vec(&body).unwrap_or_default(), losses }
}

fn candidate(answer: &Answer, native: bool, losses: &mut Losses) -> Value {
    let mut candidate = Map::new();
    let mut parts = Vec::with_capacity(answer.blocks.len());
    let mut writer = Writer::answer(native, losses);
    for block in &answer.blocks {
        writer.block(block, &mut parts);
    }
    if native {
        native_content(answer, parts, &mut candidate);
        if let Some(Value::Object(read)) = hints::hint(&answer.rest, "$candidate") {
            candidate.extend(read.clone());
        }
        return candidate.into();
    }
    if parts.is_empty() {
        // A content without parts is none to SDKs.
        parts.push(json!({"text": ""}));
    }
    candidate.insert("content".into(), json!({"parts": parts, "role": "model"}));
    candidate.insert("finishReason".into(), stop::written(&answer.stop).into());
    candidate.insert("index".into(), 0.into());
    let citations: Vec<Citation> = answer.blocks.iter().flat_map(cited).cloned().collect();
    let grounding = grounding::written(&citations, losses);
    candidate.extend(grounding.map(|grounding| ("groundingMetadata".to_owned(), grounding)));
    let logprobs = logprobs::written(&answer.logprobs);
    candidate.extend(logprobs.map(|logprobs| ("logprobsResult".to_owned(), logprobs)));
    candidate.into()
}

fn cited(block: &Block) -> &[Citation] {
    match &block.kind {
        Kind::Text { citations, .. } => citations,
        _ => &[],
    }
}

/// The content as it was read.
fn native_content(answer: &Answer, mut parts: Vec<Value>, candidate: &mut Map<String, Value>) {
    let hint = |name: &str| hints::hint(&answer.rest, name);
    let Some(Value::Object(content)) = hint("$content") else { return };
    let mut content = content.clone();
    if let Some(Value::Object(silent)) = hint("$silent") {
        put_back(silent, &mut parts);
    }
    if hint("$single").is_some() && parts.len() == 1 {
        content.extend(parts.pop().map(|part| ("parts".to_owned(), part)));
    } else if hint("$noParts").is_none() {
        content.insert("parts".into(), parts.into());
    }
    candidate.insert("content".into(), content.into());
}

/// Puts the fields back that had no typed place.
fn rest(answer: &Answer, body: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(fields) = answer.rest.of(Dialect::Gemini) else { return answer.rest.lost(losses) };
    let mut candidates = match body.shift_remove("candidates") {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    if let Some(Value::Object(candidate)) = candidates.first_mut() {
        for (name, value) in fields {
            if let Some(name) = name.strip_prefix("candidate.") {
                candidate.insert(name.to_owned(), value.clone());
            }
        }
    }
    if let Some(Value::Array(others)) = fields.get("candidates") {
        candidates.extend(others.iter().cloned());
    }
    if !candidates.is_empty() {
        body.insert("candidates".into(), candidates.into());
    }
    for (name, value) in fields {
        if !name.starts_with('$') && !name.starts_with("candidate.") && !body.contains_key(name) {
            body.insert(name.clone(), value.clone());
        }
    }
}
