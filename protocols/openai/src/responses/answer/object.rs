//! The response object around the output: what it says of itself, and what it repeats of its request.

use canon::{Answer, Asked, Block, Kind, Stop, Usage, names};
use serde_json::{Map, Value, json};

use crate::responses::{request, usage};

/// What a response says of itself from its beginning on.
#[derive(Debug, Clone, Default)]
pub(in crate::responses) struct Head {
    pub(in crate::responses) id: String,
    pub(in crate::responses) model: String,
    pub(in crate::responses) created: i64,
}

impl Head {
    /// What the response to `asked` says of itself.
    pub(in crate::responses) fn new(asked: &Asked, id: &str, model: String, created: Option<i64>) -> Self {
        Self {
            id: response_id(asked, id),
            model: if model.is_empty() { asked.model.clone() } else { model },
            created: created.unwrap_or(asked.now),
        }
    }
}

/// How far a response is.
pub(in crate::responses) enum State<'a> {
    /// It has only begun.
    InProgress,
    /// It ended, and why.
    Ended(&'a Stop),
    /// It failed, with a code and a message.
    Failed(&'a str, &'a str),
}

/// The id of a response: the provider's, if it is one of this dialect, else one made from the request's.
fn response_id(asked: &Asked, id: &str) -> String {
    if id.starts_with("resp_") {
        return id.to_owned();
    }
    let source = if asked.id.is_empty() { id } else { &asked.id };
    let second = names::hash(&format!("{source}/response"));
    format!("resp_{:016x}{second:016x}", names::hash(source))
}

/// The whole object.
pub(in crate::responses) fn object(
    asked: &Asked,
    head: &Head,
    state: &State<'_>,
    output: Vec<Value>,
    usage: Option<Usage>,
) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    let (status, reason) = match state {
        State::InProgress => ("in_progress", None),
        State::Failed(..) => ("failed", None),
        State::Ended(stop) => status_of(stop, &output),
    };
    put("id", head.id.as_str().into());
    put("object", "response".into());
    put("created_at", head.created.into());
    put("status", status.into());
    put(
        "error",
        match state {
            State::Failed(code, message) => json!({ "code": code, "message": message }),
            _ => Value::Null,
        },
    );
    put("incomplete_details", reason.map_or(Value::Null, |reason| json!({ "reason": reason })));
    put("model", head.model.as_str().into());
    put("output", Value::Array(output));
    put("usage", usage.map_or(Value::Null, |usage| usage::written(&usage)));
    for (name, value) in &asked.echo {
        object.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    for (name, value) in request::defaults() {
        object.entry(name).or_insert(value);
    }
    Value::Object(object)
}

/// The status that a reason to stop is, and the reason for being incomplete.
fn status_of<'a>(stop: &'a Stop, output: &[Value]) -> (&'static str, Option<&'a str>) {
    match stop {
        Stop::End | Stop::Sequence | Stop::ToolUse | Stop::Pause => ("completed", None),
        Stop::MaxTokens | Stop::ContextFull => ("incomplete", Some("max_output_tokens")),
        // A model that declines in its own words has answered.
        Stop::Refusal if output.iter().any(declines) => ("completed", None),
        Stop::Refusal => ("incomplete", Some("content_filter")),
        Stop::Other(reason) if REASONS.contains(&reason.as_str()) => ("incomplete", Some(reason)),
        // A word that clients of this dialect do not know; the encoder declares it.
        Stop::Other(_) => ("completed", None),
    }
}

/// The documented reasons for being incomplete, beside the two that have a name of their own.
const REASONS: [&str; 2] = ["max_messages", "steered"];

/// Whether a reason to stop has no word here.
pub(in crate::responses) fn is_foreign(stop: &Stop) -> bool {
    matches!(stop, Stop::Other(reason) if !REASONS.contains(&reason.as_str()))
}

fn declines(item: &Value) -> bool {
    let parts = item.get("content").and_then(Value::as_array).into_iter().flatten();
    parts.into_iter().any(|part| part.get("type").and_then(Value::as_str) == Some("refusal"))
}

/// Why a response ended, by its status and what it holds.
pub(in crate::responses) fn stop_of(
    status: Option<&str>,
    reason: Option<&str>,
    calls: bool,
    declines: bool,
) -> Stop {
    match (status, reason) {
        (Some("incomplete"), Some("max_output_tokens" | "max_tokens")) => Stop::MaxTokens,
        (Some("incomplete"), Some("content_filter")) => Stop::Refusal,
        (Some("incomplete"), reason) => Stop::Other(reason.unwrap_or("incomplete").to_owned()),
        (None | Some("completed"), _) if calls => Stop::ToolUse,
        (None | Some("completed"), _) if declines => Stop::Refusal,
        (None | Some("completed"), _) => Stop::End,
        (Some(other), _) => Stop::Other(other.to_owned()),
    }
}

/// Gives an answer its reason to stop.
pub(super) fn set_stop(answer: &mut Answer, status: Option<&str>, reason: Option<&str>) {
    let any = |wanted: fn(&Block) -> bool| answer.blocks.iter().any(wanted);
    let calls = any(|block| matches!(block.kind, Kind::ToolCall(_)));
    let declines = any(|block| matches!(block.kind, Kind::Refusal(_)));
    answer.stop = stop_of(status, reason, calls, declines);
}
