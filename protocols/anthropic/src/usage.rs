//! The `usage` object of answers. Its `input_tokens` leave out what was read from or written to the prompt cache;
//! [`Usage`] counts the whole prompt.

use canon::{Dialect, Fields, Rest, Usage};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, value::RawValue};

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    thinking_tokens: Option<u64>,
}

impl Wire {
    fn usage(self) -> Option<Usage> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        let cached_input = self.cache_read_input_tokens.unwrap_or(0);
        let cache_write = self.cache_creation_input_tokens.unwrap_or(0);
        let plain = self.input_tokens.unwrap_or(0);
        Some(Usage {
            input: plain.saturating_add(cached_input).saturating_add(cache_write),
            output: self.output_tokens.unwrap_or(0),
            cached_input,
            cache_write,
            reasoning: self.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0),
            ..Usage::default()
        })
    }
}

/// Reads a `usage` value. One that is not understood is no usage: an answer is worth more than its count.
pub(crate) fn read(raw: Option<&RawValue>) -> Option<Usage> {
    from_str::<Wire>(raw?.get())?.usage()
}

/// The same for a value that was already parsed.
pub(crate) fn of(value: &Value) -> Option<Usage> {
    Wire::deserialize(value).ok()?.usage()
}

fn from_str<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

/// The hint that names the counts which stood in a usage object: the others are zero and need not be written.
const PRESENT: &str = "$usage";

const COUNTS: [&str; 4] =
    ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];

/// Takes a usage object apart: what is typed, and the rest of it, which goes into `rest` under its own name.
pub(crate) fn take(value: Value, rest: &mut Rest) -> Option<Usage> {
    let usage = of(&value);
    let (Some(found), Ok(mut fields)) = (usage, Fields::of(value.clone())) else {
        rest.hint(Dialect::Messages, "usage", value);
        return None;
    };
    let mut present: Vec<Value> = Vec::new();
    for name in COUNTS {
        present.extend(fields.take(name).map(|_| Value::from(name)));
    }
    if found.reasoning > 0 {
        fields.take("output_tokens_details");
    }
    rest.hint(Dialect::Messages, PRESENT, present);
    if !fields.is_empty() {
        rest.hint(Dialect::Messages, "usage", Value::Object(fields.into_map()));
    }
    Some(found)
}

/// The usage object of an answer. `rest` is the answer's: what [`take`] left there is put back.
pub(crate) fn put(usage: Usage, rest: &Rest) -> Value {
    let own = rest.of(Dialect::Messages);
    let leftover = own.and_then(|own| own.get("usage")).and_then(Value::as_object);
    let present = rest.hinted(Dialect::Messages, PRESENT).and_then(Value::as_array);
    let mut object = leftover.cloned().unwrap_or_default();
    for (name, count) in COUNTS.into_iter().zip(counts(usage)) {
        let stood = present.is_none_or(|present| present.iter().any(|known| known == name));
        if (stood || count > 0) && !object.contains_key(name) {
            object.insert(name.to_owned(), count.into());
        }
    }
    details(usage, &mut object);
    Value::Object(object)
}

/// The usage of a stream's beginning or end, every count written.
pub(crate) fn whole(usage: Usage) -> Value {
    put(usage, &Rest::default())
}

fn counts(usage: Usage) -> [u64; 4] {
    let plain = usage.input.saturating_sub(usage.cached_input).saturating_sub(usage.cache_write);
    [plain, usage.cache_write, usage.cached_input, usage.output]
}

fn details(usage: Usage, object: &mut Map<String, Value>) {
    if usage.reasoning > 0 && !object.contains_key("output_tokens_details") {
        let details = Map::from_iter([("thinking_tokens".to_owned(), usage.reasoning.into())]);
        object.insert("output_tokens_details".to_owned(), Value::Object(details));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cached_tokens_are_part_of_the_prompt() {
        let wire = json!({"input_tokens": 10, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20,
            "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 3}});
        let usage = of(&wire);
        let expected = Usage {
            input: 130,
            output: 7,
            cached_input: 100,
            cache_write: 20,
            reasoning: 3,
            ..Usage::default()
        };
        assert_eq!(usage, Some(expected));
        assert_eq!(whole(expected), wire);
    }

    #[test]
    fn what_was_read_is_written_back() {
        for wire in [
            json!({"input_tokens": 1, "output_tokens": 2}),
            json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 0, "service_tier": "standard"}),
            json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": null,
                "server_tool_use": {"web_search_requests": 1}, "output_tokens_details": {"thinking_tokens": 2}}),
        ] {
            let mut rest = Rest::default();
            let usage = take(wire.clone(), &mut rest).unwrap_or_default();
            assert_eq!(put(usage, &rest), wire);
        }
    }
}
