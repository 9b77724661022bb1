//! The JSON Schema of an answer: the API takes a subset, and every object must be closed.

use serde_json::{Map, Value};

/// Keywords that are refused.
const REFUSED: [&str; 13] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "patternProperties",
    "propertyNames",
];

/// Keywords whose value is one schema.
const ONE: [&str; 2] = ["items", "not"];

/// Keywords whose value is a list of schemas.
const LIST: [&str; 4] = ["anyOf", "allOf", "oneOf", "prefixItems"];

/// Keywords whose value is an object of schemas, under names that are no keywords.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];

/// The schema as the API takes it, and whether that says less or more than the client did.
pub(super) fn closed(schema: &Value) -> (Value, bool) {
    let mut schema = schema.clone();
    let mut changed = false;
    close(&mut schema, &mut changed);
    (schema, changed)
}

/// As deep as the parser lets a schema be nested.
fn close(schema: &mut Value, changed: &mut bool) {
    let Value::Object(map) = schema else { return };
    let before = map.len();
    map.retain(|keyword, value| !is_refused(keyword, value));
    *changed |= map.len() < before;
    if is_object(map) {
        let open = map.insert("additionalProperties".to_owned(), false.into());
        // Absent means open too, but few who leave it out want more than they name.
        *changed |= open.is_some_and(|open| open != Value::Bool(false));
    }
    for (keyword, value) in map.iter_mut() {
        let keyword = keyword.as_str();
        match value {
            Value::Object(_) if ONE.contains(&keyword) => close(value, changed),
            Value::Array(list) if LIST.contains(&keyword) => {
                list.iter_mut().for_each(|schema| close(schema, changed));
            }
            Value::Object(named) if NAMED.contains(&keyword) => {
                named.values_mut().for_each(|schema| close(schema, changed));
            }
            _ => {}
        }
    }
}

fn is_refused(keyword: &str, value: &Value) -> bool {
    let many = keyword == "minItems" && value.as_u64().is_some_and(|least| least > 1);
    many || REFUSED.contains(&keyword)
}

fn is_object(map: &Map<String, Value>) -> bool {
    match map.get("type") {
        Some(Value::String(kind)) => kind == "object",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "object"),
        _ => map.contains_key("properties"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_are_closed_and_limits_go_and_names_stay() {
        let schema = json!({"type": "object", "properties": {
            "minimum": {"type": "integer", "minimum": 3},
            "list": {"type": "array", "minItems": 1, "items": {"type": "object", "properties": {}}}
        }});
        let expected = json!({"type": "object", "properties": {
            "minimum": {"type": "integer"},
            "list": {"type": "array", "minItems": 1,
                "items": {"type": "object", "properties": {}, "additionalProperties": false}}
        }, "additionalProperties": false});
        assert_eq!(closed(&schema), (expected.clone(), true));
        assert_eq!(closed(&expected), (expected, false));
    }
}
