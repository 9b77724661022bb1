//! Reading JSON strictly, for the dialects whose vendors name the place of a mistake as `a.b.0.c: what is wrong`.

use serde_json::{Map, Value};

use super::problem::Problem;

/// A refusal at a place.
pub(super) fn wrong(place: &str, what: impl std::fmt::Display) -> Problem {
    Problem::invalid(format!("{place}: {what}"))
}

/// A place below another one.
pub(super) fn below(place: &str, name: impl std::fmt::Display) -> String {
    if place.is_empty() { name.to_string() } else { format!("{place}.{name}") }
}

/// An object.
pub(super) fn object<'a>(place: &str, value: &'a Value) -> Result<&'a Map<String, Value>, Problem> {
    value.as_object().ok_or_else(|| wrong(place, "Input should be a valid dictionary"))
}

/// A list.
pub(super) fn list<'a>(place: &str, value: &'a Value) -> Result<&'a Vec<Value>, Problem> {
    value.as_array().ok_or_else(|| wrong(place, "Input should be a valid list"))
}

/// A field that may be missing or null.
pub(super) fn set<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

/// A field that has to be there.
pub(super) fn required<'a>(
    place: &str,
    map: &'a Map<String, Value>,
    name: &str,
) -> Result<&'a Value, Problem> {
    map.get(name).ok_or_else(|| wrong(&below(place, name), "Field required"))
}

/// A text that has to be there.
pub(super) fn text<'a>(place: &str, map: &'a Map<String, Value>, name: &str) -> Result<&'a str, Problem> {
    let value = required(place, map, name)?;
    value.as_str().ok_or_else(|| wrong(&below(place, name), "Input should be a valid string"))
}

/// A flag, false if it is missing.
pub(super) fn flag(place: &str, map: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    let Some(value) = set(map, name) else { return Ok(false) };
    value.as_bool().ok_or_else(|| wrong(&below(place, name), "Input should be a valid boolean"))
}

/// Refuses fields that are not known.
pub(super) fn only(place: &str, map: &Map<String, Value>, known: &[&str]) -> Result<(), Problem> {
    match map.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(wrong(&below(place, name), "Extra inputs are not permitted")),
        None => Ok(()),
    }
}
