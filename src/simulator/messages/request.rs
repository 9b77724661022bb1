//! Reads a Messages request and refuses what Anthropic refuses, in the same words where they matter.

use serde_json::{Map, Value};

use super::super::ask::{Ask, Format};
use super::super::fields::{below, flag, list, object, only, set, text, wrong};
use super::super::problem::Problem;
use super::super::speech::Context;
use super::thinking::Thinking;
use super::{MAKER, cache, history, thinking, threads, tools};

/// The fields of a request.
const FIELDS: [&str; 27] = [
    "model",
    "messages",
    "max_tokens",
    "system",
    "stream",
    "temperature",
    "top_p",
    "top_k",
    "stop_sequences",
    "tools",
    "tool_choice",
    "thinking",
    "metadata",
    "service_tier",
    "container",
    "mcp_servers",
    "context_management",
    "output_config",
    "output_format",
    "cache_control",
    "inference_geo",
    "speed",
    "fallbacks",
    "diagnostics",
    "billing_policy",
    "compaction",
    "fallback_credit_token",
];

/// A Messages request.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct MessagesRequest {
    /// What is asked.
    pub(super) ask: Ask,
    /// How thinking is asked for.
    pub(super) thinking: Thinking,
    /// Whose seals are made.
    pub(super) maker: String,
    /// Whether the cache is to last an hour.
    pub(super) hour: bool,
    /// The conversation to be held, and the key that it belongs to.
    pub(super) thread: Option<(String, Value)>,
}

impl MessagesRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8], context: &Context<'_>) -> Result<Self, Problem> {
        let mut body = parsed(body)?;
        let max_tokens = max_tokens(&body)?;
        let thread = threads::expand(&mut body, context)?;
        let mut read = Self::build(&body, max_tokens, context)?;
        read.ask.max_tokens = usize::try_from(max_tokens).ok();
        read.thread = thread.map(|held| (context.key.to_owned(), held));
        Ok(read)
    }

    /// Reads a body whose tokens are to be counted; it says nothing on the length of an answer.
    pub(in super::super) fn read_to_count(body: &[u8], context: &Context<'_>) -> Result<Self, Problem> {
        let mut body = parsed(body)?;
        threads::expand(&mut body, context)?;
        for name in ["max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences", "metadata"] {
            if body.contains_key(name) {
                return Err(wrong(name, "Extra inputs are not permitted"));
            }
        }
        Self::build(&body, u64::MAX, context)
    }

    fn build(body: &Map<String, Value>, max_tokens: u64, context: &Context<'_>) -> Result<Self, Problem> {
        only("", body, &FIELDS)?;
        let model = text("", body, "model")?.to_owned();
        if model.is_empty() {
            return Err(wrong("model", "String should have at least 1 character"));
        }
        let tools = tools::read(body)?;
        let mut ask = Ask {
            model,
            stream: flag("", body, "stream")?,
            n: 1,
            stop: stop(body)?,
            tools: tools.list,
            choice: tools.choice,
            parallel: tools.parallel,
            search: tools.search,
            format: format(body)?,
            call_id: ("toolu_", 24),
            ..Ask::default()
        };
        ranges(body)?;
        let thinking = thinking::read(body, max_tokens, &ask.choice)?;
        ask.thinks = thinking.on;
        history::read(body, &mut ask, context)?;
        history::begins_with_thinking(body, thinking)?;
        let (marks, hour) = cache::read(body, &ask)?;
        ask.cache = marks;
        Ok(Self { ask, thinking, maker: context.maker(MAKER).to_owned(), hour, thread: None })
    }
}

fn parsed(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(Problem::invalid("Input should be an object")),
        Err(error) => Err(Problem::invalid(format!("The request body is not valid JSON: {error}"))),
    }
}

fn max_tokens(body: &Map<String, Value>) -> Result<u64, Problem> {
    match body.get("max_tokens") {
        None => Err(wrong("max_tokens", "Field required")),
        Some(value) if value.as_u64().is_some_and(|most| most >= 1) => Ok(value.as_u64().unwrap_or(1)),
        Some(value) if value.is_i64() || value.is_u64() => {
            Err(wrong("max_tokens", "Input should be greater than or equal to 1"))
        }
        Some(_) => Err(wrong("max_tokens", "Input should be a valid integer")),
    }
}

fn stop(body: &Map<String, Value>) -> Result<Vec<String>, Problem> {
    let Some(stops) = set(body, "stop_sequences") else { return Ok(Vec::new()) };
    let mut read = Vec::new();
    for (at, stop) in list("stop_sequences", stops)?.iter().enumerate() {
        let Some(stop) = stop.as_str() else {
            return Err(wrong(&below("stop_sequences", at), "Input should be a valid string"));
        };
        if stop.trim().is_empty() {
            return Err(wrong("stop_sequences", "each stop sequence must contain non-whitespace"));
        }
        read.push(stop.to_owned());
    }
    Ok(read)
}

fn ranges(body: &Map<String, Value>) -> Result<(), Problem> {
    for (name, high) in [("temperature", 1.0), ("top_p", 1.0), ("top_k", f64::MAX)] {
        let Some(value) = set(body, name) else { continue };
        let Some(number) = value.as_f64() else { return Err(wrong(name, "Input should be a valid number")) };
        if number < 0.0 || number > high {
            return Err(wrong(name, format!("range: 0..{high}")));
        }
    }
    if let Some(metadata) = set(body, "metadata") {
        only("metadata", object("metadata", metadata)?, &["user_id"])?;
    }
    Ok(())
}

/// The form of the text, under its newer or its older name.
fn format(body: &Map<String, Value>) -> Result<Format, Problem> {
    let newer = match set(body, "output_config") {
        Some(config) => {
            let config = object("output_config", config)?;
            only("output_config", config, &["effort", "format", "task_budget"])?;
            let efforts = ["low", "medium", "high", "xhigh", "max"];
            if set(config, "effort").is_some_and(|effort| !efforts.iter().any(|known| effort == known)) {
                let what = "Input should be 'low', 'medium', 'high', 'xhigh' or 'max'";
                return Err(wrong("output_config.effort", what));
            }
            set(config, "format").map(|format| ("output_config.format", format))
        }
        None => None,
    };
    let older = set(body, "output_format").map(|format| ("output_format", format));
    let Some((place, format)) = newer.or(older) else { return Ok(Format::Text) };
    let format = object(place, format)?;
    if text(place, format, "type")? != "json_schema" {
        return Err(wrong(&below(place, "type"), "Input should be 'json_schema'"));
    }
    let place = below(place, "schema");
    let Some(schema) = set(format, "schema") else { return Err(wrong(&place, "Field required")) };
    closed(&place, schema)?;
    Ok(Format::Schema(schema.clone()))
}

/// Refuses objects that may have more than they say.
fn closed(place: &str, schema: &Value) -> Result<(), Problem> {
    match schema {
        Value::Object(map) => {
            if map.get("type").is_some_and(|kind| kind == "object")
                && map.get("additionalProperties") != Some(&Value::Bool(false))
            {
                let what = "For 'object' type, 'additionalProperties' must be explicitly set to false";
                return Err(wrong(place, what));
            }
            map.values().try_for_each(|inner| closed(place, inner))
        }
        Value::Array(list) => list.iter().try_for_each(|inner| closed(place, inner)),
        _ => Ok(()),
    }
}
