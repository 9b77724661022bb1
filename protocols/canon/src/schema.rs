//! What can be said of a JSON Schema without translating it.

use serde_json::Value;

/// How deep schemas are looked into. No vendor takes deeper ones.
const DEEPEST: usize = 32;

/// Whether a model can be held to a schema strictly, as OpenAI demands it: each object is closed
/// (`additionalProperties: false`) and requires all of its properties. Elsewhere a schema may be strict without that.
#[must_use]
pub fn is_closed(schema: &Value) -> bool {
    closed(schema, 0)
}

fn closed(schema: &Value, depth: usize) -> bool {
    let Value::Object(schema) = schema else { return true };
    if depth > DEEPEST {
        return false;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_object = properties.is_some() || schema.get("type").is_some_and(|kind| kind == "object");
    if is_object && schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return false;
    }
    if let Some(properties) = properties {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let all = required.len() >= properties.len()
            && properties.keys().all(|name| required.contains(&name.as_str()));
        if !all || !properties.values().all(|inner| closed(inner, depth + 1)) {
            return false;
        }
    }
    let lists =
        ["anyOf", "oneOf", "allOf", "prefixItems"].iter().filter_map(|name| schema.get(*name)?.as_array());
    let maps = ["$defs", "definitions"].iter().filter_map(|name| schema.get(*name)?.as_object());
    lists
        .flatten()
        .chain(maps.flat_map(|map| map.values()))
        .chain(schema.get("items"))
        .all(|inner| closed(inner, depth + 1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_closed;

    #[test]
    fn closed_all_the_way_down() {
        let inner = json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": false});
        assert!(is_closed(&inner));
        let outer = |inner: serde_json::Value, required: serde_json::Value| json!({"type": "object", "properties": {"list": {"type": "array", "items": inner}}, "required": required, "additionalProperties": false});
        assert!(is_closed(&outer(inner.clone(), json!(["list"]))));
        assert!(!is_closed(&outer(inner, json!([]))));
        assert!(!is_closed(&outer(json!({"type": "object"}), json!(["list"]))));
        assert!(is_closed(&json!({"type": "string"})));
    }
}
