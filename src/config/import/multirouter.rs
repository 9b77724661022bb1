//! `providers.yaml` of MultiRouter AI. It is our own language: it can be started with as it is, and is taken over word
//! for word. What belongs to the whole server (`.env`) is read from the environment by the hub itself.

use serde_json::Value as JsonValue;

use super::{Input, draft::Draft, note_empty, part::Part, trees, written_variables};
use crate::config::{SETTINGS, managed::bare, mask::shown, node::Value};

/// Sections that a file of MultiRouter's has.
const SECTIONS: [&str; 2] = ["providers", "routing"];

/// Variables of MultiRouter's `.env`, and what they are here.
const VARIABLES: [(&str, &str); 5] = [
    ("PORT", "PORT"),
    ("API_KEY", "API_KEY"),
    ("LOG_LEVEL", "LOG_LEVEL"),
    ("RATE_LIMIT_MAX", "`server.rate_limit_per_minute`"),
    ("NODE_ENV", "nothing"),
];

pub(super) fn read(inputs: &[Input], draft: &mut Draft<'_>) {
    note_empty(inputs, draft);
    for root in trees(inputs) {
        if !root.is_map() {
            draft.note(
                root.place(),
                "expected `providers:` with a list below it",
                "see that this is the right file",
            );
        }
        for (key, part) in root.entries() {
            match key.name.as_str() {
                "providers" => providers(part, draft),
                "routing" => routing(part, draft),
                other => {
                    let message = format!("the section {} is not carried over", shown(other));
                    draft.note(&key.origin, message, format!("known here: {}", SECTIONS.join(", ")));
                }
            }
        }
    }
    for variable in written_variables(inputs) {
        let message = match VARIABLES.iter().find(|(name, _)| *name == variable.name) {
            Some((_, "nothing")) => continue,
            Some((name, here)) => format!("{name} is {here} here, and is read from the environment"),
            None => {
                draft.variable(&variable.name, &variable.value);
                continue;
            }
        };
        draft.note(&variable.place, message, "set it where the hub is started");
    }
}

fn providers(part: Part<'_>, draft: &mut Draft<'_>) {
    if !part.is_list() {
        draft.note(part.place(), "`providers` is no list", "write each provider as a list item");
    }
    for item in part.items() {
        let JsonValue::Object(mut definition) = bare(item.0) else {
            draft.note(item.place(), "this provider is no mapping", "write its settings as `key: value`");
            continue;
        };
        definition.shift_remove("id");
        let Some(id) = item.text_at("id") else {
            draft.note(
                item.place(),
                "this provider has no `id`",
                "give it a name of its own, such as `id: groq-1`",
            );
            continue;
        };
        definition.retain(|_, value| !value.is_null());
        let what = definition.get("type").and_then(JsonValue::as_str).map_or_else(String::new, |kind| {
            let models = definition.get("models").and_then(JsonValue::as_array).map_or(0, Vec::len);
            format!("{}, {models} models", shown(kind).trim_matches('`'))
        });
        // As it is: a wrong id, or one that is there twice, is for the loader to tell.
        draft.push("providers", id, definition, what, item.place());
    }
}

fn routing(part: Part<'_>, draft: &mut Draft<'_>) {
    for (key, value) in part.entries() {
        if matches!(value.0.value, Value::Scalar(_)) && !value.0.is_null() {
            let definition = [("value".to_owned(), bare(value.0))].into_iter().collect();
            let what = value.text().map(shown).unwrap_or_default();
            draft.push(SETTINGS, &format!("routing.{}", key.name), definition, what, &key.origin);
        }
    }
}
