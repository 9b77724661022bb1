//! The `Schema` object of Gemini, a subset of OpenAPI 3.0, as JSON Schema: types in lower case, `nullable` as a type.

use serde_json::{Map, Value};

use super::{LIST, NAMED, ONE};

/// Bounds that Google's own JSON writes as strings, being 64 bits wide.
const BOUNDS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// A Gemini schema as JSON Schema.
#[must_use]
pub fn json_schema(schema: Value) -> Value {
    each(schema, &mut |map| {
        lower(map);
        let nullable = map.shift_remove("nullable").is_some_and(|nullable| nullable == true);
        map.shift_remove("propertyOrdering");
        if map.get("format").is_some_and(|format| format == "enum") {
            map.shift_remove("format");
        }
        for bound in BOUNDS {
            let number = map.get(bound).and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
            if let Some(number) = number {
                map.insert(bound.to_owned(), number.into());
            }
        }
        if nullable {
            admit_null(map);
        }
    })
}

/// A JSON Schema whose types may be written in upper case, as some clients do, with types as they should be.
#[must_use]
pub fn lower_types(schema: Value) -> Value {
    each(schema, &mut lower)
}

fn lower(map: &mut Map<String, Value>) {
    let Some(kind) = map.get_mut("type") else { return };
    match kind {
        Value::String(kind) => kind.make_ascii_lowercase(),
        Value::Array(kinds) => {
            for kind in kinds {
                if let Value::String(kind) = kind {
                    kind.make_ascii_lowercase();
                }
            }
        }
        _ => {}
    }
    if map.get("type").is_some_and(|kind| kind == "type_unspecified") {
        map.shift_remove("type");
    }
}

fn admit_null(map: &mut Map<String, Value>) {
    if let Some(Value::Array(values)) = map.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    match map.get_mut("type") {
        Some(kind @ Value::String(_)) => *kind = Value::Array(vec![kind.take(), "null".into()]),
        Some(_) => {}
        None => {
            if let Some(Value::Array(choices)) = map.get_mut("anyOf") {
                choices.push(serde_json::json!({"type": "null"}));
            }
        }
    }
}

/// Applies `change` to a schema and to all within it, but to nothing that only looks like one.
fn each(schema: Value, change: &mut impl FnMut(&mut Map<String, Value>)) -> Value {
    let Value::Object(mut map) = schema else { return schema };
    change(&mut map);
    for (name, value) in &mut map {
        let name = name.as_str();
        if ONE.contains(&name) || matches!(name, "not" | "if" | "then" | "else" | "propertyNames") {
            *value = each(value.take(), change);
        } else if LIST.contains(&name) || name == "allOf" {
            if let Value::Array(list) = value {
                list.iter_mut().for_each(|item| *item = each(item.take(), change));
            }
        } else if (NAMED.contains(&name) || matches!(name, "definitions" | "patternProperties"))
            && let Value::Object(named) = value
        {
            named.values_mut().for_each(|item| *item = each(item.take(), change));
        }
    }
    Value::Object(map)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_nullability_and_bounds_are_those_of_json_schema() {
        let schema = json!({"type": "OBJECT", "propertyOrdering": ["type"], "required": ["type"], "properties": {
            "type": {"type": "STRING", "format": "enum", "enum": ["A", "B"]},
            "nullable": {"type": "ARRAY", "minItems": "2", "nullable": true, "items": {"type": "INTEGER"}},
            "x": {"anyOf": [{"type": "STRING"}], "nullable": true}}});
        let expected = json!({"type": "object", "required": ["type"], "properties": {
            "type": {"type": "string", "enum": ["A", "B"]},
            "nullable": {"type": ["array", "null"], "minItems": 2, "items": {"type": "integer"}},
            "x": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
        assert_eq!(json_schema(schema), expected);
        let upper =
            json!({"type": "OBJECT", "properties": {"a": {"type": ["STRING", "NULL"], "const": "TYPE"}}});
        let lower =
            json!({"type": "object", "properties": {"a": {"type": ["string", "null"], "const": "TYPE"}}});
        assert_eq!(lower_types(upper), lower);
    }
}
