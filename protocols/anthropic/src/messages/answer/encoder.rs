//! A streamed answer for a client of this dialect. Each event is written with its name, without which SDKs see
//! nothing, and blocks stand strictly in a row.

use canon::{Asked, Delta, Event, Losses, Opening, Sequence, Signature, Stop, Usage};
use serde_json::{Map, Value, json};

use super::{
    is_foreign, reason,
    speech::{Speech, shows_nothing},
};
use crate::{messages::encode::input, usage};

/// Writes one stream.
#[derive(Debug, Default)]
pub struct Encoder {
    speech: Speech,
    sequence: Sequence,
    started: bool,
    ended: bool,
    /// The index of the next block on the wire.
    next: u32,
    current: Current,
    usage: Usage,
    stop: Stop,
    stop_sequence: Option<String>,
    /// Whether the last block that was written is text.
    after_text: bool,
    /// Thoughts that show nothing and came behind text: written when something follows. An answer never ends with
    /// thoughts here, and clients take its last block for what was said.
    held: Vec<Value>,
}

/// The block whose events come.
#[derive(Debug, Default)]
struct Current {
    shape: Shape,
    /// Whether its beginning was written. Not before there is something in it: empty text blocks are refused when
    /// they come back.
    begun: bool,
}

#[derive(Debug, Default)]
enum Shape {
    /// Nothing more to write.
    #[default]
    Nothing,
    Text,
    Thinking,
    Tool(Call),
}

/// A call. Its beginning waits for the second piece of the arguments, since a signature must stand before it: who
/// gives signatures gives whole calls, and who gives pieces gives many.
#[derive(Debug)]
struct Call {
    id: String,
    name: String,
    custom: bool,
    /// Arguments that wait; all of them, where free text has to be wrapped.
    held: String,
    signature: Option<Signature>,
}

impl Encoder {
    /// An encoder for the answer to what was asked.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self { speech: Speech::new(asked), ..Self::default() }
    }

    /// What could not be said so far.
    #[must_use]
    pub const fn losses(&self) -> &Losses {
        &self.speech.losses
    }

    /// Writes what an event means to the client: whole events of the stream, or none.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        let mut sequence = std::mem::take(&mut self.sequence);
        sequence.push(event, &mut |event| self.write(event, out));
        self.sequence = sequence;
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.ended {
            return;
        }
        match event {
            Event::Start { id, model, .. } => self.start(&id, model, out),
            Event::Open { block, .. } => self.open(block, out),
            Event::Delta { delta, .. } => self.grow(delta, out),
            Event::Close { .. } => self.close(out),
            Event::Usage(usage) => self.usage = self.usage.merged(usage),
            Event::Stop { stop, sequence } => (self.stop, self.stop_sequence) = (stop, sequence),
            Event::End => self.end(out),
        }
    }

    fn start(&mut self, id: &str, model: String, out: &mut Vec<u8>) {
        if self.started {
            return;
        }
        self.started = true;
        self.speech.identify(id);
        let message = json!({
            "id": self.speech.id,
            "type": "message",
            "role": "assistant",
            "model": self.speech.model(model),
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
            "usage": usage::whole(self.usage),
        });
        send("message_start", &json!({"type": "message_start", "message": message}), out);
    }

    fn open(&mut self, block: Opening, out: &mut Vec<u8>) {
        self.start("", String::new(), out);
        let shape = match block {
            Opening::Text => Shape::Text,
            Opening::Refusal => {
                self.speech.refuse();
                Shape::Text
            }
            Opening::Thinking { .. } => Shape::Thinking,
            Opening::ToolCall { id, name, custom, .. } => {
                Shape::Tool(Call { id, name, custom, held: String::new(), signature: None })
            }
            Opening::Whole(block) => {
                let mut blocks = Vec::new();
                self.speech.block(*block, &mut blocks);
                for block in blocks {
                    if self.waits(&block) { self.held.push(block) } else { self.whole(block, out) }
                }
                Shape::Nothing
            }
        };
        self.current = Current { shape, begun: false };
    }

    /// A block that comes at once. The input of a server tool's call is a delta, as the API sends it.
    fn whole(&mut self, mut block: Value, out: &mut Vec<u8>) {
        let is_call =
            block.get("type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("tool_use"));
        let input = block.get_mut("input").filter(|input| is_call && input.is_object());
        let input = input.map(|input| std::mem::replace(input, Value::Object(Map::new())).to_string());
        self.begin(&block, out);
        if let Some(input) = input {
            self.delta(&json!({"type": "input_json_delta", "partial_json": input}), out);
        }
        self.finish_block(out);
    }

    fn grow(&mut self, delta: Delta, out: &mut Vec<u8>) {
        let waits = !self.current.begun && self.is_behind_text();
        match (&mut self.current.shape, delta) {
            (_, Delta::Logprobs(_)) => self.speech.losses.dropped("logprobs"),
            (Shape::Text, Delta::Text(text)) if !text.is_empty() => {
                self.begin_once(|| json!({"type": "text", "text": ""}), out);
                self.delta(&json!({"type": "text_delta", "text": text}), out);
            }
            (Shape::Text, Delta::Citation(citation)) => {
                if let Some(citation) = self.speech.citation(citation) {
                    self.begin_once(|| json!({"type": "text", "text": ""}), out);
                    self.delta(&json!({"type": "citations_delta", "citation": citation}), out);
                }
            }
            (Shape::Thinking, Delta::Text(text)) if !text.is_empty() => {
                self.begin_once(no_thoughts, out);
                self.delta(&json!({"type": "thinking_delta", "thinking": text}), out);
            }
            (Shape::Thinking, Delta::Signature(signature)) if waits => {
                self.held.push(signed(&signature));
            }
            (Shape::Thinking, Delta::Signature(signature)) => {
                self.begin_once(no_thoughts, out);
                self.delta(&json!({"type": "signature_delta", "signature": signature.written()}), out);
            }
            (Shape::Tool(call), Delta::Text(text))
                if call.custom || (call.held.is_empty() && !self.current.begun) =>
            {
                call.held.push_str(&text);
            }
            (Shape::Tool(_), Delta::Text(text)) if !text.is_empty() => {
                self.begin_call(out);
                self.arguments(&text, out);
            }
            (Shape::Tool(call), Delta::Signature(signature)) if !self.current.begun => {
                call.signature = Some(signature);
            }
            (Shape::Tool(_) | Shape::Text, Delta::Signature(_)) => {
                self.speech.losses.dropped("thinking.signature");
            }
            _ => {}
        }
    }

    /// Writes the beginning of a call with what waited for it.
    fn begin_call(&mut self, out: &mut Vec<u8>) {
        let Shape::Tool(call) = &mut self.current.shape else { return };
        if std::mem::replace(&mut self.current.begun, true) {
            return;
        }
        let held = std::mem::take(&mut call.held);
        let (id, name) = (std::mem::take(&mut call.id), std::mem::take(&mut call.name));
        let wrapped = call.custom.then(|| input(&held, true, false).0.to_string());
        if let Some(signature) = call.signature.take()
            && let Some(carrier) = self.speech.carrier(&signature)
        {
            self.whole(carrier, out);
        }
        let block = Value::Object(self.speech.call(&id, &name, Value::Object(Map::new())));
        self.begin(&block, out);
        self.arguments(&wrapped.unwrap_or(held), out);
    }

    fn arguments(&self, piece: &str, out: &mut Vec<u8>) {
        if !piece.is_empty() {
            self.delta(&json!({"type": "input_json_delta", "partial_json": piece}), out);
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        self.begin_call(out);
        if self.current.begun {
            self.finish_block(out);
        }
        self.current = Current::default();
    }

    fn begin_once(&mut self, block: impl Fn() -> Value, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.current.begun, true) {
            self.begin(&block(), out);
        }
    }

    /// Whether a block has to wait for what follows.
    fn waits(&self, block: &Value) -> bool {
        self.is_behind_text() && shows_nothing(block)
    }

    const fn is_behind_text(&self) -> bool {
        self.after_text || !self.held.is_empty()
    }

    /// Writes what waited for another block.
    fn release(&mut self, out: &mut Vec<u8>) {
        for mut block in std::mem::take(&mut self.held) {
            let signature = block.get_mut("signature").map(Value::take);
            if let Some(signature) = signature {
                self.begin(&no_thoughts(), out);
                self.delta(&json!({"type": "signature_delta", "signature": signature}), out);
                self.finish_block(out);
            } else {
                self.whole(block, out);
            }
        }
    }

    fn begin(&mut self, block: &Value, out: &mut Vec<u8>) {
        self.release(out);
        let event = json!({"type": "content_block_start", "index": self.next, "content_block": block});
        send("content_block_start", &event, out);
    }

    fn delta(&self, delta: &Value, out: &mut Vec<u8>) {
        let event = json!({"type": "content_block_delta", "index": self.next, "delta": delta});
        send("content_block_delta", &event, out);
    }

    fn finish_block(&mut self, out: &mut Vec<u8>) {
        let event = json!({"type": "content_block_stop", "index": self.next});
        send("content_block_stop", &event, out);
        self.next += 1;
        self.after_text = matches!(self.current.shape, Shape::Text);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.start("", String::new(), out);
        self.ended = true;
        if !std::mem::take(&mut self.held).is_empty() {
            self.speech.losses.dropped("thinking.signature");
        }
        if is_foreign(&self.stop) {
            self.speech.losses.changed("finish_reason");
        }
        let reason = reason(&self.stop, self.speech.called, self.speech.refused);
        let delta = json!({"stop_reason": reason, "stop_sequence": self.stop_sequence});
        let event = json!({"type": "message_delta", "delta": delta, "usage": usage::whole(self.usage)});
        send("message_delta", &event, out);
        send("message_stop", &json!({"type": "message_stop"}), out);
    }
}

/// Thoughts of which only the signature is known.
fn signed(signature: &Signature) -> Value {
    json!({"type": "thinking", "thinking": "", "signature": signature.written()})
}

fn no_thoughts() -> Value {
    json!({"type": "thinking", "thinking": "", "signature": ""})
}

/// Appends one event.
fn send(name: &str, data: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    // A value always has a text; a vector always takes it.
    let _ = serde_json::to_writer(&mut *out, data);
    out.extend_from_slice(b"\n\n");
}
