//! Items of reasoning, read and written. The thoughts are the summary, or the content where there is no summary.

use canon::{Block, Fields, Kind, Rest, Role, Signature, Thinking};
use serde_json::{Map, Value, json};

use super::{Item, hint, keep, rest_of};
use crate::responses::OWN;

/// What stands between the parts of a summary in one text.
pub(crate) const BETWEEN: &str = "\n\n";

pub(super) fn read(mut fields: Fields) -> Item {
    let mut kept = Vec::new();
    let summary = fields.take("summary");
    let content = fields.take("content");
    let mut text = texts(summary.as_ref());
    if text.is_empty() {
        text = texts(content.as_ref());
    }
    let thinking = Thinking {
        signature: fields.peek_str("encrypted_content").map(Signature::read),
        id: fields.peek_str("id").map(str::to_owned),
        redacted: false,
        text,
    };
    // What is no text stays in the rest.
    for (name, known) in [("encrypted_content", thinking.signature.is_some()), ("id", thinking.id.is_some())]
    {
        if known {
            fields.take(name);
        }
    }
    fields.take("type");
    keep(&mut fields, "status", hint::STATUS, &mut kept);
    if summary.as_ref() != Some(&plain(&thinking.text)) || content.is_some() {
        kept.push((hint::SUMMARY, summary.unwrap_or(Value::Null)));
        kept.extend(content.map(|content| (hint::CONTENT, content)));
    }
    let mut block = Block::new(Kind::Thinking(thinking));
    block.rest = rest_of(fields, kept);
    Item::of(Role::Assistant, block)
}

/// The texts of a list of parts, joined.
pub(crate) fn texts(parts: Option<&Value>) -> String {
    let Some(Value::Array(parts)) = parts else { return String::new() };
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.get("text")?.as_str()).collect();
    texts.join(BETWEEN)
}

/// A summary of one part, or of none.
fn plain(text: &str) -> Value {
    if text.is_empty() { json!([]) } else { json!([{ "type": "summary_text", "text": text }]) }
}

/// The fields of the item, its rest apart. `signature` is what is sent of the thoughts' signature.
pub(super) fn written(
    thinking: &Thinking,
    rest: &Rest,
    signature: Option<String>,
    id: bool,
) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("type".to_owned(), "reasoning".into());
    if let Some(own) = thinking.id.as_ref().filter(|_| id) {
        item.insert("id".to_owned(), own.as_str().into());
    }
    let hinted = |name: &str| rest.hinted(OWN, name).cloned();
    match hinted(hint::SUMMARY) {
        None => {
            item.insert("summary".to_owned(), plain(&thinking.text));
        }
        // It was absent, or a null that stands in the rest.
        Some(Value::Null) => {}
        Some(summary) => {
            item.insert("summary".to_owned(), summary);
        }
    }
    if let Some(content) = hinted(hint::CONTENT) {
        item.insert("content".to_owned(), content);
    }
    if let Some(signature) = signature {
        item.insert("encrypted_content".to_owned(), signature.into());
    }
    item
}
