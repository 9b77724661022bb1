//! What a schema must keep to besides its keywords.

use serde_json::Value;

use super::super::problem::Problem;

const TYPES: [&str; 8] =
    ["TYPE_UNSPECIFIED", "STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"];

/// Checks a schema that the table has let through.
pub(super) fn check(place: &str, schema: &Value) -> Result<(), Problem> {
    let kind = schema["type"].as_str().unwrap_or("").to_ascii_uppercase();
    if schema.get("type").is_some() && !TYPES.contains(&kind.as_str()) {
        return Err(super::proto::bad(
            place,
            format!(
                "Invalid value at '{place}.type' (type.googleapis.com/google.ai.generativelanguage.v1beta.Type), {}",
                schema["type"]
            ),
        ));
    }
    if kind == "STRING" && !matches!(schema["format"].as_str(), None | Some("enum" | "date-time")) {
        return Err(wrong(
            &format!("{place}.format"),
            "only 'enum' and 'date-time' are supported for STRING type",
        ));
    }
    if kind == "ARRAY" && schema.get("items").is_none() {
        return Err(wrong(&format!("{place}.items"), "missing field."));
    }
    let properties = schema["properties"].as_object();
    for (at, name) in schema["required"].as_array().into_iter().flatten().enumerate() {
        let known = properties.is_some_and(|map| name.as_str().is_some_and(|name| map.contains_key(name)));
        if !known {
            return Err(wrong(&format!("{place}.required[{at}]"), "property is not defined"));
        }
    }
    for (name, property) in properties.into_iter().flatten() {
        check(&format!("{place}.properties[{name}]"), property)?;
    }
    for (at, option) in schema["anyOf"].as_array().into_iter().flatten().enumerate() {
        check(&format!("{place}.any_of[{at}]"), option)?;
    }
    match schema.get("items") {
        Some(items) => check(&format!("{place}.items"), items),
        None => Ok(()),
    }
}

/// A refusal of something that is well formed and makes no sense.
pub(super) fn wrong(place: &str, what: &str) -> Problem {
    Problem::invalid(format!("* GenerateContentRequest.{place}: {what}\n"))
}

/// The schema with types as JSON Schema writes them, for drawing values.
pub(super) fn lower(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| match value {
                Value::String(kind) if name == "type" => (name.clone(), kind.to_ascii_lowercase().into()),
                other => (name.clone(), lower(other)),
            })
            .collect(),
        Value::Array(list) => list.iter().map(lower).collect(),
        other => other.clone(),
    }
}
