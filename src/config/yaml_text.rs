//! Values as YAML for people: blocks, two spaces deep, and quotes only where something could be misread.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// Words that are no texts without quotes.
const RESERVED: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// The YAML of a mapping; read again it is the same.
#[must_use]
pub fn yaml_text(value: &Map<String, Value>) -> String {
    let mut out = String::new();
    mapping(value, 0, &mut out);
    out
}

fn mapping(map: &Map<String, Value>, depth: usize, out: &mut String) {
    for (nth, (key, value)) in map.iter().enumerate() {
        // The first entry of a mapping in a list stands behind the dash.
        if nth > 0 || !out.ends_with("- ") {
            indent(depth, out);
        }
        out.push_str(&text(key));
        out.push(':');
        below(value, depth, out);
    }
}

/// What stands behind a key.
fn below(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(map, depth + 1, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            list(items, depth + 1, out);
        }
        other => {
            let _ = writeln!(out, " {}", scalar(other));
        }
    }
}

fn list(items: &[Value], depth: usize, out: &mut String) {
    for item in items {
        indent(depth, out);
        out.push_str("- ");
        match item {
            Value::Object(map) if !map.is_empty() => mapping(map, depth + 1, out),
            // In JSON, which is YAML: lists of lists are rare.
            other => {
                let _ = writeln!(out, "{}", scalar(other));
            }
        }
    }
}

fn indent(depth: usize, out: &mut String) {
    out.push_str(&"  ".repeat(depth));
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(said) => text(said),
        other => other.to_string(),
    }
}

/// A text, quoted as JSON does unless it is a plain word.
fn text(said: &str) -> String {
    let plain = said.starts_with(|c: char| c.is_ascii_alphabetic())
        && said.chars().all(|c| c.is_ascii_alphanumeric() || "_./-".contains(c))
        && !RESERVED.contains(&said.to_ascii_lowercase().as_str());
    if plain { said.to_owned() } else { Value::from(said).to_string() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use serde_json::json;

    use super::*;
    use crate::config::yaml_value;

    #[test]
    fn what_is_written_is_read_again() {
        let value = json!({
            "providers": [
                {"id": "a", "models": ["m", {"id": "x: y", "tags": []}], "price": {"input": 0.5}},
                {"id": "5", "api_key": "${A_API_KEY}", "nested": [[1, "2"], []]},
                "plain", "- dash", "# no comment", "", " space ", "tab\t\"quote\"", "true", "null", "~", "1e3", "ünï",
            ],
            "routing": {"sessions": "off", "n": -3, "yes": true, "empty": {}},
        });
        let text = yaml_text(value.as_object().unwrap());
        assert_eq!(yaml_value(&text).unwrap(), value, "{text}");
        assert!(text.starts_with("providers:\n  - id: a\n    models:\n      - m\n"), "{text}");
    }
}
