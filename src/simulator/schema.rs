//! Makes a value that fits a JSON Schema, always the same for the same dice.
//!
//! It follows what tools and answer formats use (types, enum, const, required, items, anyOf, $ref …), not the whole of
//! JSON Schema.

use serde_json::{Map, Value};

use super::dice::Dice;

/// Depth at which nested objects and arrays become empty, because a schema may refer to itself.
const DEEPEST: usize = 8;

const WORDS: [&str; 8] = ["amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "harbor"];

/// A value after `schema`.
pub(super) fn sample(schema: &Value, dice: &mut Dice) -> Value {
    Sampler { root: schema, dice }.value(schema, 0)
}

struct Sampler<'a> {
    root: &'a Value,
    dice: &'a mut Dice,
}

impl Sampler<'_> {
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")) {
            return fixed.clone();
        }
        if let Some(one) = schema.get("enum").and_then(Value::as_array).filter(|list| !list.is_empty()) {
            return one[self.dice.below(one.len())].clone();
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let target = target.strip_prefix('#').and_then(|path| self.root.pointer(path)).cloned();
            return target.map_or(Value::Null, |target| self.value(&target, depth + 1));
        }
        for name in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(name).and_then(Value::as_array).and_then(|list| list.first()) {
                return self.value(first, depth + 1);
            }
        }
        match kind(schema) {
            "string" => self.text(schema),
            "integer" => self.number(schema).into(),
            "number" => (self.number(schema) as f64 + 0.5).into(),
            "boolean" => Value::Bool(self.dice.chance(0.5)),
            "array" => self.array(schema, depth),
            "object" => self.object(schema, depth),
            _ => Value::Null,
        }
    }

    fn text(&mut self, schema: &Value) -> Value {
        let text = match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-01-31",
            Some("date-time") => "2026-01-31T12:00:00Z",
            Some("email") => "amber@example.com",
            Some("uri") => "https://example.com/",
            _ => self.dice.pick(&WORDS),
        };
        Value::String(text.to_owned())
    }

    fn number(&mut self, schema: &Value) -> i64 {
        let bound = |name| schema.get(name).and_then(Value::as_f64).map(|bound| bound as i64);
        let low = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|low| low.saturating_add(1)));
        let high = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|high| high.saturating_sub(1)));
        let drawn = i64::try_from(self.dice.below(100)).unwrap_or(0);
        match (low, high) {
            (Some(low), Some(high)) => low.saturating_add(drawn).min(high),
            (Some(low), None) => low.saturating_add(drawn),
            (None, Some(high)) => drawn.min(high),
            (None, None) => drawn,
        }
    }

    fn array(&mut self, schema: &Value, depth: usize) -> Value {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).clamp(1, 16);
        let Some(items) = schema.get("items").filter(|_| depth < DEEPEST) else {
            return Value::Array(Vec::new());
        };
        (0..least).map(|_| self.value(items, depth + 1)).collect()
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let mut made = Map::new();
        if let Some(properties) =
            schema.get("properties").and_then(Value::as_object).filter(|_| depth < DEEPEST)
        {
            for (name, property) in properties {
                made.insert(name.clone(), self.value(property, depth + 1));
            }
        }
        Value::Object(made)
    }
}

/// The type, also where it is only hinted at or one of several.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ if schema.get("items").is_some() => "array",
        _ if schema.is_object() => "object",
        _ => "null",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_fit_their_schema() {
        let schema = json!({
            "type": "object",
            "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
            "properties": {
                "unit": {"enum": ["c", "f"]},
                "days": {"type": "integer", "minimum": 3, "maximum": 4},
                "city": {"type": ["null", "string"]},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
                "wet": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                "deep": {"$ref": "#/$defs/node"},
                "same": {"const": 5},
            },
        });
        let value = sample(&schema, &mut Dice::new(3, &[]));
        assert!(["c", "f"].contains(&value["unit"].as_str().unwrap_or_default()));
        assert!((3..=4).contains(&value["days"].as_i64().unwrap_or_default()));
        assert!(value["city"].is_string() && value["wet"].is_boolean());
        assert_eq!(value["tags"].as_array().map(Vec::len), Some(2));
        assert_eq!(value["same"], 5);
        assert_eq!(value, sample(&schema, &mut Dice::new(3, &[])));
    }

    #[test]
    fn odd_schemas_end() {
        let endless = json!({"anyOf": [{"$ref": "#"}]});
        assert_eq!(sample(&endless, &mut Dice::new(1, &[])), Value::Null);
        assert_eq!(sample(&json!({}), &mut Dice::new(1, &[])), json!({}));
    }
}
