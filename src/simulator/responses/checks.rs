//! Small checks with OpenAI's words: unknown parameters, values that are none, ids of the wrong kind.

use serde_json::{Map, Value};

use super::super::chat::request::{missing, wrong_type};
use super::super::problem::Problem;

/// The longest id.
const LONGEST_ID: usize = 64;

/// Refuses fields that are not known.
pub(super) fn only(place: &str, map: &Map<String, Value>, known: &[&str]) -> Result<(), Problem> {
    let Some(name) = map.keys().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let name = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
    let message = format!("Unknown parameter: '{name}'.");
    Err(Problem::bad(message, Some(&name), Some("unknown_parameter")))
}

/// A value that is none of those known.
pub(super) fn unsupported(place: &str, got: &str, known: &[&str]) -> Problem {
    let known = known.join("', '");
    let message = format!("Invalid value: '{got}'. Supported values are: '{known}'.");
    Problem::bad(message, Some(place), Some("invalid_value"))
}

/// Refuses a word that is none of those known; a word that is missing is none.
pub(super) fn word(place: &str, value: Option<&Value>, known: &[&str]) -> Result<(), Problem> {
    match value {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(word)) if known.contains(&word.as_str()) => Ok(()),
        Some(Value::String(word)) => Err(unsupported(place, word, known)),
        Some(other) => Err(wrong_type(place, "a string", other)),
    }
}

/// An object.
pub(super) fn object<'a>(place: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| wrong_type(place, "an object", value))
}

/// A text that has to be there.
pub(super) fn text<'a>(place: &str, map: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    let place = format!("{place}.{name}");
    match map.get(name) {
        None | Some(Value::Null) => Err(missing(&place)),
        Some(Value::String(text)) => Ok(text),
        Some(other) => Err(wrong_type(&place, "a string", other)),
    }
}

/// Refuses a text that is too long.
pub(super) fn short(place: &str, text: &str) -> Result<(), Problem> {
    if text.len() <= LONGEST_ID {
        return Ok(());
    }
    Err(Problem::bad(
        format!(
            "Invalid '{place}': string too long. Expected a string with maximum length {LONGEST_ID}, but got a string \
             with length {} instead.",
            text.len()
        ),
        Some(place),
        Some("string_above_max_length"),
    ))
}

/// Refuses an item's id that is of another kind of item. An item needs no id.
pub(super) fn id(place: &str, item: &Map<String, Value>, prefix: &str) -> Result<(), Problem> {
    let id = match item.get("id") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(id)) => id,
        Some(other) => return Err(wrong_type(&format!("{place}.id"), "a string", other)),
    };
    let place = format!("{place}.id");
    short(&place, id)?;
    let fits = id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'));
    if fits {
        return Ok(());
    }
    let message = format!("Invalid '{place}': '{id}'. Expected an ID that begins with '{prefix}'.");
    Err(Problem::bad(message, Some(&place), Some("invalid_value")))
}

/// Refuses a schema that is to be kept to and does not say all.
pub(super) fn strict_schema(
    what: &str,
    code: &'static str,
    schema: &Value,
    context: &str,
) -> Result<(), Problem> {
    let refuse = |says: String| {
        let message = format!("Invalid schema for {what}: In context=({context}), {says}");
        Err(Problem::bad(message, None, Some(code)))
    };
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
            return refuse("'additionalProperties' is required to be supplied and to be false.".to_owned());
        }
        let required = schema.get("required").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if let Some(name) =
            properties.keys().find(|name| !required.iter().any(|known| known == name.as_str()))
        {
            return refuse(format!(
                "'required' is required to be supplied and to be an array including every key in properties. Missing '{name}'."
            ));
        }
        for (name, property) in properties {
            strict_schema(what, code, property, &format!("{context}'properties', '{name}', "))?;
        }
    }
    match schema.get("items") {
        Some(items) => strict_schema(what, code, items, &format!("{context}'items', ")),
        None => Ok(()),
    }
}
