//! A JSON Schema cut down to the keywords that Gemini documents for `responseJsonSchema` (and takes in
//! `parametersJsonSchema`): others are said by these where that is possible, and left out otherwise.

use serde_json::{Map, Value, json};

use super::{LIST, NAMED, ONE};

/// Keywords that stay as they are.
const KEPT: [&str; 10] = [
    "type",
    "format",
    "title",
    "description",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "required",
    "propertyOrdering",
];

/// Keywords that say nothing that a model is held to.
const SILENT: [&str; 8] =
    ["$schema", "$id", "$comment", "examples", "readOnly", "writeOnly", "deprecated", "$anchor"];

/// The deepest schema that is walked; what is below it is left open.
const DEPTH: usize = 96;

/// The schema as Gemini accepts it, and whether anything that constrains was lost on the way.
#[must_use]
pub fn accepted(schema: &Value) -> (Value, bool) {
    let mut cut = Cut { lost: false };
    let schema = match schema {
        Value::Object(map) => cut.object(map, 0),
        // The schema `true`, or none at all.
        _ => json!({"type": "object"}),
    };
    (schema, cut.lost)
}

struct Cut {
    lost: bool,
}

impl Cut {
    fn schema(&mut self, schema: &Value, depth: usize) -> Value {
        match schema {
            Value::Object(map) if depth < DEPTH => self.object(map, depth),
            // `true` and `false`: anything, and nothing, which cannot be said.
            Value::Bool(_) | Value::Null => json!({}),
            _ => {
                self.lost = true;
                json!({})
            }
        }
    }

    fn object(&mut self, map: &Map<String, Value>, depth: usize) -> Value {
        if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
            return self.reference(reference, map, depth);
        }
        let mut kept = Map::new();
        for (name, value) in map {
            self.keyword(name, value, &mut kept, depth);
        }
        required_exist(&mut kept);
        Value::Object(kept)
    }

    /// Beside `$ref` only keywords with a `$` may stand.
    fn reference(&mut self, reference: &str, map: &Map<String, Value>, depth: usize) -> Value {
        let target = if let Some(name) = reference.strip_prefix("#/definitions/") {
            format!("#/$defs/{name}")
        } else {
            reference.to_owned()
        };
        let mut kept = Map::new();
        if target.starts_with("#/$defs/") {
            kept.insert("$ref".into(), target.into());
        } else {
            // The schema as a whole, or another document: left open.
            self.lost = true;
        }
        for (name, value) in map {
            match name.as_str() {
                "$defs" | "definitions" => self.keyword(name, value, &mut kept, depth),
                "$ref" | "description" | "title" | "default" => {}
                name => self.lost |= !SILENT.contains(&name),
            }
        }
        Value::Object(kept)
    }

    fn keyword(&mut self, name: &str, value: &Value, kept: &mut Map<String, Value>, depth: usize) {
        match name {
            "additionalProperties" if value.is_boolean() => {
                kept.insert(name.to_owned(), value.clone());
            }
            // Draft 4 to 2019: a list is what `prefixItems` is now.
            "items" if value.is_array() => self.keyword("prefixItems", value, kept, depth),
            _ if ONE.contains(&name) => {
                let inner = self.schema(value, depth + 1);
                kept.insert(name.to_owned(), inner);
            }
            _ if LIST.contains(&name) => self.list(name, value, kept, depth),
            "definitions" => self.named("$defs", value, kept, depth),
            _ if NAMED.contains(&name) => self.named(name, value, kept, depth),
            "allOf" => self.all_of(value, kept, depth),
            "enum" => self.enumeration(value, kept),
            "const" => self.constant(value, kept),
            "exclusiveMinimum" | "exclusiveMaximum" => self.exclusive(name, value, kept),
            "default" => {}
            _ if KEPT.contains(&name) => {
                // What an `allOf` before it said is narrower or the same.
                kept.entry(name.to_owned()).or_insert_with(|| value.clone());
            }
            _ => self.lost |= !SILENT.contains(&name),
        }
    }

    fn list(&mut self, name: &str, value: &Value, kept: &mut Map<String, Value>, depth: usize) {
        let Value::Array(schemas) = value else {
            self.lost = true;
            return;
        };
        let schemas: Vec<Value> = schemas.iter().map(|schema| self.schema(schema, depth + 1)).collect();
        kept.insert(name.to_owned(), schemas.into());
    }

    fn named(&mut self, name: &str, value: &Value, kept: &mut Map<String, Value>, depth: usize) {
        let Value::Object(schemas) = value else {
            self.lost = true;
            return;
        };
        let schemas: Vec<(String, Value)> =
            schemas.iter().map(|(name, schema)| (name.clone(), self.schema(schema, depth + 1))).collect();
        match kept.get_mut(name) {
            Some(Value::Object(earlier)) => earlier.extend(schemas),
            _ => {
                kept.insert(name.to_owned(), Value::Object(schemas.into_iter().collect()));
            }
        }
    }

    /// Merges the schemas of an `allOf` into the one that holds it, where they speak of different things.
    fn all_of(&mut self, value: &Value, kept: &mut Map<String, Value>, depth: usize) {
        for schema in value.as_array().into_iter().flatten() {
            let Value::Object(mut part) = self.schema(schema, depth + 1) else { continue };
            if part.contains_key("$ref") {
                // A single reference can stand for the whole; beside others it cannot be said.
                let alone = kept.is_empty() && value.as_array().is_some_and(|all| all.len() == 1);
                self.lost |= !alone;
                if alone {
                    kept.append(&mut part);
                }
                continue;
            }
            for (name, value) in part {
                self.merge(name, value, kept);
            }
        }
    }

    fn merge(&mut self, name: String, value: Value, kept: &mut Map<String, Value>) {
        match (kept.get_mut(&name), value) {
            (None, value) => {
                kept.insert(name, value);
            }
            (Some(Value::Object(earlier)), Value::Object(more))
                if name == "properties" || name == "$defs" =>
            {
                earlier.extend(more);
            }
            (Some(Value::Array(earlier)), Value::Array(more)) if name == "required" => earlier.extend(more),
            (Some(earlier), value) => {
                self.lost |= *earlier != value && !matches!(name.as_str(), "title" | "description");
            }
        }
    }

    /// Enumerations hold strings and numbers; null is a type.
    fn enumeration(&mut self, value: &Value, kept: &mut Map<String, Value>) {
        let Value::Array(values) = value else {
            self.lost = true;
            return;
        };
        let sayable: Vec<Value> =
            values.iter().filter(|value| value.is_string() || value.is_number()).cloned().collect();
        let nulls = values.iter().filter(|value| value.is_null()).count();
        self.lost |= sayable.len() + nulls != values.len();
        if !sayable.is_empty() {
            kept.insert("enum".into(), sayable.into());
        }
    }

    /// A constant is an enumeration of one, which strings and numbers can be.
    fn constant(&mut self, value: &Value, kept: &mut Map<String, Value>) {
        let kind = match value {
            Value::String(_) => "string",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::Bool(_) => {
                self.lost = true;
                kept.entry("type").or_insert_with(|| "boolean".into());
                return;
            }
            _ => {
                self.lost |= !value.is_null();
                return;
            }
        };
        kept.insert("enum".into(), json!([value]));
        kept.entry("type").or_insert_with(|| kind.into());
    }

    fn exclusive(&mut self, name: &str, value: &Value, kept: &mut Map<String, Value>) {
        self.lost = true;
        // Draft 4 writes a truth value beside the bound itself.
        if value.is_number() {
            let bound = if name == "exclusiveMinimum" { "minimum" } else { "maximum" };
            kept.entry(bound).or_insert_with(|| value.clone());
        }
    }
}

/// A required property that is not described is refused.
fn required_exist(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    let Some(Value::Array(required)) = schema.get("required") else { return };
    let exists = |name: &&Value| name.as_str().is_some_and(|name| properties.contains_key(name));
    let required: Vec<Value> = required.iter().filter(exists).cloned().collect();
    schema.insert("required".into(), required.into());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keywords_go_and_properties_of_the_same_name_stay() {
        let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "x", "type": "object",
            "properties": {
                "const": {"const": "fixed"}, "not": {"type": "string", "pattern": "^a"},
                "$schema": {"type": "number", "exclusiveMinimum": 0}, "n": {"type": ["integer", "null"]}},
            "propertyNames": {"pattern": "^x"}, "required": ["const", "gone"], "additionalProperties": false});
        let expected = json!({"type": "object", "properties": {
                "const": {"enum": ["fixed"], "type": "string"}, "not": {"type": "string"},
                "$schema": {"type": "number", "minimum": 0}, "n": {"type": ["integer", "null"]}},
            "required": ["const"], "additionalProperties": false});
        assert_eq!(accepted(&schema), (expected, true));
    }

    #[test]
    fn what_gemini_documents_is_no_loss() {
        let schema = json!({"type": "object", "properties": {"a": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "b": {"type": "array", "prefixItems": [{"type": "number"}], "minItems": 1}, "c": {"$ref": "#/$defs/C"}},
            "$defs": {"C": {"type": "string", "format": "date", "enum": ["x"]}}});
        assert_eq!(accepted(&schema), (schema, false));
    }

    #[test]
    fn older_references_are_respelled_and_others_left_open() {
        let schema = json!({"definitions": {"N": {"type": "object", "properties": {"next": {"$ref": "#/definitions/N"}}}},
            "type": "object", "properties": {"first": {"$ref": "#/definitions/N", "description": "d"}, "all": {"$ref": "#"}}});
        let expected = json!({"$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}},
            "type": "object", "properties": {"first": {"$ref": "#/$defs/N"}, "all": {}}});
        assert_eq!(accepted(&schema), (expected, true));
    }

    #[test]
    fn parts_of_an_all_of_are_merged() {
        let schema = json!({"allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}]});
        let expected = json!({"type": "object", "required": ["a", "b"],
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}});
        assert_eq!(accepted(&schema), (expected, false));
        let single = json!({"allOf": [{"$ref": "#/$defs/A"}]});
        assert_eq!(accepted(&single), (json!({"$ref": "#/$defs/A"}), false));
    }

    fn schemas() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(true)),
            Just(json!("x")),
            Just(json!(3)),
            Just(json!(null)),
            Just(json!(["a", "null"]))
        ];
        let name = proptest::sample::select(vec![
            "type",
            "items",
            "properties",
            "allOf",
            "anyOf",
            "$ref",
            "$defs",
            "const",
            "required",
            "exclusiveMinimum",
            "not",
        ]);
        leaf.prop_recursive(5, 40, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::hash_map(name.clone(), inner, 0..4).prop_map(|map| map
                    .into_iter()
                    .map(|(k, v)| (k.to_owned(), v))
                    .collect::<Map<_, _>>()
                    .into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn anything_is_cut_to_what_is_accepted_once_and_for_all(schema in schemas()) {
            let (once, _) = accepted(&schema);
            prop_assert!(once.is_object());
            let _ = (super::super::json_schema(schema.clone()), super::super::lower_types(schema));
        }
    }
}
