//! Reads a Responses request and refuses what OpenAI refuses, with the same error object.

use serde_json::{Map, Value};

use super::super::ask::{Ask, Format};
use super::super::chat::request::{self, flag, missing, out_of_range, ranges, whole, wrong_type};
use super::super::problem::Problem;
use super::super::speech::Context;
use super::checks::{object, only, strict_schema, text, unsupported, word};
use super::{history, tools};

/// The fields of a request.
const FIELDS: [&str; 34] = [
    "model",
    "input",
    "instructions",
    "stream",
    "stream_options",
    "store",
    "previous_response_id",
    "conversation",
    "include",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "max_output_tokens",
    "max_tool_calls",
    "temperature",
    "top_p",
    "top_logprobs",
    "reasoning",
    "text",
    "truncation",
    "metadata",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
    "background",
    "prompt",
    "context_management",
    "client_metadata",
    "access_programs",
    "image",
    "moderation",
    "prompt_cache_options",
];

const INCLUDES: [&str; 8] = [
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
    "file_search_call.results",
    "message.output_text.logprobs",
    "message.input_image.image_url",
    "computer_call_output.output.image_url",
    "code_interpreter_call.outputs",
];

const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];

/// The fewest tokens that may be asked for.
const FEWEST_TOKENS: usize = 16;

/// A Responses request.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct ResponsesRequest {
    /// What is asked.
    pub(super) ask: Ask,
    /// The request itself, for the fields that an answer repeats.
    pub(super) body: Map<String, Value>,
    /// The items of the request.
    pub(super) input: Vec<Value>,
    /// The key that asks.
    pub(super) key: String,
    /// Whether the answer can be asked for again.
    pub(super) store: bool,
    /// Whether reasoning is given out in its encrypted form.
    pub(super) encrypts: bool,
    /// Whether reasoning is summed up.
    pub(super) sums_up: bool,
    /// Whether the answer is a compacted conversation.
    pub(super) compacts: bool,
    /// Whether that was asked for by the path.
    pub(super) alone: bool,
}

impl ResponsesRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8], context: &Context<'_>) -> Result<Self, Problem> {
        let body = request::object(body)?;
        only("", &body, &FIELDS)?;
        let tools = tools::read(&body)?;
        let stream = flag(&body, "stream")?;
        if !stream && body.get("stream_options").is_some_and(Value::is_object) {
            let message = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
            return Err(Problem::bad(message, Some("stream_options"), None));
        }
        numbers(&body)?;
        let (thinks, sums_up) = reasoning(&body)?;
        let includes = includes(&body)?;
        let mut ask = Ask {
            model: request::model(&body)?,
            stream,
            n: 1,
            max_tokens: max_tokens(&body)?,
            tools: tools.list,
            choice: tools.choice,
            parallel: body.get("parallel_tool_calls") != Some(&Value::Bool(false)),
            search: tools.search,
            format: format(&body)?,
            thinks,
            call_id: ("call_", 24),
            ..Ask::default()
        };
        let talk = history::read(&body, &mut ask, context)?;
        if ask.format == Format::Object
            && !ask.lines.iter().any(|line| line.text.to_lowercase().contains("json"))
        {
            let message = "Response input messages must contain the word 'json' in some form to use 'text.format' of \
                           type 'json_object'.";
            return Err(Problem::bad(message, Some("input"), None));
        }
        let store = body.get("store") != Some(&Value::Bool(false));
        if !store && flag(&body, "background")? {
            let message = "Background responses must be stored. Set 'store' to true.";
            return Err(Problem::bad(message, Some("background"), Some("invalid_value")));
        }
        Ok(Self {
            ask,
            input: talk.input,
            key: context.key.to_owned(),
            store,
            encrypts: includes.contains(&"reasoning.encrypted_content"),
            sums_up,
            compacts: talk.compacts,
            alone: false,
            body,
        })
    }

    /// Reads a request to compact a conversation and nothing else.
    pub(in super::super) fn read_to_compact(body: &[u8], context: &Context<'_>) -> Result<Self, Problem> {
        let mut read = Self::read(body, context)?;
        read.ask.stream = false;
        Ok(Self { compacts: true, alone: true, store: false, ..read })
    }
}

fn numbers(body: &Map<String, Value>) -> Result<(), Problem> {
    ranges(body)?;
    whole(body, "top_logprobs", 0, 20)?;
    whole(body, "max_tool_calls", 1, usize::MAX)?;
    word("truncation", body.get("truncation"), &["auto", "disabled"])?;
    word(
        "service_tier",
        body.get("service_tier"),
        &["auto", "default", "flex", "priority", "scale", "fast"],
    )?;
    match body.get("metadata") {
        None | Some(Value::Null) => Ok(()),
        Some(metadata) => match object("metadata", metadata)?.values().find(|value| !value.is_string()) {
            Some(other) => Err(wrong_type("metadata", "an object of strings", other)),
            None => Ok(()),
        },
    }
}

fn max_tokens(body: &Map<String, Value>) -> Result<Option<usize>, Problem> {
    let most = whole(body, "max_output_tokens", 1, usize::MAX)?;
    match most.filter(|most| *most < FEWEST_TOKENS) {
        Some(few) => Err(out_of_range("max_output_tokens", "minimum", ">=", FEWEST_TOKENS, &few.to_string())),
        None => Ok(most),
    }
}

/// Whether the model is to reason, and whether to sum up how.
fn reasoning(body: &Map<String, Value>) -> Result<(bool, bool), Problem> {
    let Some(reasoning) = body.get("reasoning").filter(|reasoning| !reasoning.is_null()) else {
        return Ok((false, false));
    };
    let reasoning = object("reasoning", reasoning)?;
    only("reasoning", reasoning, &["effort", "summary", "generate_summary", "context", "mode"])?;
    word("reasoning.effort", reasoning.get("effort"), &EFFORTS)?;
    word("reasoning.summary", reasoning.get("summary"), &["auto", "concise", "detailed"])?;
    let effort = reasoning.get("effort").and_then(Value::as_str);
    let sums_up = reasoning.get("summary").is_some_and(Value::is_string);
    Ok((effort.map_or(sums_up, |effort| effort != "none"), sums_up))
}

fn includes(body: &Map<String, Value>) -> Result<Vec<&str>, Problem> {
    let list = match body.get("include") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("include", "an array of strings", other)),
    };
    let mut read = Vec::new();
    for (at, include) in list.iter().enumerate() {
        match include.as_str() {
            Some(known) if INCLUDES.contains(&known) => read.push(known),
            other => {
                return Err(unsupported(&format!("include[{at}]"), other.unwrap_or("?"), &INCLUDES));
            }
        }
    }
    Ok(read)
}

fn format(body: &Map<String, Value>) -> Result<Format, Problem> {
    let Some(config) = body.get("text").filter(|config| !config.is_null()) else { return Ok(Format::Text) };
    let config = object("text", config)?;
    only("text", config, &["format", "verbosity"])?;
    word("text.verbosity", config.get("verbosity"), &["low", "medium", "high"])?;
    let Some(format) = config.get("format").filter(|format| !format.is_null()) else {
        return Ok(Format::Text);
    };
    let format = object("text.format", format)?;
    match text("text.format", format, "type")? {
        "text" => Ok(Format::Text),
        "json_object" => Ok(Format::Object),
        "json_schema" => {
            only("text.format", format, &["type", "name", "description", "schema", "strict"])?;
            let name = text("text.format", format, "name")?;
            let Some(schema) = format.get("schema") else { return Err(missing("text.format.schema")) };
            if format.get("strict") == Some(&Value::Bool(true)) {
                strict_schema(&format!("response_format '{name}'"), "invalid_json_schema", schema, "")?;
            }
            Ok(Format::Schema(schema.clone()))
        }
        other => Err(unsupported("text.format.type", other, &["json_object", "json_schema", "text"])),
    }
}
