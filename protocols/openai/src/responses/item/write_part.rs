//! The parts of a content, written.

use canon::{Block, Citation, Kind, Losses, Rest, names};
use serde_json::{Map, Value, json};

use super::{OUTER, hint, part, write::Items, write_media};
use crate::responses::OWN;

/// Writes a part; `None` where the dialect has none for it, which is declared.
pub(super) fn write(block: &Block, assistant: bool, items: &mut Items<'_>) -> Option<Value> {
    let mut part = match &block.kind {
        Kind::Text { text, .. } if text.is_empty() => return None,
        Kind::Text { text, citations } => {
            let kind = block.rest.hinted(OWN, hint::TYPE).and_then(Value::as_str);
            let kind = kind.unwrap_or_else(|| part::text_type(assistant));
            let mut part = object(kind, "text", text);
            let letters = if citations.is_empty() { 0 } else { text.chars().count() as u64 };
            let always = assistant && !items.native;
            add_annotations(&mut part, (citations, letters), &block.rest, always, &mut items.losses);
            if let Some(own) = block.rest.hinted(OWN, hint::LOGPROBS).and_then(Value::as_u64) {
                let own = usize::try_from(own).unwrap_or(usize::MAX);
                part.insert("logprobs".to_owned(), items.logprobs.by_ref().take(own).collect());
            }
            part
        }
        Kind::Refusal(text) => object("refusal", "refusal", text),
        Kind::Opaque { dialect, value } => {
            if *dialect == OWN {
                return Some(value.clone());
            }
            items.losses.dropped(&format!("content.{}", names::kind_of(value)));
            return None;
        }
        // The model cannot have sent these in a request's past.
        Kind::Image(_) | Kind::File(_) if assistant && !items.native => {
            items.losses.dropped(if matches!(block.kind, Kind::Image(_)) { "image" } else { "file" });
            return None;
        }
        Kind::Image(media) => write_media::image(media, items.native, &mut items.losses)?,
        Kind::File(media) => write_media::file(media, &block.rest, items.native, &mut items.losses)?,
        Kind::Audio(media) => write_media::audio(media, &block.rest, items.native, &mut items.losses)?,
        Kind::Video(_) => {
            items.losses.dropped("video");
            return None;
        }
        Kind::ToolCall(_) | Kind::ToolResult(_) | Kind::Thinking(_) => {
            items.losses.dropped("content.tool_result");
            return None;
        }
    };
    write_rest(&block.rest, &mut part, &mut items.losses);
    Some(Value::Object(part))
}

/// A part with one text.
pub(super) fn object(kind: &str, name: &str, text: &str) -> Map<String, Value> {
    let mut part = Map::new();
    part.insert("type".to_owned(), kind.into());
    part.insert(name.to_owned(), text.into());
    part
}

fn add_annotations(
    part: &mut Map<String, Value>,
    (citations, letters): (&[Citation], u64),
    rest: &Rest,
    always: bool,
    losses: &mut Losses,
) {
    let list: Vec<Value> =
        citations.iter().filter_map(|citation| annotation(citation, letters, losses)).collect();
    if !list.is_empty() || always || rest.hinted(OWN, hint::ANNOTATIONS).is_some() {
        part.insert("annotations".to_owned(), Value::Array(list));
    }
}

/// Writes a citation: as it was, or as one of a web page. One that names no place is of the whole text, which has so
/// many letters.
pub(crate) fn annotation(citation: &Citation, letters: u64, losses: &mut Losses) -> Option<Value> {
    if let Some(own) = citation.rest.of(OWN) {
        return Some(Value::Object(own.clone()));
    }
    let Some(url) = &citation.url else {
        losses.dropped("citations");
        return None;
    };
    if citation.quote.is_some() || citation.span.is_none() {
        // The words that are cited have no place, and where they stand must be said.
        losses.changed("citations");
    }
    let (start, end) = citation.span.unwrap_or((0, letters));
    Some(json!({
        "type": "url_citation",
        "start_index": start,
        "end_index": end,
        "url": url,
        "title": citation.title.as_deref().unwrap_or_default(),
    }))
}

/// Puts the rest of a part back, without what belongs to its item.
fn write_rest(rest: &Rest, part: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(own) = rest.of(OWN) else { return rest.lost(losses) };
    for (name, value) in own.iter().filter(|(name, _)| !name.starts_with('$') && !name.starts_with(OUTER)) {
        part.entry(name.as_str()).or_insert_with(|| value.clone());
    }
}
