//! JSON Schemas from a small grammar: what clients write, with some keywords that not every vendor takes.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The schema of an object.
pub(crate) fn object() -> BoxedStrategy<Value> {
    let inner = leaf().prop_recursive(2, 12, 3, |inner| {
        prop_oneof![
            2 => properties(inner.clone()),
            1 => inner.clone().prop_map(|items| json!({"type": "array", "items": items})),
            1 => vec(inner, 1..3).prop_map(|all| json!({"anyOf": all})),
        ]
    });
    properties(inner.boxed())
}

fn properties(inner: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let extra = weighted(
        0.2,
        prop_oneof![
            Just(("$schema", json!("https://json-schema.org/draft/2020-12/schema"))),
            Just(("additionalProperties", json!(true))),
            Just(("description", json!("what it is"))),
            Just(("minProperties", json!(1))),
        ],
    );
    (vec(inner, 0..3), any::<bool>(), any::<bool>(), extra)
        .prop_map(|(inner, required, closed, extra)| {
            let named: Map<String, Value> =
                inner.into_iter().enumerate().map(|(at, schema)| (format!("p{at}"), schema)).collect();
            let mut schema = Map::new();
            schema.insert("type".to_owned(), "object".into());
            if required {
                schema.insert("required".to_owned(), named.keys().cloned().collect());
            }
            schema.insert("properties".to_owned(), named.into());
            if closed {
                schema.insert("additionalProperties".to_owned(), false.into());
            }
            schema.extend(extra.map(|(name, value)| (name.to_owned(), value)));
            schema.into()
        })
        .boxed()
}

fn leaf() -> BoxedStrategy<Value> {
    prop_oneof![
        Just(json!({"type": "string"})),
        Just(json!({"type": "string", "description": "d", "enum": ["a", "b"]})),
        Just(json!({"type": "string", "minLength": 2, "pattern": "^a"})),
        Just(json!({"type": "string", "format": "date-time", "default": "x"})),
        Just(json!({"type": "integer", "minimum": 0, "maximum": 9})),
        Just(json!({"type": "number", "exclusiveMinimum": 0})),
        Just(json!({"type": ["boolean", "null"]})),
        Just(json!({"const": "fixed"})),
    ]
    .boxed()
}
