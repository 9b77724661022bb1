//! Lists of models as providers write them. Most write `{"data": [{"id": …}]}`; some write a bare list, `models`, or `name`.

use std::collections::HashSet;

use canon::Dialect;
use serde_json::Value;

/// The most models of one list. What is beyond is left out.
const MOST: usize = 20_000;

/// The longest name of a model that is believed, in bytes.
const NAME: usize = 512;

/// What is asked for beside the path, so that all are on one page where providers page at all.
pub(super) const fn query(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses => "",
        Dialect::Messages => "?limit=1000",
        Dialect::Gemini => "?pageSize=1000",
    }
}

/// The ids in the provider's order, each once; `None` where it is no list of models.
pub(super) fn read(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let items = match &value {
        Value::Array(items) => items,
        Value::Object(fields) => ["data", "models"].iter().find_map(|name| fields.get(*name)?.as_array())?,
        _ => return None,
    };
    let mut seen = HashSet::new();
    let ids = items.iter().filter_map(id).filter(|id| seen.insert(id.clone()));
    Some(ids.take(MOST).collect())
}

fn id(item: &Value) -> Option<String> {
    let text = match item {
        Value::String(text) => text,
        Value::Object(fields) => {
            ["id", "name", "model"].iter().find_map(|name| fields.get(*name)?.as_str())?
        }
        _ => return None,
    };
    // Gemini lists the names of resources.
    let text = text.trim();
    let text = text.strip_prefix("models/").unwrap_or(text);
    let usable = !text.is_empty() && text.len() <= NAME && !text.chars().any(char::is_control);
    usable.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_every_shape_are_read() {
        for body in [
            r#"{"object": "list", "data": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}"#,
            r#"[{"id": "a", "type": "chat"}, {"id": "b"}]"#,
            r#"{"models": [{"name": "models/a"}, {"name": "models/b"}]}"#,
            r#"{"data": ["a", "b", 3, {"id": ""}]}"#,
        ] {
            assert_eq!(read(body.as_bytes()), Some(vec!["a".to_owned(), "b".to_owned()]), "{body}");
        }
        for body in ["", "<html>", "{}", "3", r#"{"data": {}}"#] {
            assert_eq!(read(body.as_bytes()), None, "{body}");
        }
    }
}
