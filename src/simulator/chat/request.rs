//! Reads a chat request and refuses what OpenAI refuses, with the same error object.
//!
//! Fields that OpenAI knows and that change nothing here (temperature, logprobs, metadata …) are let through; the
//! ranges of the common ones are checked.

use serde_json::{Map, Value};

use super::super::problem::Problem;
use super::tools::{self, Tool, ToolChoice};

/// What was asked, as far as the answer depends on it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct ChatRequest {
    /// The model, as it was named.
    pub(in super::super) model: String,
    /// The conversation.
    pub(in super::super) messages: Vec<Message>,
    /// Whether the answer is to come in pieces.
    pub(in super::super) stream: bool,
    /// Whether a stream ends with a usage chunk.
    pub(in super::super) include_usage: bool,
    /// How many answers.
    pub(in super::super) n: usize,
    /// The most tokens that an answer may have.
    pub(in super::super) max_tokens: Option<usize>,
    /// Texts before which an answer ends.
    pub(in super::super) stop: Vec<String>,
    /// The tools on offer.
    pub(in super::super) tools: Vec<Tool>,
    /// Which of them is wanted.
    pub(in super::super) tool_choice: ToolChoice,
    /// What form the text is to have.
    pub(in super::super) format: Format,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Message {
    /// Who speaks.
    pub(in super::super) role: String,
    /// The text parts, joined.
    pub(in super::super) text: String,
}

/// The form of the answer's text.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Format {
    /// Free.
    Text,
    /// Any JSON object.
    Object,
    /// JSON after this schema.
    Schema(Value),
}

const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];

impl ChatRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let Ok(Value::Object(body)) = serde_json::from_slice::<Value>(body) else {
            return Err(Problem::bad(
                "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your \
                 HTTP library correctly. The API expects a JSON payload, but what was sent was not valid JSON.)",
                None,
                None,
            ));
        };
        let model = model(&body)?;
        let stream = flag(&body, "stream")?;
        let messages = messages(&body)?;
        ranges(&body)?;
        let tools = tools::read(&body)?;
        Ok(Self {
            model,
            messages,
            stream,
            include_usage: include_usage(&body, stream)?,
            n: whole(&body, "n", 1, 128)?.unwrap_or(1),
            max_tokens: max_tokens(&body)?,
            stop: stop(&body)?,
            tool_choice: tools::choice(&body, &tools)?,
            tools,
            format: format(&body)?,
        })
    }

    /// The text of the last message, if that message is from `role`.
    pub(in super::super) fn last(&self, role: &str) -> Option<&str> {
        self.messages.last().filter(|last| last.role == role).map(|last| last.text.as_str())
    }

    /// A fair guess at the tokens of the prompt: four bytes each, and a few around every message.
    pub(in super::super) fn prompt_tokens(&self) -> u64 {
        let text: usize = self.messages.iter().map(|message| 4 + message.text.len().div_ceil(4)).sum();
        let tools: usize = self.tools.iter().map(|tool| tool.parameters.to_string().len().div_ceil(4)).sum();
        (3 + text + tools) as u64
    }
}

fn model(body: &Map<String, Value>) -> Result<String, Problem> {
    match body.get("model") {
        None | Some(Value::Null) => Err(Problem::bad("you must provide a model parameter", None, None)),
        Some(Value::String(model)) if model.is_empty() => {
            Err(Problem::bad("you must provide a model parameter", None, None))
        }
        Some(Value::String(model)) => Ok(model.clone()),
        Some(other) => Err(wrong_type("model", "a string", other)),
    }
}

fn messages(body: &Map<String, Value>) -> Result<Vec<Message>, Problem> {
    let list = match body.get("messages") {
        None | Some(Value::Null) => return Err(missing("messages")),
        Some(Value::Array(list)) => list,
        Some(other) => return Err(wrong_type("messages", "an array of objects", other)),
    };
    if list.is_empty() {
        return Err(Problem::bad(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            Some("messages"),
            Some("empty_array"),
        ));
    }
    let mut calls_open = false;
    let mut read = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        let message = message(at, item)?;
        let calls = item.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
        if message.role == "tool" && !calls_open {
            return Err(Problem::bad(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with \
                 'tool_calls'.",
                Some(&format!("messages.[{at}].role")),
                None,
            ));
        }
        calls_open = calls || message.role == "tool";
        read.push(message);
    }
    Ok(read)
}

fn message(at: usize, item: &Value) -> Result<Message, Problem> {
    let place = format!("messages[{at}]");
    let Value::Object(item) = item else { return Err(wrong_type(&place, "an object", item)) };
    let role = match item.get("role") {
        None | Some(Value::Null) => return Err(missing(&format!("{place}.role"))),
        Some(Value::String(role)) => role,
        Some(other) => return Err(wrong_type(&format!("{place}.role"), "a string", other)),
    };
    if !ROLES.contains(&role.as_str()) {
        return Err(Problem::bad(
            format!(
                "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'."
            ),
            Some(&format!("{place}.role")),
            Some("invalid_value"),
        ));
    }
    if role == "tool" && !item.get("tool_call_id").is_some_and(Value::is_string) {
        return Err(missing(&format!("{place}.tool_call_id")));
    }
    let content = item.get("content").unwrap_or(&Value::Null);
    // An assistant that called tools may have said nothing.
    if content.is_null() && role != "assistant" {
        return Err(wrong_type(&format!("{place}.content"), "one of a string or array of objects", content));
    }
    Ok(Message { role: role.clone(), text: text(&place, content)? })
}

/// The text of a message's content: a string, or parts of which the text ones count.
fn text(place: &str, content: &Value) -> Result<String, Problem> {
    let place = format!("{place}.content");
    let parts = match content {
        Value::Null => return Ok(String::new()),
        Value::String(text) => return Ok(text.clone()),
        Value::Array(parts) => parts,
        other => return Err(wrong_type(&place, "one of a string or array of objects", other)),
    };
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        let place = format!("{place}[{at}]");
        if !part.is_object() {
            return Err(wrong_type(&place, "an object", part));
        }
        match (part.get("type").and_then(Value::as_str), part.get("text").and_then(Value::as_str)) {
            (None, _) => return Err(missing(&format!("{place}.type"))),
            (Some("text"), None) => return Err(missing(&format!("{place}.text"))),
            (Some("text"), Some(words)) => text.push_str(words),
            (Some(_), _) => {}
        }
    }
    Ok(text)
}

fn include_usage(body: &Map<String, Value>, stream: bool) -> Result<bool, Problem> {
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

fn max_tokens(body: &Map<String, Value>) -> Result<Option<usize>, Problem> {
    let old = whole(body, "max_tokens", 1, usize::MAX)?;
    Ok(whole(body, "max_completion_tokens", 1, usize::MAX)?.or(old))
}

fn stop(body: &Map<String, Value>) -> Result<Vec<String>, Problem> {
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
fn ranges(body: &Map<String, Value>) -> Result<(), Problem> {
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

fn out_of_range(name: &str, end: &str, sign: &str, bound: impl std::fmt::Display, got: &str) -> Problem {
    let code = if end == "minimum" { "below_min_value" } else { "above_max_value" };
    let side = if end == "minimum" { "below minimum" } else { "above maximum" };
    Problem::bad(
        format!("Invalid '{name}': {side} value. Expected a value {sign} {bound}, but got {got} instead."),
        Some(name),
        Some(code),
    )
}

fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    match body.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong_type(name, "a boolean", other)),
    }
}

fn whole(body: &Map<String, Value>, name: &str, low: usize, high: usize) -> Result<Option<usize>, Problem> {
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

pub(super) fn missing(name: &str) -> Problem {
    Problem::bad(
        format!("Missing required parameter: '{name}'."),
        Some(name),
        Some("missing_required_parameter"),
    )
}

pub(super) fn wrong_type(name: &str, expected: &str, got: &Value) -> Problem {
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
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<ChatRequest, Problem> {
        ChatRequest::read(body.to_string().as_bytes())
    }

    fn refusal(change: &Value) -> Value {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let problem = read(&body).unwrap_err();
        assert_eq!(problem.status, 400);
        serde_json::from_str::<Value>(&problem.json()).unwrap()["error"].take()
    }

    #[test]
    fn refusals_name_parameter_and_code() {
        for (change, param, code) in [
            (json!({"model": null}), Value::Null, Value::Null),
            (json!({"model": 7}), json!("model"), json!("invalid_type")),
            (json!({"messages": null}), json!("messages"), json!("missing_required_parameter")),
            (json!({"messages": "hi"}), json!("messages"), json!("invalid_type")),
            (json!({"messages": []}), json!("messages"), json!("empty_array")),
            (json!({"messages": ["hi"]}), json!("messages[0]"), json!("invalid_type")),
            (
                json!({"messages": [{"content": "hi"}]}),
                json!("messages[0].role"),
                json!("missing_required_parameter"),
            ),
            (
                json!({"messages": [{"role": "king", "content": "hi"}]}),
                json!("messages[0].role"),
                json!("invalid_value"),
            ),
            (json!({"messages": [{"role": "user"}]}), json!("messages[0].content"), json!("invalid_type")),
            (json!({"stream": "yes"}), json!("stream"), json!("invalid_type")),
            (json!({"stream_options": {}}), json!("stream_options"), Value::Null),
            (json!({"n": 0}), json!("n"), json!("below_min_value")),
            (json!({"n": 1.5}), json!("n"), json!("invalid_type")),
            (json!({"temperature": 3}), json!("temperature"), json!("above_max_value")),
            (json!({"max_tokens": -1}), json!("max_tokens"), json!("below_min_value")),
            (json!({"tools": {}}), json!("tools"), json!("invalid_type")),
        ] {
            let error = refusal(&change);
            assert_eq!((&error["param"], &error["code"]), (&param, &code), "{change}");
            assert_eq!(error["type"], "invalid_request_error");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for body in [&b"{"[..], b"[]", b"\xff", b""] {
            let problem = ChatRequest::read(body).unwrap_err();
            assert!(problem.json().contains("could not parse the JSON body"));
        }
    }

    #[test]
    fn a_tool_message_needs_its_call() {
        let tool = json!({"role": "tool", "tool_call_id": "c", "content": "ok"});
        let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c"}]});
        assert!(read(&json!({"model": "m", "messages": [tool]})).is_err());
        let read = read(&json!({"model": "m", "messages": [call, tool, tool]})).unwrap();
        assert_eq!(read.last("tool"), Some("ok"));
    }

    #[test]
    fn parts_are_read_as_text() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "b"}]);
        let read = read(&json!({"model": "m", "messages": [{"role": "user", "content": parts}]})).unwrap();
        assert_eq!(read.last("user"), Some("ab"));
        assert_eq!((read.n, read.stream, read.max_tokens), (1, false, None));
    }
}
