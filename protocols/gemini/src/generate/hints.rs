//! Leftover fields of nested objects, kept in the rest of what holds them under dotted names.

use canon::{Dialect, Losses, Rest};
use serde_json::{Map, Value};

/// The objects whose leftover fields are kept so.
const NESTED: [&str; 8] = [
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "generationConfig",
    "toolConfig",
    "candidate",
    "content",
];

/// Puts the leftover fields of the object `name` into `rest`.
pub(super) fn fold(rest: &mut Rest, name: &str, left: Map<String, Value>) {
    for (field, value) in left {
        rest.hint(Dialect::Gemini, &format!("{name}.{field}"), value);
    }
}

/// Puts the fields back where they stood, or declares them lost where they are another dialect's.
pub(super) fn unfold(rest: &Rest, object: &mut Map<String, Value>, losses: &mut Losses) {
    let Some(fields) = rest.of(Dialect::Gemini) else { return rest.lost(losses) };
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('$')) {
        let nested = name.split_once('.').filter(|(outer, _)| NESTED.contains(outer));
        let (target, name) = match nested {
            None => (Some(&mut *object), name.as_str()),
            Some((outer, inner)) => {
                let outer = object.entry(outer).or_insert_with(|| Value::Object(Map::new()));
                (outer.as_object_mut(), inner)
            }
        };
        if let Some(target) = target
            && !target.contains_key(name)
        {
            target.insert(name.to_owned(), value.clone());
        }
    }
}

/// A hint of this dialect.
pub(super) fn hint<'a>(rest: &'a Rest, name: &str) -> Option<&'a Value> {
    rest.hinted(Dialect::Gemini, name)
}

/// Leaves a hint.
pub(super) fn leave(rest: &mut Rest, name: &str, value: impl Into<Value>) {
    rest.hint(Dialect::Gemini, name, value);
}

/// A list, and whether a single element stood in its place, as Google's JSON allows.
pub(super) fn as_list(value: Value) -> Option<(Vec<Value>, bool)> {
    match value {
        Value::Array(list) => Some((list, false)),
        Value::Object(_) => Some((vec![value], true)),
        _ => None,
    }
}
