//! The content of messages: one text, or a list of parts.

use canon::{Block, Kind, Rest, Role, names};
use serde_json::{Map, Value};

use super::Writer;
use crate::chat::kept::{CHAT, object, restore};
use crate::chat::media;

impl Writer<'_> {
    /// The part for a block that stands in a content; `None`, and a declared loss, where there is none.
    pub(super) fn part(&mut self, block: &Block) -> Option<Value> {
        let mut part = match &block.kind {
            Kind::Text { text, .. } if text.is_empty() && !self.native => return None,
            Kind::Text { text, .. } if block.rest.hinted(CHAT, "$bare").is_some() => {
                return Some(text.as_str().into());
            }
            Kind::Text { text, citations } => {
                if !citations.is_empty() && !self.native {
                    self.losses.dropped("citations");
                }
                object([("type", "text".into()), ("text", text.as_str().into())])
            }
            Kind::Refusal(text) => object([("type", "refusal".into()), ("refusal", text.as_str().into())]),
            Kind::Opaque { dialect: CHAT, value } => return Some(value.clone()),
            Kind::Opaque { value, .. } => {
                self.losses.dropped(&format!("content.{}", names::kind_of(value)));
                return None;
            }
            Kind::ToolCall(_) => return self.out_of_place("content.tool_call"),
            Kind::ToolResult(_) => return self.out_of_place("content.tool_result"),
            Kind::Thinking(_) => return self.out_of_place("thinking"),
            Kind::Image(_) | Kind::Audio(_) | Kind::File(_) | Kind::Video(_) => {
                media::write(block, self.native, &mut self.losses)?
            }
        };
        if let Some(cache) = self.cache(block.cache.as_ref()) {
            part.insert("cache_control".to_owned(), cache);
        }
        restore(&block.rest, &mut part, &mut self.losses);
        Some(part.into())
    }

    /// Whether a block is a medium that only the user may show: the messages of others hold text alone.
    pub(super) fn is_unshown(&mut self, block: &Block) -> bool {
        let name = match block.kind {
            Kind::Image(_) => "image",
            Kind::Audio(_) => "audio",
            Kind::Video(_) => "video",
            Kind::File(_) => "file",
            _ => return false,
        };
        if !self.native {
            self.losses.dropped(name);
        }
        !self.native
    }

    fn out_of_place(&mut self, what: &str) -> Option<Value> {
        self.losses.dropped(what);
        None
    }

    /// Writes parts into a message as its content. `rest` holds the hints on how the client wrote them.
    pub(super) fn content(
        &self,
        message: &mut Map<String, Value>,
        parts: Vec<Value>,
        role: Role,
        rest: &Rest,
    ) {
        let content = if self.native { as_written(parts, rest) } else { tidy(parts, role) };
        if let Some(content) = content {
            message.insert("content".to_owned(), content);
        }
    }
}

fn as_written(parts: Vec<Value>, rest: &Rest) -> Option<Value> {
    let Some(empty) = rest.hinted(CHAT, "$empty").and_then(Value::as_array) else {
        let listed = rest.hinted(CHAT, "$list").is_some();
        return match <[Value; 1]>::try_from(parts) {
            Ok([only]) if !listed => Some(text_of(only).map_or_else(|part| vec![part].into(), Value::String)),
            Ok(only) => Some(Vec::from(only).into()),
            Err(parts) if parts.is_empty() && !listed => rest.hinted(CHAT, "$content").cloned(),
            Err(parts) => Some(parts.into()),
        };
    };
    let mut all = Vec::with_capacity(parts.len() + empty.len());
    let mut parts = parts.into_iter();
    for (at, part) in empty.iter().filter_map(|entry| Some((entry.get(0)?.as_u64()?, entry.get(1)?))) {
        while (all.len() as u64) < at
            && let Some(part) = parts.next()
        {
            all.push(part);
        }
        all.push(part.clone());
    }
    all.extend(parts);
    Some(all.into())
}

/// Content of another dialect, in the form that the most providers take: lists in user messages alone, and there only
/// where it is more than one text.
fn tidy(parts: Vec<Value>, role: Role) -> Option<Value> {
    let between = if role == Role::Assistant { "" } else { "\n\n" };
    if parts.is_empty() || (role == Role::User && parts.len() > 1) || !parts.iter().all(is_text) {
        return (!parts.is_empty()).then(|| parts.into());
    }
    let mut parts = parts.into_iter().filter_map(|part| text_of(part).ok());
    let mut whole = parts.next().unwrap_or_default();
    for text in parts {
        whole.push_str(between);
        whole.push_str(&text);
    }
    Some(whole.into())
}

/// Whether a part is text and nothing else.
fn is_text(part: &Value) -> bool {
    part.as_object().is_some_and(|map| {
        map.len() == 2
            && map.get("type").and_then(Value::as_str) == Some("text")
            && map.get("text").is_some_and(Value::is_string)
    })
}

fn text_of(part: Value) -> Result<String, Value> {
    if !is_text(&part) {
        return Err(part);
    }
    match part {
        Value::Object(mut map) => match map.get_mut("text").map(Value::take) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(map.into()),
        },
        other => Err(other),
    }
}
