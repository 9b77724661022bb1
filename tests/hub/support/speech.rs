//! The four dialects as clients speak them: how a request looks, what makes an answer whole, and how an error looks.

use axum::body::Body;
use canon::Dialect;
use http::Request;
use serde_json::{Value, json};

use super::Answer;

/// The provider of the catalogue that stands for any server of a dialect, and its base URL at the simulator.
pub(crate) fn provider(dialect: Dialect) -> (&'static str, &'static str) {
    match dialect {
        Dialect::Chat => ("openai-compatible", "http://simulator.test/v1"),
        Dialect::Responses => ("responses-compatible", "http://simulator.test/v1"),
        Dialect::Messages => ("anthropic-compatible", "http://simulator.test/v1"),
        Dialect::Gemini => ("gemini-compatible", "http://simulator.test/v1beta"),
    }
}

/// The path of a request for `model`.
pub(crate) fn path(dialect: Dialect, model: &str, stream: bool) -> String {
    match dialect {
        Dialect::Chat => "/v1/chat/completions".to_owned(),
        Dialect::Responses => "/v1/responses".to_owned(),
        Dialect::Messages => "/v1/messages".to_owned(),
        Dialect::Gemini if stream => format!("/v1beta/models/{model}:streamGenerateContent?alt=sse"),
        Dialect::Gemini => format!("/v1beta/models/{model}:generateContent"),
    }
}

/// A short question.
pub(crate) fn body(dialect: Dialect, model: &str, stream: bool, text: &str) -> Value {
    let messages = json!([{"role": "user", "content": text}]);
    match dialect {
        Dialect::Chat => json!({"model": model, "stream": stream, "messages": messages}),
        Dialect::Responses => json!({"model": model, "stream": stream, "input": messages}),
        Dialect::Messages => {
            json!({"model": model, "stream": stream, "max_tokens": 500, "messages": messages})
        }
        Dialect::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
    }
}

/// A request with that body.
pub(crate) fn request(dialect: Dialect, model: &str, stream: bool, body: &Value) -> Request<Body> {
    let mut request = Request::post(path(dialect, model, stream));
    if dialect == Dialect::Messages {
        request = request.header("anthropic-version", "2023-06-01");
    }
    request.body(Body::from(body.to_string())).unwrap()
}

/// The data of every event, as JSON.
pub(crate) fn events(answer: &Answer) -> Vec<Value> {
    let text = answer.text.replace("\r\n", "\n");
    let data = text.split("\n\n").filter_map(|event| {
        event.lines().find_map(|line| line.strip_prefix("data:")).map(str::trim).map(str::to_owned)
    });
    data.filter_map(|data| serde_json::from_str(&data).ok()).collect()
}

fn streams(answer: &Answer) -> bool {
    answer.header("content-type").starts_with("text/event-stream")
}

/// The text of an answer, unary or streamed.
pub(crate) fn text(dialect: Dialect, answer: &Answer) -> String {
    if !streams(answer) {
        let whole = answer.json();
        return match dialect {
            Dialect::Chat => all(&whole, "/choices/0/message/content"),
            Dialect::Responses => all(&whole, "/output/*/content/*/text"),
            Dialect::Messages => all(&whole, "/content/*/text"),
            Dialect::Gemini => all(&whole, "/candidates/0/content/parts/*/text"),
        };
    }
    let pieces = events(answer).into_iter().map(|event| match (dialect, event["type"].as_str()) {
        (Dialect::Chat, _) => all(&event, "/choices/0/delta/content"),
        (Dialect::Responses, Some("response.output_text.delta")) => all(&event, "/delta"),
        (Dialect::Messages, Some("content_block_delta")) => all(&event, "/delta/text"),
        (Dialect::Gemini, _) => all(&event, "/candidates/0/content/parts/*/text"),
        _ => String::new(),
    });
    pieces.collect()
}

/// Every text at a pointer in which `*` stands for all items, joined.
fn all(value: &Value, pointer: &str) -> String {
    let Some((before, after)) = pointer.split_once("/*") else {
        return value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    };
    let items = value.pointer(before).and_then(Value::as_array).cloned().unwrap_or_default();
    items.iter().map(|item| all(item, after)).collect()
}

/// Whether an answer is complete, ending in the dialect's own way.
pub(crate) fn is_whole(dialect: Dialect, answer: &Answer) -> bool {
    if !answer.status.is_success() || text(dialect, answer).is_empty() {
        return false;
    }
    if !streams(answer) {
        let whole = answer.json();
        return match dialect {
            Dialect::Chat => whole["choices"][0]["finish_reason"] == "stop",
            Dialect::Responses => whole["status"] == "completed",
            Dialect::Messages => whole["stop_reason"] == "end_turn",
            Dialect::Gemini => whole["candidates"][0]["finishReason"] == "STOP",
        };
    }
    let events = events(answer);
    let last = events.last().cloned().unwrap_or_default();
    broke_with(dialect, answer).is_none()
        && match dialect {
            Dialect::Chat => {
                answer.text.trim_end().ends_with("[DONE]")
                    && events.iter().any(|event| event["choices"][0]["finish_reason"] == "stop")
            }
            Dialect::Responses => last["type"] == "response.completed" && in_order(&events),
            Dialect::Messages => {
                last["type"] == "message_stop"
                    && events.iter().any(|event| event["delta"]["stop_reason"] == "end_turn")
            }
            Dialect::Gemini => events.iter().any(|event| event["candidates"][0]["finishReason"] == "STOP"),
        }
}

/// Whether the events of a Responses stream are numbered without a gap.
fn in_order(events: &[Value]) -> bool {
    let numbers = events.iter().map(|event| event["sequence_number"].as_u64());
    numbers.eq((0..events.len() as u64).map(Some))
}

/// The code of the error that ends a stream: the hub's, or the class that a provider of the same dialect gave it.
pub(crate) fn broke_with(dialect: Dialect, answer: &Answer) -> Option<String> {
    let last = events(answer).pop()?;
    let pointers: &[&str] = match dialect {
        Dialect::Chat => &["/error/code"],
        Dialect::Responses => &["/response/error/code", "/error/code", "/code"],
        Dialect::Messages => &["/error/reason", "/error/type"],
        Dialect::Gemini => &["/error/reason", "/error/status"],
    };
    pointers.iter().find_map(|pointer| last.pointer(pointer)?.as_str()).map(str::to_owned)
}

/// Whether an error answer has the dialect's own shape, and its class agrees with its status.
pub(crate) fn is_error(dialect: Dialect, answer: &Answer, status: u16) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(&answer.text) else { return false };
    let error = &body["error"];
    let said = error["message"].as_str().is_some_and(|message| !message.is_empty());
    let shaped = match dialect {
        Dialect::Chat | Dialect::Responses => {
            error["type"].is_string() && error.get("param").is_some() && error.get("code").is_some()
        }
        Dialect::Messages => body["type"] == "error" && error["type"] == anthropic::fault::kind_of(status),
        Dialect::Gemini => error["code"] == status && error["status"] == gemini::fault::status_of(status),
    };
    answer.status.as_u16() == status && said && shaped
}

/// The tokens of the prompt and the answer together, as an answer tells them; 0 where it does not.
pub(crate) fn usage(dialect: Dialect, answer: &Answer) -> u64 {
    let told = if streams(answer) { events(answer) } else { vec![answer.json()] };
    let pointers: &[&str] = match dialect {
        Dialect::Chat => &["/usage/prompt_tokens", "/usage/completion_tokens"],
        Dialect::Responses if streams(answer) => {
            &["/response/usage/input_tokens", "/response/usage/output_tokens"]
        }
        Dialect::Responses | Dialect::Messages => &["/usage/input_tokens", "/usage/output_tokens"],
        Dialect::Gemini => &["/usageMetadata/promptTokenCount", "/usageMetadata/candidatesTokenCount"],
    };
    let most = |pointer: &&str| told.iter().filter_map(|event| event.pointer(pointer)?.as_u64()).max();
    pointers.iter().filter_map(most).sum()
}
