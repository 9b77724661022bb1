//! The settings of a request: sampling, thinking, the form of the output, and who asks.

use canon::{DecodeError, Dialect, Effort, Fields, Format, Reasoning, Sampling, Turn};
use serde_json::{Map, Value};

pub(super) fn stream(fields: &mut Fields) -> Result<bool, DecodeError> {
    let stream = fields.flag("stream")?;
    if stream == Some(false) {
        fields.put("$stream", false.into());
    }
    Ok(stream.unwrap_or(false))
}

pub(super) fn sampling(fields: &mut Fields) -> Result<Sampling, DecodeError> {
    Ok(Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.number("top_k")?,
        ..Sampling::default()
    })
}

pub(super) fn stop(fields: &mut Fields) -> Result<Vec<String>, DecodeError> {
    let Some(list) = fields.list("stop_sequences")? else { return Ok(Vec::new()) };
    if list.is_empty() {
        fields.put("$stop_sequences", "list".into());
    }
    let text = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(DecodeError::new("stop_sequences", "must be an array of strings")),
    };
    list.into_iter().map(text).collect()
}

/// Takes `thinking`, if it is of a type that is known.
pub(super) fn thinking(fields: &mut Fields) -> Result<Option<Reasoning>, DecodeError> {
    let kind = fields.peek("thinking").and_then(|thinking| thinking.get("type")).and_then(Value::as_str);
    let enabled = match kind {
        Some("enabled" | "adaptive") => true,
        Some("disabled") => false,
        _ => return Ok(None),
    };
    let adaptive = kind == Some("adaptive");
    let mut thinking = fields.object("thinking")?.unwrap_or_default();
    thinking.take("type");
    let budget = thinking.whole("budget_tokens").map_err(|error| error.within("thinking"))?;
    let shown = match thinking.peek_str("display") {
        Some("summarized") => Some(true),
        Some("omitted") => Some(false),
        _ => None,
    };
    if shown.is_some() {
        thinking.take("display");
    }
    let mut rest = thinking.rest(Dialect::Messages);
    if adaptive {
        rest.hint(Dialect::Messages, "$type", "adaptive");
    }
    Ok(Some(Reasoning { enabled: Some(enabled), effort: None, budget, shown, rest }))
}

/// Takes effort and format out of `output_config`, and the format out of the older `output_format`.
pub(super) fn output(fields: &mut Fields, turn: &mut Turn) -> Result<(), DecodeError> {
    if let Some(mut config) = fields.object("output_config")? {
        let was_empty = config.is_empty();
        if let Some(effort) = config.peek_str("effort").and_then(effort) {
            config.take("effort");
            turn.reasoning.get_or_insert_default().effort = Some(effort);
        }
        turn.format = format(&mut config, "format");
        if was_empty || !config.is_empty() {
            fields.put("output_config", Value::Object(config.into_map()));
        }
    }
    if turn.format.is_none() {
        turn.format = format(fields, "output_format");
        if turn.format.is_some() {
            fields.put("$output_format", true.into());
        }
    }
    Ok(())
}

fn effort(word: &str) -> Option<Effort> {
    Effort::parse(word).filter(|effort| effort.as_str() == word)
}

fn format(fields: &mut Fields, name: &str) -> Option<Format> {
    let is_schema = |map: &Map<String, Value>| {
        map.len() == 2
            && map.get("type").is_some_and(|kind| kind == "json_schema")
            && map.contains_key("schema")
    };
    fields.peek(name)?.as_object().filter(|map| is_schema(map))?;
    let schema = fields.take(name)?.get_mut("schema").map(Value::take)?;
    Some(Format::Schema { name: None, description: None, schema, strict: None })
}

pub(super) fn user(fields: &mut Fields) -> Result<Option<String>, DecodeError> {
    let Some(mut metadata) = fields.object("metadata")? else { return Ok(None) };
    let was_empty = metadata.is_empty();
    let user = metadata.string("user_id").map_err(|error| error.within("metadata"))?;
    if was_empty || !metadata.is_empty() {
        fields.put("metadata", Value::Object(metadata.into_map()));
    }
    Ok(user)
}
