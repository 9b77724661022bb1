//! Reads a chat request and refuses what OpenAI refuses, with the same error object.
//!
//! Fields that OpenAI knows and that change nothing here (temperature, logprobs, metadata …) are let through; the
//! ranges of the common ones are checked.

use serde_json::{Map, Value};

use super::super::ask::{Ask, Format, Search};
use super::super::problem::Problem;
use super::super::script::Quirk;
use super::super::speech::Context;
use super::{history, tools};

/// A chat request.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct ChatRequest {
    /// What is asked.
    pub(super) ask: Ask,
    /// Whether a stream ends with a usage chunk.
    pub(super) include_usage: bool,
}

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

impl ChatRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8], context: &Context<'_>) -> Result<Self, Problem> {
        let body = object(body)?;
        let model = model(&body)?;
        let stream = flag(&body, "stream")?;
        quirks(&body, context)?;
        let lines = history::read(&body, context)?;
        ranges(&body)?;
        let mut tools = tools::read(&body)?;
        let choice = tools::choice(&body, &mut tools)?;
        let include_usage = include_usage(&body, stream)?;
        let searches = body.get("web_search_options").is_some_and(Value::is_object);
        let ask = Ask {
            model,
            stream,
            lines,
            n: whole(&body, "n", 1, 128)?.unwrap_or(1),
            max_tokens: max_tokens(&body)?,
            stop: stop(&body)?,
            tools,
            choice,
            parallel: tools::parallel(&body)?,
            format: format(&body)?,
            thinks: thinks(&body)?,
            search: if searches { Search::Offered } else { Search::No },
            call_id: if context.has(Quirk::ToolIdNine) { ("", 9) } else { ("call_", 24) },
            cache: Vec::new(),
        };
        Ok(Self { ask, include_usage })
    }
}

/// A body that is a JSON object.
pub(in super::super) fn object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else {
        return Err(Problem::invalid(
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP \
             library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
        ));
    };
    Ok(body)
}

/// The fields that stricter vendors do not know.
fn quirks(body: &Map<String, Value>, context: &Context<'_>) -> Result<(), Problem> {
    for (quirk, name) in
        [(Quirk::NoStreamOptions, "stream_options"), (Quirk::NoMaxCompletionTokens, "max_completion_tokens")]
    {
        if context.has(quirk) && body.contains_key(name) {
            return Err(Problem::invalid(format!("Unrecognized request argument supplied: {name}")));
        }
    }
    Ok(())
}

fn thinks(body: &Map<String, Value>) -> Result<bool, Problem> {
    match body.get("reasoning_effort") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::String(effort)) if EFFORTS.contains(&effort.as_str()) => Ok(effort != "none"),
        Some(other) => Err(Problem::bad(
            format!("Invalid value: {other}. Supported values are: '{}'.", EFFORTS.join("', '")),
            Some("reasoning_effort"),
            Some("invalid_value"),
        )),
    }
}

pub(in super::super) fn model(body: &Map<String, Value>) -> Result<String, Problem> {
    match body.get("model") {
        None | Some(Value::Null) => Err(Problem::bad("you must provide a model parameter", None, None)),
        Some(Value::String(model)) if model.is_empty() => {
            Err(Problem::bad("you must provide a model parameter", None, None))
        }
        Some(Value::String(model)) => Ok(model.clone()),
        Some(other) => Err(wrong_type("model", "a string", other)),
    }
}

pub(super) fn include_usage(body: &Map<String, Value>, stream: bool) -> Result<bool, Problem> {
    match body.get("stream_options") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Object(_)) if !stream => Err(Problem::bad(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            Some("stream_options"),
            None,
        )),
        Some(Value::Object(options)) => flag(options, "include_usage"),
        Some(other) => Err(wrong_type("stream_options", "an object", other)),
    }
}

pub(super) fn max_tokens(body: &Map<String, Value>) -> Result<Option<usize>, Problem> {
    let old = whole(body, "max_tokens", 1, usize::MAX)?;
    Ok(whole(body, "max_completion_tokens", 1, usize::MAX)?.or(old))
}

pub(super) fn stop(body: &Map<String, Value>) -> Result<Vec<String>, Problem> {
    let wrong = |value| wrong_type("stop", "one of a string or array of strings", value);
    match body.get("stop") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(value @ Value::Array(list)) => {
            list.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(|| wrong(value))).collect()
        }
        Some(other) => Err(wrong(other)),
    }
}

fn format(body: &Map<String, Value>) -> Result<Format, Problem> {
    let Some(wanted) = body.get("response_format").filter(|wanted| !wanted.is_null()) else {
        return Ok(Format::Text);
    };
    match wanted.get("type").and_then(Value::as_str) {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Object),
        Some("json_schema") => wanted
            .pointer("/json_schema/schema")
            .map(|schema| Format::Schema(schema.clone()))
            .ok_or_else(|| missing("response_format.json_schema.schema")),
        Some(other) => Err(Problem::bad(
            format!(
                "Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'."
            ),
            Some("response_format.type"),
            Some("invalid_value"),
        )),
        None => Err(missing("response_format.type")),
    }
}

/// The ranges of numbers that the answer does not depend on.
pub(in super::super) fn ranges(body: &Map<String, Value>) -> Result<(), Problem> {
    let fields = [
        ("temperature", 0.0, 2.0),
        ("top_p", 0.0, 1.0),
        ("presence_penalty", -2.0, 2.0),
        ("frequency_penalty", -2.0, 2.0),
    ];
    for (name, low, high) in fields {
        let Some(value) = body.get(name).filter(|value| !value.is_null()) else { continue };
        let Some(number) = value.as_f64() else { return Err(wrong_type(name, "a decimal", value)) };
        if number < low {
            return Err(out_of_range(name, "minimum", ">=", low, &number.to_string()));
        }
        if number > high {
            return Err(out_of_range(name, "maximum", "<=", high, &number.to_string()));
        }
    }
    Ok(())
}

pub(in super::super) fn out_of_range(
    name: &str,
    end: &str,
    sign: &str,
    bound: impl std::fmt::Display,
    got: &str,
) -> Problem {
    let code = if end == "minimum" { "below_min_value" } else { "above_max_value" };
    let side = if end == "minimum" { "below minimum" } else { "above maximum" };
    Problem::bad(
        format!("Invalid '{name}': {side} value. Expected a value {sign} {bound}, but got {got} instead."),
        Some(name),
        Some(code),
    )
}

pub(in super::super) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong_type(name, "a boolean", other)),
    }
}

pub(in super::super) fn whole(
    body: &Map<String, Value>,
    name: &str,
    low: usize,
    high: usize,
) -> Result<Option<usize>, Problem> {
    let Some(value) = body.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    if !(value.is_u64() || value.is_i64()) {
        return Err(wrong_type(name, "an integer", value));
    }
    match value.as_u64().and_then(|number| usize::try_from(number).ok()) {
        Some(number) if number > high => Err(out_of_range(name, "maximum", "<=", high, &value.to_string())),
        Some(number) if number >= low => Ok(Some(number)),
        _ => Err(out_of_range(name, "minimum", ">=", low, &value.to_string())),
    }
}

pub(in super::super) fn missing(name: &str) -> Problem {
    Problem::bad(
        format!("Missing required parameter: '{name}'."),
        Some(name),
        Some("missing_required_parameter"),
    )
}

pub(in super::super) fn wrong_type(name: &str, expected: &str, got: &Value) -> Problem {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Problem::bad(
        format!("Invalid type for '{name}': expected {expected}, but got {got} instead."),
        Some(name),
        Some("invalid_type"),
    )
}

#[cfg(test)]
mod tests;
