//! Blocks that only this dialect has, and that are text at heart: documents made of texts, search results that the
//! client found, tools that a search of the client's found, and words of the operator between others. In other dialects
//! they are their text, so that the model sees what the user sent; here they are what they were.

use canon::{Block, Dialect, Kind, Rest};
use serde_json::{Map, Value};

/// What the name of the field begins with in which the whole block lies: no hint, so that other dialects declare it.
const WHOLE: &str = "content.";

/// The text of a block as other dialects get it; `None` for blocks that are not text at heart.
pub(super) fn text(block: &Map<String, Value>) -> Option<String> {
    let field = |name: &str| block.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match field("type")? {
        "tool_reference" => Some(format!("Tool found: {}", field("tool_name")?)),
        "mid_conv_system" => texts(block.get("content")?),
        "search_result" => headed([field("title"), field("source")], &texts(block.get("content")?)?),
        "document" => {
            headed([field("title"), field("context")], &texts(block.get("source")?.get("content")?)?)
        }
        _ => None,
    }
}

fn headed(heads: [Option<&str>; 2], text: &str) -> Option<String> {
    let lines: Vec<&str> = heads.into_iter().flatten().chain([text]).collect();
    Some(lines.join("\n"))
}

/// A text, or a list of nothing but texts.
fn texts(content: &Value) -> Option<String> {
    let parts = match content {
        Value::String(text) => vec![text.as_str()],
        Value::Array(list) => list
            .iter()
            .map(|part| {
                part.get("text").filter(|_| part.get("type").is_some_and(|kind| kind == "text"))?.as_str()
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    let whole = parts.join("\n");
    (!whole.is_empty()).then_some(whole)
}

/// The block of such a text, with the whole of what it was.
pub(super) fn block(text: String, whole: Map<String, Value>) -> Block {
    let kind = whole.get("type").and_then(Value::as_str).unwrap_or_default();
    let name = format!("{WHOLE}{kind}");
    let mut block = Block::text(text);
    block.cache = whole.get("cache_control").filter(|mark| !mark.is_null()).cloned();
    let mut fields = Map::new();
    fields.insert(name, Value::Object(whole));
    block.rest = Rest::new(Dialect::Messages, fields);
    block
}

/// What a text was in this dialect, where it was no text.
pub(super) fn whole(block: &Block) -> Option<&Value> {
    if !matches!(block.kind, Kind::Text { .. }) {
        return None;
    }
    let (name, value) = block.rest.of(Dialect::Messages)?.iter().next()?;
    name.starts_with(WHOLE).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text_of(block: &Value) -> Option<String> {
        text(block.as_object()?)
    }

    #[test]
    fn what_is_text_at_heart_is_told_as_text() {
        let result = json!({"type": "search_result", "source": "https://a.example", "title": "A",
            "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]});
        assert_eq!(text_of(&result).as_deref(), Some("A\nhttps://a.example\none\ntwo"));
        let document =
            json!({"type": "document", "source": {"type": "content", "content": "whole"}, "title": null});
        assert_eq!(text_of(&document).as_deref(), Some("whole"));
        let reference = json!({"type": "tool_reference", "tool_name": "mcp__issues__list"});
        assert_eq!(text_of(&reference).as_deref(), Some("Tool found: mcp__issues__list"));
        let picture =
            json!({"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}});
        assert_eq!(text_of(&picture), None);
        assert_eq!(text_of(&json!({"type": "container_upload", "file_id": "f"})), None);
    }
}
