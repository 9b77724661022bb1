//! Reads a generateContent request and refuses what Google refuses, in the same words where they matter.

use serde_json::{Value, json};

use super::super::ask::{Ask, Format};
use super::super::problem::Problem;
use super::super::speech::Context;
use super::{MAKER, fields, history, is_recent, proto, schema, tools};

/// A generateContent request.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct GenerateRequest {
    /// What is asked.
    pub(super) ask: Ask,
    /// Whether thoughts are shown.
    pub(super) shows_thoughts: bool,
    /// Whether calls carry signatures.
    pub(super) signs: bool,
    /// Whether calls carry ids.
    pub(super) has_ids: bool,
    /// Whose signatures are made.
    pub(super) maker: String,
    /// Whether a stream comes in server-sent events, and not as one long array.
    pub(super) events: bool,
}

impl GenerateRequest {
    /// Reads a body for a model that stands in the path.
    pub(in super::super) fn read(
        body: &[u8],
        model: &str,
        stream: Option<bool>,
        context: &Context<'_>,
    ) -> Result<Self, Problem> {
        let body = proto::message("", parsed(body)?, fields::REQUEST)?;
        let mut read = Self::build(&body, model, context)?;
        read.ask.stream = stream.is_some();
        read.events = stream == Some(true);
        Ok(read)
    }

    /// Reads a body whose tokens are to be counted.
    pub(in super::super) fn read_to_count(
        body: &[u8],
        model: &str,
        context: &Context<'_>,
    ) -> Result<Self, Problem> {
        let mut body = proto::message("", parsed(body)?, fields::COUNT)?;
        match body.get_mut("generateContentRequest") {
            Some(whole) => Self::build(&whole.take(), model, context),
            None => Self::build(&body, model, context),
        }
    }

    fn build(body: &Value, model: &str, context: &Context<'_>) -> Result<Self, Problem> {
        let tools = tools::read(body)?;
        let config = &body["generationConfig"];
        ranges(config)?;
        let whole = |name| config[name].as_f64().map(|number| number as usize);
        let maker = context.maker(MAKER).to_owned();
        let thinking = &config["thinkingConfig"];
        let mut ask = Ask {
            model: model.to_owned(),
            n: whole("candidateCount").unwrap_or(1),
            max_tokens: whole("maxOutputTokens"),
            stop: stop(config)?,
            tools: tools.list,
            choice: tools.choice,
            parallel: true,
            search: tools.search,
            format: format(config)?,
            thinks: thinks(thinking)?,
            call_id: ("", 8),
            ..Ask::default()
        };
        let json = ask.format != Format::Text;
        if json && !ask.tools.is_empty() && (model.starts_with("gemini-1") || model.starts_with("gemini-2")) {
            return Err(Problem::invalid(
                "Function calling with a response mime type: 'application/json' is unsupported",
            ));
        }
        history::read(body, &mut ask, &maker)?;
        let signs = ask.thinks || is_recent(model);
        let shows_thoughts = thinking["includeThoughts"] == true;
        Ok(Self { ask, shows_thoughts, signs, has_ids: is_recent(model), maker, events: false })
    }
}

/// A body that is JSON.
pub(super) fn parsed(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::invalid(format!("Invalid JSON payload received. {error}")))
}

fn ranges(config: &Value) -> Result<(), Problem> {
    for (name, low, high) in [
        ("temperature", 0.0, 2.0),
        ("topP", 0.0, 1.0),
        ("topK", 1.0, f64::MAX),
        ("candidateCount", 1.0, 8.0),
        ("maxOutputTokens", 1.0, 1e9),
        ("presencePenalty", -2.0, 2.0),
        ("frequencyPenalty", -2.0, 2.0),
    ] {
        let Some(number) = config[name].as_f64() else { continue };
        if number < low || number > high {
            return Err(schema::wrong(
                &format!("generation_config.{name}"),
                &format!("value must be between {low} and {high}, but is {number}."),
            ));
        }
    }
    Ok(())
}

fn stop(config: &Value) -> Result<Vec<String>, Problem> {
    let stops = config["stopSequences"].as_array().into_iter().flatten();
    let stops: Vec<String> = stops.filter_map(Value::as_str).map(str::to_owned).collect();
    if stops.len() > 5 {
        return Err(schema::wrong(
            "generation_config.stop_sequences",
            "at most 5 stop sequences are allowed.",
        ));
    }
    Ok(stops)
}

fn format(config: &Value) -> Result<Format, Problem> {
    let kind = config["responseMimeType"].as_str().unwrap_or("text/plain");
    let open = config.get("responseSchema");
    let json = config.get("responseJsonSchema").or_else(|| config.get("_responseJsonSchema"));
    if open.is_some() && json.is_some() {
        return Err(Problem::invalid("response_schema and response_json_schema are mutually exclusive."));
    }
    if let Some(open) = open {
        schema::check("generation_config.response_schema", open)?;
    }
    let asked = open.or(json).map(schema::lower);
    match (kind, asked) {
        ("text/plain", None) => Ok(Format::Text),
        ("application/json", Some(asked)) => Ok(Format::Schema(asked)),
        ("application/json", None) => Ok(Format::Object),
        ("text/x.enum", Some(asked)) => Ok(Format::Schema(asked)),
        ("text/plain", Some(_)) => Err(schema::wrong(
            "generation_config.response_schema",
            "only allowed when response_mime_type is application/json or text/x.enum.",
        )),
        _ => Err(schema::wrong(
            "generation_config.response_mime_type",
            "allowed mimetypes are `text/plain`, `application/json`, `application/xml`, `application/yaml` and `text/x.enum`.",
        )),
    }
}

fn thinks(config: &Value) -> Result<bool, Problem> {
    let budget = config["thinkingBudget"].as_f64();
    let level = config["thinkingLevel"].as_str().map(str::to_ascii_lowercase);
    if budget.is_some() && level.is_some() {
        return Err(Problem::invalid("You can only set only one of thinking budget and thinking level."));
    }
    if let Some(level) = &level
        && !["minimal", "low", "medium", "high", "thinking_level_unspecified"].contains(&level.as_str())
    {
        let what =
            format!("Invalid value at 'generation_config.thinking_config.thinking_level', {}", json!(level));
        return Err(proto::bad("generation_config.thinking_config", what));
    }
    Ok(budget.map_or(level.is_some() || config["includeThoughts"] == true, |budget| budget != 0.0))
}
