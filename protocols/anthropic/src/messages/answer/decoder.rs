//! A streamed answer of a provider, event by event.

use std::collections::BTreeMap;

use canon::{AnswerError, Block, Delta, Dialect, Event, Kind, Opening, Stop, Thinking, Usage, sse};
use serde_json::{Map, Value};

use crate::{
    fault,
    messages::decode::{Speaker, citation},
    usage,
};

/// Reads the events of one stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Whether the answer began.
    started: bool,
    /// Why it stops, once that was read. It is told at the end: some providers say it before their last blocks.
    stop: Option<(Stop, Option<String>)>,
    /// Whether the answer is complete.
    ended: bool,
    /// Whether a tool is called.
    called: bool,
    /// The index of the next block.
    next: u32,
    /// Blocks that are open, by the provider's index.
    open: BTreeMap<u64, Open>,
    /// The provider's index of the last block, for providers that leave it out.
    last: u64,
    usage: Option<Usage>,
}

/// An open block.
#[derive(Debug)]
struct Open {
    index: u32,
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    Text,
    Thinking,
    /// A tool call, with the input that stood in its beginning, for providers that send no pieces.
    Tool {
        whole: Option<String>,
    },
    /// Something that only this dialect has: it is collected and handed on as a whole.
    Held {
        block: Map<String, Value>,
        input: String,
    },
    /// Already closed.
    Done,
}

impl Decoder {
    /// Reads one event of the stream.
    ///
    /// # Errors
    /// When the provider reports an error, or the event is not of this dialect.
    pub fn push(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), AnswerError> {
        let Some(data) = sse::data(event) else { return Ok(()) };
        let data = data.trim_ascii();
        if data.is_empty() || data == b"[DONE]" || self.ended {
            return Ok(());
        }
        let mut event: Map<String, Value> = serde_json::from_slice(data).map_err(|_| AnswerError::Garbage)?;
        let kind = take_text(&mut event, "type");
        match kind.as_str() {
            "message_start" => self.begin(event.get_mut("message"), out),
            "content_block_start" => self.open(&mut event, out),
            "content_block_delta" => self.grow(&mut event, out),
            "content_block_stop" => {
                let at = self.at(&event);
                self.close(at, out);
            }
            "message_delta" => self.conclude(&mut event, out),
            "message_stop" => self.end(out),
            "error" => return Err(reported(event)),
            _ if event.get("error").is_some_and(|error| !error.is_null()) => return Err(reported(event)),
            _ => {}
        }
        Ok(())
    }

    /// The stream is over.
    ///
    /// # Errors
    /// When it ended before the answer did.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), AnswerError> {
        if !self.ended && self.stop.is_none() {
            return Err(AnswerError::Empty);
        }
        self.end(out);
        Ok(())
    }

    fn begin(&mut self, message: Option<&mut Value>, out: &mut Vec<Event>) {
        let mut nothing = Value::Null;
        let message = message.unwrap_or(&mut nothing);
        if !self.started {
            self.started = true;
            let mut text = |name: &str| match message.get_mut(name).map(Value::take) {
                Some(Value::String(text)) => text,
                _ => String::new(),
            };
            out.push(Event::Start { id: text("id"), model: text("model"), created: None });
        }
        self.count(message.get("usage"), out);
    }

    fn count(&mut self, value: Option<&Value>, out: &mut Vec<Event>) {
        let Some(found) = value.and_then(usage::of) else { return };
        let total = self.usage.unwrap_or_default().merged(found);
        self.usage = Some(total);
        out.push(Event::Usage(total));
    }

    fn at(&self, event: &Map<String, Value>) -> u64 {
        event.get("index").and_then(Value::as_u64).unwrap_or(self.last)
    }

    fn open(&mut self, event: &mut Map<String, Value>, out: &mut Vec<Event>) {
        self.begin_if_late(out);
        let at = self.at(event);
        self.close(at, out);
        self.last = at;
        let Some(Value::Object(mut block)) = event.get_mut("content_block").map(Value::take) else { return };
        let kind = block.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind.as_str() {
            "text" => {
                let index = self.opened(at, Opening::Text, Shape::Text, out);
                say(index, take_text(&mut block, "text"), out);
                cite(index, block.get_mut("citations"), out);
            }
            "thinking" => {
                let index = self.opened(at, Opening::Thinking { id: None }, Shape::Thinking, out);
                say(index, take_text(&mut block, "thinking"), out);
                sign(index, take_text(&mut block, "signature"), out);
            }
            "tool_use" => {
                self.called = true;
                let whole = block.get("input").and_then(Value::as_object).filter(|input| !input.is_empty());
                let whole = whole.map(|input| Value::Object(input.clone()).to_string());
                let (id, name) = (take_text(&mut block, "id"), take_text(&mut block, "name"));
                let call = Opening::ToolCall { id, name, namespace: None, custom: false };
                self.opened(at, call, Shape::Tool { whole }, out);
            }
            "redacted_thinking" => {
                let signature = Speaker::Provider.signature(take_text(&mut block, "data"));
                let thinking = Thinking { signature, redacted: true, ..Thinking::default() };
                self.whole(Kind::Thinking(thinking), out);
                self.open.insert(at, Open { index: self.next, shape: Shape::Done });
            }
            _ => {
                let shape = Shape::Held { block, input: String::new() };
                self.open.insert(at, Open { index: self.next, shape });
            }
        }
    }

    fn begin_if_late(&mut self, out: &mut Vec<Event>) {
        if !self.started {
            self.begin(None, out);
        }
    }

    fn opened(&mut self, at: u64, block: Opening, shape: Shape, out: &mut Vec<Event>) -> u32 {
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { index, block });
        self.open.insert(at, Open { index, shape });
        index
    }

    fn whole(&mut self, kind: Kind, out: &mut Vec<Event>) {
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { index, block: Opening::Whole(Box::new(Block::new(kind))) });
        out.push(Event::Close { index });
    }

    fn grow(&mut self, event: &mut Map<String, Value>, out: &mut Vec<Event>) {
        let at = self.at(event);
        let Some(Value::Object(mut delta)) = event.get_mut("delta").map(Value::take) else { return };
        let kind = take_text(&mut delta, "type");
        if !self.open.contains_key(&at) {
            self.open_late(at, &kind, out);
        }
        let Some(open) = self.open.get_mut(&at) else { return };
        let index = open.index;
        match (&mut open.shape, kind.as_str()) {
            (Shape::Text, "text_delta") => say(index, take_text(&mut delta, "text"), out),
            (Shape::Text, "citations_delta") => {
                let one = delta.get_mut("citation").map(Value::take);
                cite(index, one.map(|one| Value::Array(vec![one])).as_mut(), out);
            }
            (Shape::Thinking, "thinking_delta") => say(index, take_text(&mut delta, "thinking"), out),
            (Shape::Thinking, "signature_delta") => sign(index, take_text(&mut delta, "signature"), out),
            (Shape::Tool { whole }, "input_json_delta") => {
                let piece = take_text(&mut delta, "partial_json");
                if !piece.is_empty() {
                    *whole = None;
                }
                say(index, piece, out);
            }
            (Shape::Held { input, .. }, "input_json_delta") => {
                input.push_str(&take_text(&mut delta, "partial_json"));
            }
            (Shape::Held { block, .. }, _) => collect(block, delta),
            _ => {}
        }
    }

    /// Opens a block of text or thoughts whose beginning the provider left out.
    fn open_late(&mut self, at: u64, delta: &str, out: &mut Vec<Event>) {
        let (opening, shape) = match delta {
            "text_delta" => (Opening::Text, Shape::Text),
            "thinking_delta" => (Opening::Thinking { id: None }, Shape::Thinking),
            _ => return,
        };
        self.begin_if_late(out);
        self.last = at;
        self.opened(at, opening, shape, out);
    }

    fn close(&mut self, at: u64, out: &mut Vec<Event>) {
        let Some(Open { index, shape }) = self.open.remove(&at) else { return };
        match shape {
            Shape::Text | Shape::Thinking => out.push(Event::Close { index }),
            Shape::Tool { whole } => {
                say(index, whole.unwrap_or_default(), out);
                out.push(Event::Close { index });
            }
            Shape::Held { mut block, input } => {
                if let Ok(input) = serde_json::from_str::<Value>(&input) {
                    block.insert("input".to_owned(), input);
                }
                let value = Value::Object(block);
                self.whole(Kind::Opaque { dialect: Dialect::Messages, value }, out);
            }
            Shape::Done => {}
        }
    }

    fn close_all(&mut self, out: &mut Vec<Event>) {
        while let Some((&at, _)) = self.open.first_key_value() {
            self.close(at, out);
        }
    }

    fn conclude(&mut self, event: &mut Map<String, Value>, out: &mut Vec<Event>) {
        self.begin_if_late(out);
        self.count(event.get("usage"), out);
        let Some(Value::Object(mut delta)) = event.get_mut("delta").map(Value::take) else { return };
        let word = take_text(&mut delta, "stop_reason");
        if word.is_empty() {
            return;
        }
        let sequence = Some(take_text(&mut delta, "stop_sequence")).filter(|text| !text.is_empty());
        self.stop.get_or_insert((super::stop(word), sequence));
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        self.begin_if_late(out);
        self.close_all(out);
        // A provider that ends without a reason had none but these.
        let unsaid = if self.called { Stop::ToolUse } else { Stop::End };
        let (stop, sequence) = self.stop.take().unwrap_or((unsaid, None));
        out.push(Event::Stop { stop, sequence });
        self.ended = true;
        out.push(Event::End);
    }
}

fn reported(event: Map<String, Value>) -> AnswerError {
    AnswerError::Reported(fault::message_in(&Value::Object(event)))
}

fn take_text(map: &mut Map<String, Value>, name: &str) -> String {
    match map.get_mut(name).map(Value::take) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

fn say(index: u32, text: String, out: &mut Vec<Event>) {
    if !text.is_empty() {
        out.push(Event::Delta { index, delta: Delta::Text(text) });
    }
}

fn sign(index: u32, data: String, out: &mut Vec<Event>) {
    if let Some(signature) = Speaker::Provider.signature(data) {
        out.push(Event::Delta { index, delta: Delta::Signature(signature) });
    }
}

fn cite(index: u32, citations: Option<&mut Value>, out: &mut Vec<Event>) {
    let Some(Value::Array(citations)) = citations.map(Value::take) else { return };
    for citation in citations.into_iter().filter_map(|value| citation(value).ok()) {
        out.push(Event::Delta { index, delta: Delta::Citation(citation) });
    }
}

/// Adds a delta of a kind that is not known to a block: texts grow, anything else is replaced.
fn collect(block: &mut Map<String, Value>, delta: Map<String, Value>) {
    for (name, value) in delta {
        match (block.get_mut(&name), value) {
            (_, Value::Null) => {}
            (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
            (Some(there), value) => *there = value,
            (None, value) => drop(block.insert(name, value)),
        }
    }
}
