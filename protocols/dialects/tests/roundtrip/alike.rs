//! The one form in which a turn and what became of it are compared. Only spelling is evened out here: what two dialects
//! say in different words, or what one must say and another need not. What gets lost is in `forget.rs`.

use std::collections::HashMap;

use canon::{
    Block, Dialect, Format, How, Kind, Losses, Media, Message, Role, Source, ToolChoice, ToolKind, Turn,
};
use serde_json::{Number, Value};

use crate::schemas;

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    /// What the client speaks.
    pub(crate) from: Dialect,
    /// What the provider speaks.
    pub(crate) to: Dialect,
    /// The provider's model.
    pub(crate) model: &'static str,
    /// The most tokens that it gives.
    pub(crate) max_output: Option<u64>,
}

pub(crate) fn lost(losses: &Losses, what: &str) -> bool {
    losses.iter().any(|loss| loss.what == what && loss.how == How::Dropped)
}

pub(crate) fn changed(losses: &Losses, what: &str) -> bool {
    losses.iter().any(|loss| loss.what == what && loss.how == How::Changed)
}

/// The form for comparing.
pub(crate) fn normalised(mut turn: Turn, way: Way, losses: &Losses) -> Turn {
    turn = turn.normalised();
    turn.model.clear();
    (turn.stream, turn.include_usage) = (turn.stream && way.to != Dialect::Gemini, false);
    turn.echo.clear();
    turn.rest = canon::Rest::default();
    // Whether it reasons is compared apart: dialects measure it differently.
    turn.reasoning = None;
    let no_marks = lost(losses, "cache_control");
    turn.instructions.iter_mut().for_each(|block| self::block(block, no_marks));
    for message in &mut turn.messages {
        self::message(message, no_marks);
    }
    turn.messages.retain(|message| !message.blocks.is_empty());
    renumber(&mut turn.messages);
    if lost(losses, "strict") {
        loosen(&mut turn);
    }
    tools(&mut turn, no_marks);
    numbers(&mut turn, way);
    format(&mut turn, way, losses);
    turn
}

/// Takes strictness from all: the loss does not tell which of them had it.
fn loosen(turn: &mut Turn) {
    for tool in &mut turn.tools {
        if let ToolKind::Function { strict, .. } = &mut tool.kind {
            *strict = None;
        }
    }
    if let Some(Format::Schema { strict, .. }) = &mut turn.format {
        *strict = None;
    }
}

fn message(message: &mut Message, no_marks: bool) {
    message.rest = canon::Rest::default();
    message.blocks.iter_mut().for_each(|block| self::block(block, no_marks));
    if message.role == Role::User {
        message.blocks.sort_by_key(|block| !matches!(block.kind, Kind::ToolResult(_)));
    }
}

/// To leave open how closely to look is to say `auto`.
fn usual_detail(mut media: Media) -> Media {
    media.detail = media.detail.filter(|detail| detail != "auto");
    media
}

fn block(block: &mut Block, no_marks: bool) {
    block.rest = canon::Rest::default();
    if no_marks {
        block.cache = None;
    }
    let kind = std::mem::replace(&mut block.kind, Kind::Refusal(String::new()));
    block.kind = match kind {
        Kind::Image(media) | Kind::File(media) | Kind::Audio(media) | Kind::Video(media) => {
            by_type(usual_detail(media))
        }
        Kind::Thinking(mut thinking) => {
            // Only Messages tells withheld thoughts from those that were empty.
            (thinking.redacted, thinking.id) = (thinking.text.is_empty(), None);
            Kind::Thinking(thinking)
        }
        Kind::ToolCall(mut call) => {
            if !call.custom {
                call.arguments = spelled(&call.arguments);
            }
            Kind::ToolCall(call)
        }
        Kind::ToolResult(mut result) => {
            result.name = None;
            for inner in &mut result.content {
                self::block(inner, no_marks);
                if let Kind::Text { text, .. } = &mut inner.kind {
                    *text = spelled_object(text);
                }
            }
            Kind::ToolResult(result)
        }
        Kind::Text { text, mut citations } => {
            citations.iter_mut().for_each(|citation| citation.rest = canon::Rest::default());
            Kind::Text { text, citations }
        }
        other => other,
    };
}

/// A medium by the kind that its type tells, as some dialects do. An address tells its type itself.
fn by_type(mut media: Media) -> Kind {
    let kind = match (media.mime.as_deref(), &media.source) {
        (Some(mime), _) => mime.split('/').next().unwrap_or_default().to_owned(),
        (None, Source::Url(url)) if url.ends_with(".mp4") => "video".to_owned(),
        (None, Source::Url(url)) if !url.ends_with(".png") && !url.ends_with("/a") => "file".to_owned(),
        (None, Source::Uploaded { id, .. }) if !id.ends_with('1') => "file".to_owned(),
        _ => "image".to_owned(),
    };
    if !matches!(media.source, Source::Base64(_) | Source::Text(_)) {
        media.mime = None;
    }
    // Names that are made up where one is required.
    media.name = media.name.filter(|name| !name.starts_with("document") && !name.starts_with("file"));
    match kind.as_str() {
        "image" => Kind::Image(media),
        "audio" => Kind::Audio(media),
        "video" => Kind::Video(media),
        _ => Kind::File(media),
    }
}

/// Arguments without white space; none are an empty object.
fn spelled(arguments: &str) -> String {
    if arguments.is_empty() {
        return "{}".to_owned();
    }
    serde_json::from_str::<Value>(arguments).map_or_else(|_| arguments.to_owned(), |value| value.to_string())
}

/// A text that is a JSON object is one to Gemini.
fn spelled_object(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => value.to_string(),
        _ => text.to_owned(),
    }
}

/// Ids by the order of the calls: what matters is which result belongs to which call.
fn renumber(messages: &mut [Message]) {
    let mut open: HashMap<String, Vec<usize>> = HashMap::new();
    let mut calls = 0;
    for block in messages.iter_mut().flat_map(|message| &mut message.blocks) {
        match &mut block.kind {
            Kind::ToolCall(call) => {
                open.entry(call.id.clone()).or_default().insert(0, calls);
                call.id = format!("#{calls}");
                calls += 1;
            }
            Kind::ToolResult(result) => {
                if let Some(number) = open.get_mut(&result.call).and_then(Vec::pop) {
                    result.call = format!("#{number}");
                }
            }
            _ => {}
        }
    }
}

fn tools(turn: &mut Turn, no_marks: bool) {
    for tool in &mut turn.tools {
        tool.rest = canon::Rest::default();
        if no_marks {
            tool.cache = None;
        }
        if tool.kind == ToolKind::WebSearch {
            tool.name.clear();
        }
        if let ToolKind::Function { strict, .. } = &mut tool.kind {
            *strict = strict.filter(|strict| *strict);
        }
        schemas::normalise(tool);
    }
    // Chat has a field of its own for the web search, and Gemini an object.
    turn.tools.sort_by_key(|tool| tool.kind == ToolKind::WebSearch);
    // To leave the choice to the model is the default, and without functions there is none.
    let functions = turn
        .tools
        .iter()
        .any(|tool| matches!(tool.kind, ToolKind::Function { .. } | ToolKind::Custom { .. }));
    let nothing = match &turn.tool_choice {
        Some(ToolChoice::Auto) => true,
        Some(ToolChoice::None) => !functions,
        _ => turn.tools.is_empty(),
    };
    // Where none is to be called, nothing can be said of several.
    if !functions || turn.tool_choice == Some(ToolChoice::None) {
        turn.parallel_tool_calls = None;
    }
    if nothing {
        turn.tool_choice = None;
    }
    turn.parallel_tool_calls = turn.parallel_tool_calls.filter(|parallel| !parallel);
}

fn numbers(turn: &mut Turn, way: Way) {
    let sampling = &mut turn.sampling;
    for number in [
        &mut sampling.temperature,
        &mut sampling.top_p,
        &mut sampling.top_k,
        &mut sampling.frequency_penalty,
        &mut sampling.presence_penalty,
        &mut sampling.seed,
    ] {
        *number = number.as_ref().and_then(Number::as_f64).and_then(Number::from_f64);
    }
    if way.to == Dialect::Messages {
        // 1 is what the models use anyway, and the only value beside thinking.
        let one = Number::from_f64(1.0);
        for number in [&mut sampling.temperature, &mut sampling.top_p] {
            if *number == one {
                *number = None;
            }
        }
    }
}

fn format(turn: &mut Turn, way: Way, losses: &Losses) {
    let nameless = matches!(way.to, Dialect::Messages | Dialect::Gemini);
    match &mut turn.format {
        Some(Format::Text) => turn.format = None,
        Some(Format::Schema { name, strict, schema, .. }) => {
            // A name labels, and is made up where one is required.
            *name = name.take().filter(|name| !nameless && name != "answer");
            *strict = strict.filter(|strict| !(nameless && *strict));
            if changed(losses, "schema") {
                *schema = Value::Null;
            } else if way.to == Dialect::Messages {
                schemas::opened(schema);
            }
        }
        _ => {}
    }
}
