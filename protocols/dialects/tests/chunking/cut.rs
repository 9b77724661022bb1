//! Streams in other pieces than those in which they were recorded.

use canon::{Delta, Dialect, Event, sse};
use serde_json::Value;

use super::streams::split;

/// A stream with line ends of the other kind, comments, pings and events without data between its events.
pub(crate) fn noisy(dialect: Dialect, stream: &[u8], noise: &[usize]) -> Vec<u8> {
    let mut noisy = Vec::new();
    for (event, kind) in split(stream).iter().zip(noise.iter().cycle()) {
        match kind {
            0 => noisy.extend_from_slice(b": keep-alive\n\n"),
            1 => noisy.extend_from_slice(b": keep-alive\r\n\r\n"),
            2 if dialect == Dialect::Messages => {
                noisy.extend_from_slice(b"event: ping\ndata: {\"type\": \"ping\"}\n\n");
            }
            3 => noisy.extend_from_slice(b"retry: 3000\n\n"),
            _ => {}
        }
        if kind % 2 == 1 {
            let text = String::from_utf8_lossy(event).replace("\r\n", "\n").replace('\n', "\r\n");
            noisy.extend_from_slice(text.as_bytes());
        } else {
            noisy.extend_from_slice(event);
        }
    }
    noisy
}

/// A stream whose texts and arguments come in smaller pieces.
pub(crate) fn deltas(dialect: Dialect, stream: &[u8], at: &[usize]) -> Vec<u8> {
    let mut finer = Vec::new();
    for (event, at) in split(stream).iter().zip(at.iter().cycle()) {
        let data = sse::data(event).and_then(|data| serde_json::from_slice::<Value>(&data).ok());
        let parts = data.and_then(|data| halves(dialect, &data, *at));
        let Some(parts) = parts else {
            finer.extend_from_slice(event);
            if !event.ends_with(b"\n\n") && !event.ends_with(b"\n\r\n") {
                finer.extend_from_slice(b"\n\n");
            }
            continue;
        };
        let named = std::str::from_utf8(event).unwrap().lines().find(|line| line.starts_with("event:"));
        for part in parts {
            if let Some(named) = named {
                finer.extend_from_slice(format!("{named}\n").as_bytes());
            }
            finer.extend_from_slice(format!("data: {part}\n\n").as_bytes());
        }
    }
    finer
}

/// An event as two, if it is nothing but a delta of a text.
fn halves(dialect: Dialect, data: &Value, at: usize) -> Option<[Value; 2]> {
    let pointer = match dialect {
        Dialect::Chat => chat(data)?,
        Dialect::Responses => responses(data)?,
        Dialect::Messages => messages(data)?,
        Dialect::Gemini => gemini(data)?,
    };
    let text = data.pointer(&pointer)?.as_str()?;
    let (at, _) = text.char_indices().nth(at).filter(|(at, _)| *at > 0)?;
    let with = |part: &str| {
        let mut half = data.clone();
        *half.pointer_mut(&pointer)? = part.into();
        Some(half)
    };
    Some([with(&text[..at])?, with(&text[at..])?])
}

fn chat(data: &Value) -> Option<String> {
    let choice = data.pointer("/choices/0").filter(|choice| {
        let silent = |name: &str| choice.get(name).is_none_or(Value::is_null);
        silent("finish_reason") && silent("logprobs") && data.get("usage").is_none_or(Value::is_null)
    })?;
    let delta = choice.get("delta")?.as_object()?;
    let mut said = delta.iter().filter(|(name, value)| *name != "role" && !value.is_null());
    let (name, value) = said.next().filter(|_| said.next().is_none())?;
    if value.is_string() {
        return Some(format!("/choices/0/delta/{name}"));
    }
    let more = value.get(0)?.as_object().filter(|call| !call.contains_key("id"))?;
    let kind = more.keys().find(|name| matches!(name.as_str(), "function" | "custom"))?;
    let text = if kind == "function" { "arguments" } else { "input" };
    let alone = value.as_array()?.len() == 1 && more[kind].as_object()?.len() == 1;
    alone.then(|| format!("/choices/0/delta/tool_calls/0/{kind}/{text}"))
}

fn responses(data: &Value) -> Option<String> {
    let kind = data.get("type")?.as_str()?;
    let plain = data.get("logprobs").is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
    (kind.ends_with(".delta") && plain).then(|| "/delta".to_owned())
}

fn messages(data: &Value) -> Option<String> {
    let names = ["text", "thinking", "partial_json"];
    names.into_iter().map(|name| format!("/delta/{name}")).find(|at| data.pointer(at).is_some())
}

fn gemini(data: &Value) -> Option<String> {
    let candidate = data.pointer("/candidates/0")?.as_object()?;
    let more = ["finishReason", "groundingMetadata", "citationMetadata", "logprobsResult"];
    let parts = candidate.get("content")?.get("parts")?.as_array()?;
    let alone = parts.len() == 1 && parts[0].get("thoughtSignature").is_none();
    (alone && !more.iter().any(|name| candidate.contains_key(*name)))
        .then(|| "/candidates/0/content/parts/0/text".to_owned())
}

/// Events whose texts are cut behind so many letters, in turn.
pub(crate) fn events(events: Vec<Event>, at: &[usize]) -> Vec<Event> {
    let mut at = at.iter().cycle();
    let mut finer = Vec::new();
    for event in events {
        let Event::Delta { index, delta: Delta::Text(text) } = event else {
            finer.push(event);
            continue;
        };
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let letters = at.next().copied().unwrap_or_default() + 1;
            let end = rest.char_indices().nth(letters).map_or(rest.len(), |(end, _)| end);
            let (piece, more) = rest.split_at(end);
            finer.push(Event::Delta { index, delta: Delta::Text(piece.to_owned()) });
            rest = more;
        }
    }
    finer
}
