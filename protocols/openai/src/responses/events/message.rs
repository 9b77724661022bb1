//! The message item that is being written: texts and refusals in a row are its parts.

use canon::{Citation, Delta, Losses};
use serde_json::{Map, Value, json};

use super::wire::{Place, Wire};
use crate::responses::item;

/// A message that is not complete.
#[derive(Debug)]
pub(super) struct Message {
    place: Place,
    parts: Vec<Value>,
    part: Option<Part>,
}

/// A part that is not complete.
#[derive(Debug, Default)]
struct Part {
    refusal: bool,
    text: String,
    /// How many letters the text has.
    letters: u64,
    annotations: Vec<Value>,
    logprobs: Vec<Value>,
}

impl Part {
    fn value(self) -> Value {
        let mut part = Map::new();
        let mut put = |name: &str, value: Value| part.insert(name.to_owned(), value);
        if self.refusal {
            put("type", "refusal".into());
            put("refusal", self.text.into());
        } else {
            put("type", "output_text".into());
            put("text", self.text.into());
            put("annotations", Value::Array(self.annotations));
            if !self.logprobs.is_empty() {
                put("logprobs", Value::Array(self.logprobs));
            }
        }
        Value::Object(part)
    }
}

impl Message {
    /// A message without parts.
    pub(super) fn begin(place: Place, wire: &mut Wire, out: &mut Vec<u8>) -> Self {
        let message = Self { place, parts: Vec::new(), part: None };
        message.place.added(message.item("in_progress", Vec::new()), wire, out);
        message
    }

    fn item(&self, status: &str, content: Vec<Value>) -> Value {
        let mut item = Map::new();
        let mut put = |name: &str, value: Value| item.insert(name.to_owned(), value);
        put("id", self.place.id.as_str().into());
        put("type", "message".into());
        put("status", status.into());
        put("role", "assistant".into());
        put("content", Value::Array(content));
        Value::Object(item)
    }

    fn fields<const N: usize>(&self, pairs: [(&str, Value); N]) -> Map<String, Value> {
        let mut fields = self.place.fields([("content_index", self.parts.len().into())]);
        fields.extend(super::wire::fields(pairs));
        fields
    }

    /// Begins a part.
    pub(super) fn begin_part(&mut self, refusal: bool, wire: &mut Wire, out: &mut Vec<u8>) {
        let part = Part { refusal, ..Part::default() };
        let empty = Part { refusal, ..Part::default() }.value();
        wire.emit("response.content_part.added", self.fields([("part", empty)]), out);
        self.part = Some(part);
    }

    /// Adds to the part.
    pub(super) fn add(&mut self, delta: Delta, losses: &mut Losses, wire: &mut Wire, out: &mut Vec<u8>) {
        let Some(mut part) = self.part.take() else { return };
        match delta {
            Delta::Text(more) if part.refusal => {
                let fields = self.fields([("delta", more.as_str().into())]);
                wire.emit("response.refusal.delta", fields, out);
                part.text.push_str(&more);
            }
            Delta::Text(more) => {
                let fields = self.fields([("delta", more.as_str().into()), ("logprobs", json!([]))]);
                wire.emit("response.output_text.delta", fields, out);
                part.letters += more.chars().count() as u64;
                part.text.push_str(&more);
            }
            Delta::Logprobs(more) if !part.refusal => {
                let more: Vec<Value> = more.into_iter().map(with_bytes).collect();
                // Of text that was sent already: the event adds none.
                let list = Value::Array(more.clone());
                let fields = self.fields([("delta", "".into()), ("logprobs", list)]);
                wire.emit("response.output_text.delta", fields, out);
                part.logprobs.extend(more);
            }
            Delta::Citation(citation) if !part.refusal => self.cite(&citation, &mut part, losses, wire, out),
            Delta::Citation(_) => losses.dropped("citations"),
            Delta::Signature(_) => losses.dropped("thinking.signature"),
            Delta::Logprobs(_) => {}
        }
        self.part = Some(part);
    }

    fn cite(
        &self,
        citation: &Citation,
        part: &mut Part,
        losses: &mut Losses,
        wire: &mut Wire,
        out: &mut Vec<u8>,
    ) {
        let Some(annotation) = item::annotation(citation, part.letters, losses) else { return };
        let number = part.annotations.len();
        let fields = self.fields([("annotation_index", number.into()), ("annotation", annotation.clone())]);
        wire.emit("response.output_text.annotation.added", fields, out);
        part.annotations.push(annotation);
    }

    /// Completes the part.
    pub(super) fn end_part(&mut self, wire: &mut Wire, out: &mut Vec<u8>) {
        let Some(part) = self.part.take() else { return };
        let text = part.text.as_str();
        let (kind, fields) = if part.refusal {
            ("response.refusal.done", self.fields([("refusal", text.into())]))
        } else {
            let logprobs = Value::Array(part.logprobs.clone());
            ("response.output_text.done", self.fields([("text", text.into()), ("logprobs", logprobs)]))
        };
        wire.emit(kind, fields, out);
        self.put(part.value(), wire, out);
    }

    fn put(&mut self, part: Value, wire: &mut Wire, out: &mut Vec<u8>) {
        wire.emit("response.content_part.done", self.fields([("part", part.clone())]), out);
        self.parts.push(part);
    }

    /// Adds a part that is complete.
    pub(super) fn whole_part(&mut self, part: Value, wire: &mut Wire, out: &mut Vec<u8>) {
        wire.emit("response.content_part.added", self.fields([("part", part.clone())]), out);
        self.put(part, wire, out);
    }

    /// Completes the message.
    pub(super) fn end(mut self, complete: bool, wire: &mut Wire, out: &mut Vec<u8>) -> Value {
        self.end_part(wire, out);
        let parts = std::mem::take(&mut self.parts);
        let item = self.item(if complete { "completed" } else { "incomplete" }, parts);
        self.place.done(item.clone(), wire, out);
        item
    }
}

/// The probability of a token with the token's bytes, which vendors of other dialects leave out and clients of this one
/// expect; the same for the tokens that it was chosen over.
fn with_bytes(mut entry: Value) -> Value {
    let Some(object) = entry.as_object_mut() else { return entry };
    if object.get("bytes").is_none_or(Value::is_null) {
        let token = object.get("token").and_then(Value::as_str).unwrap_or_default();
        let bytes: Vec<u8> = token.bytes().collect();
        object.insert("bytes".to_owned(), bytes.into());
    }
    if let Some(others) = object.get_mut("top_logprobs").and_then(Value::as_array_mut) {
        for other in others {
            *other = with_bytes(other.take());
        }
    }
    entry
}
