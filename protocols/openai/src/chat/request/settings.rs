//! How the answer should be: limits, sampling, reasoning, format, and whether it streams.

use canon::{DecodeError, Effort, Fields, Format, Reasoning, Sampling, Turn};
use serde_json::Value;

use crate::chat::kept::{Hints, leave, rest_of};

pub(super) fn read(fields: &mut Fields, turn: &mut Turn, hints: &mut Hints) -> Result<(), DecodeError> {
    stream(fields, turn, hints)?;
    max_tokens(fields, turn, hints)?;
    turn.sampling = Sampling {
        temperature: fields.number("temperature")?,
        top_p: fields.number("top_p")?,
        top_k: fields.number("top_k")?,
        frequency_penalty: fields.number("frequency_penalty")?,
        presence_penalty: fields.number("presence_penalty")?,
        seed: fields.number("seed")?,
    };
    stop(fields, turn, hints)?;
    reasoning(fields, turn)?;
    turn.format = format(fields).map_err(|error| error.within("response_format"))?;
    turn.user = fields.string("user")?;
    if turn.user.is_none()
        && let Some(user) = fields.string("safety_identifier")?
    {
        turn.user = Some(user);
        hints.push(("$safety_identifier", true.into()));
    }
    Ok(())
}

fn stream(fields: &mut Fields, turn: &mut Turn, hints: &mut Hints) -> Result<(), DecodeError> {
    let stream = fields.flag("stream")?;
    turn.stream = stream.unwrap_or(false);
    if stream == Some(false) {
        hints.push(("$stream", true.into()));
    }
    let Some(mut options) = fields.object("stream_options")? else { return Ok(()) };
    let include = options.flag("include_usage").map_err(|error| error.within("stream_options"))?;
    turn.include_usage = include.unwrap_or(false);
    if !turn.stream {
        hints.push(("$stream_options", include.map_or(Value::Null, Value::Bool)));
    }
    leave(fields, "stream_options", options);
    Ok(())
}

fn max_tokens(fields: &mut Fields, turn: &mut Turn, hints: &mut Hints) -> Result<(), DecodeError> {
    turn.max_tokens = fields.whole("max_completion_tokens")?;
    if turn.max_tokens.is_none()
        && let Some(limit) = fields.whole("max_tokens")?
    {
        turn.max_tokens = Some(limit);
        hints.push(("$max_tokens", true.into()));
    }
    Ok(())
}

fn stop(fields: &mut Fields, turn: &mut Turn, hints: &mut Hints) -> Result<(), DecodeError> {
    match fields.take("stop") {
        None => {}
        Some(Value::String(text)) => {
            turn.stop.push(text);
            hints.push(("$stop", true.into()));
        }
        Some(Value::Array(list)) if list.is_empty() => hints.push(("$stop", true.into())),
        Some(Value::Array(list)) => {
            for text in list {
                let Value::String(text) = text else {
                    return Err(DecodeError::new("stop", "must hold strings"));
                };
                turn.stop.push(text);
            }
        }
        Some(_) => return Err(DecodeError::new("stop", "must be a string or an array")),
    }
    Ok(())
}

fn reasoning(fields: &mut Fields, turn: &mut Turn) -> Result<(), DecodeError> {
    let Some(word) = fields.string("reasoning_effort")? else { return reasoning_object(fields, turn) };
    match Effort::parse(&word).filter(|effort| effort.as_str() == word) {
        Some(effort) => turn.reasoning = Some(Reasoning { effort: Some(effort), ..Reasoning::default() }),
        None => fields.put("reasoning_effort", Value::String(word)),
    }
    Ok(())
}

/// The object that aggregators have instead.
fn reasoning_object(fields: &mut Fields, turn: &mut Turn) -> Result<(), DecodeError> {
    let Some(mut inner) = fields.object("reasoning")? else { return Ok(()) };
    let within = |error: DecodeError| error.within("reasoning");
    let mut reasoning = Reasoning {
        enabled: inner.flag("enabled").map_err(within)?,
        budget: inner.whole("max_tokens").map_err(within)?,
        shown: inner.flag("exclude").map_err(within)?.map(|exclude| !exclude),
        ..Reasoning::default()
    };
    if let Some(effort) = inner.peek_str("effort").and_then(Effort::parse)
        && inner.peek_str("effort") == Some(effort.as_str())
    {
        inner.take("effort");
        reasoning.effort = Some(effort);
    }
    reasoning.rest = rest_of(inner, vec![("$object", true.into())]);
    turn.reasoning = Some(reasoning);
    Ok(())
}

fn format(fields: &mut Fields) -> Result<Option<Format>, DecodeError> {
    let known = |kind: &str| matches!(kind, "text" | "json_object" | "json_schema");
    let kind = fields.peek("response_format").and_then(|it| it.get("type")).and_then(Value::as_str);
    if !kind.is_some_and(known) {
        return Ok(None);
    }
    let Some(mut outer) = fields.object("response_format")? else { return Ok(None) };
    let kind = outer.need_string("type")?;
    let format = match kind.as_str() {
        "text" => Format::Text,
        "json_object" => Format::Json,
        _ => schema(&mut outer)?,
    };
    leave(fields, "response_format", outer);
    Ok(Some(format))
}

fn schema(outer: &mut Fields) -> Result<Format, DecodeError> {
    let within = |error: DecodeError| error.within("json_schema");
    let mut inner =
        outer.object("json_schema")?.ok_or_else(|| DecodeError::new("json_schema", "is missing"))?;
    let format = Format::Schema {
        name: inner.string("name").map_err(within)?,
        description: inner.string("description").map_err(within)?,
        schema: inner.take("schema").unwrap_or_default(),
        strict: inner.flag("strict").map_err(within)?,
    };
    leave(outer, "json_schema", inner);
    Ok(format)
}
