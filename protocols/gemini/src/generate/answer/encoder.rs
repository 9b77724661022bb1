//! A stream for a client of this dialect. There are no comments in it and no event that ends it: its clients take
//! every event for JSON.

use canon::{
    Asked, Block, Citation, Delta, Event, Kind, Losses, Opening, Sequence, Signature, Stop, ToolCall, Usage,
};
use serde::Serialize;
use serde_json::Value;

use super::{grounding, logprobs, stop};
use crate::{
    generate::{part::Writer, signature},
    usage,
};

/// Writes a stream, event by event.
#[derive(Debug)]
pub struct Encoder {
    asked: Asked,
    sequence: Sequence,
    id: String,
    model: String,
    state: State,
    usage: Option<Usage>,
    stop: Stop,
    citations: Vec<Citation>,
    logprobs: Vec<Value>,
    losses: Losses,
}

/// The block that is being written.
#[derive(Debug)]
enum State {
    None,
    Text,
    /// The thoughts so far: their signature is to carry them.
    Thinking(String),
    /// A call goes out as a whole.
    Call(ToolCall),
}

impl Encoder {
    /// For the answer to `asked`.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self {
            id: asked.id.clone(),
            model: asked.model.clone(),
            asked,
            sequence: Sequence::default(),
            state: State::None,
            usage: None,
            stop: Stop::End,
            citations: Vec::new(),
            logprobs: Vec::new(),
            losses: Losses::default(),
        }
    }

    /// Takes an event and appends what it makes for the client.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        let mut row = Vec::new();
        self.sequence.push(event, &mut |event| row.push(event));
        for event in row {
            self.write(event, out);
        }
    }

    /// What could not be said.
    #[must_use]
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    fn write(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, .. } => {
                for (own, said) in [(&mut self.id, id), (&mut self.model, model)] {
                    if !said.is_empty() {
                        *own = said;
                    }
                }
            }
            Event::Open { block, .. } => self.open(block, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::Close { .. } => {
                if let State::Call(call) = std::mem::replace(&mut self.state, State::None) {
                    self.whole(&Block::new(Kind::ToolCall(call)), out);
                }
            }
            Event::Usage(usage) => self.usage = Some(self.usage.unwrap_or_default().merged(usage)),
            Event::Stop { stop, sequence } => {
                if sequence.is_some() {
                    self.losses.dropped("stop_sequence");
                }
                if stop::is_lost(&stop) {
                    self.losses.changed("finish_reason");
                }
                self.stop = stop;
            }
            Event::End => self.end(out),
        }
    }

    fn open(&mut self, block: Opening, out: &mut Vec<u8>) {
        self.state = match block {
            Opening::Text => State::Text,
            Opening::Refusal => {
                self.losses.changed("refusal");
                State::Text
            }
            Opening::Thinking { .. } => State::Thinking(String::new()),
            Opening::ToolCall { id, name, custom, .. } => {
                let tool = self.asked.tool(&name);
                State::Call(ToolCall {
                    id,
                    name: tool.name,
                    namespace: None,
                    arguments: String::new(),
                    custom,
                    signature: None,
                })
            }
            Opening::Whole(block) => {
                self.whole(&block, out);
                State::None
            }
        };
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>) {
        match (&mut self.state, delta) {
            (_, Delta::Citation(citation)) => self.citations.push(citation),
            (_, Delta::Logprobs(more)) => self.logprobs.extend(more),
            (State::Call(call), Delta::Text(more)) => call.arguments.push_str(&more),
            (State::Call(call), Delta::Signature(signature)) => call.signature = Some(signature),
            (State::Text, Delta::Text(text)) if !text.is_empty() => {
                self.chunk(&[Part::Text { text: &text }], out);
            }
            (State::Thinking(thoughts), Delta::Text(text)) if !text.is_empty() => {
                thoughts.push_str(&text);
                self.chunk(&[Part::Thought { text: &text, thought: true }], out);
            }
            (State::Thinking(thoughts), Delta::Signature(signature)) => {
                let thoughts = std::mem::take(thoughts);
                self.signed(&signature, &thoughts, out);
            }
            _ => {}
        }
    }

    /// The signature of thoughts stands in a part of its own: clients that drop thoughts keep it.
    fn signed(&self, signature: &Signature, thoughts: &str, out: &mut Vec<u8>) {
        let thought_signature = signature::with_thoughts(signature, thoughts);
        self.chunk(&[Part::Signed { text: "", thought_signature }], out);
    }

    /// Writes a block that goes out in one piece.
    fn whole(&mut self, block: &Block, out: &mut Vec<u8>) {
        let mut parts = Vec::new();
        Writer::answer(false, &mut self.losses).block(block, &mut parts);
        let parts: Vec<Part<'_>> = parts.iter().map(Part::Other).collect();
        if !parts.is_empty() {
            self.chunk(&parts, out);
        }
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        let grounding = grounding::written(&self.citations, &mut self.losses);
        // As Google ends a stream whose content is through: an empty text beside the reason.
        let candidate = Candidate {
            content: Content { parts: &[Part::Text { text: "" }], role: "model" },
            finish_reason: Some(stop::written(&self.stop)),
            index: 0,
            grounding_metadata: grounding,
            logprobs_result: logprobs::written(&self.logprobs),
        };
        self.send(candidate, self.usage.as_ref().map(usage::written), out);
    }

    fn chunk(&self, parts: &[Part<'_>], out: &mut Vec<u8>) {
        let content = Content { parts, role: "model" };
        let candidate = Candidate {
            content,
            finish_reason: None,
            index: 0,
            grounding_metadata: None,
            logprobs_result: None,
        };
        self.send(candidate, None, out);
    }

    fn send(&self, candidate: Candidate<'_>, usage_metadata: Option<Value>, out: &mut Vec<u8>) {
        let (model_version, response_id) = (self.model.as_str(), self.id.as_str());
        let chunk = Chunk { candidates: [candidate], usage_metadata, model_version, response_id };
        let before = out.len();
        out.extend_from_slice(b"data: ");
        if serde_json::to_writer(&mut *out, &chunk).is_err() {
            // Writing to memory does not fail; half an event must not go out all the same.
            out.truncate(before);
            return;
        }
        out.extend_from_slice(b"\n\n");
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    candidates: [Candidate<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_metadata: Option<Value>,
    #[serde(skip_serializing_if = "str::is_empty")]
    model_version: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    response_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    content: Content<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finish_reason: Option<&'a str>,
    index: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    grounding_metadata: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logprobs_result: Option<Value>,
}

#[derive(Serialize)]
struct Content<'a> {
    parts: &'a [Part<'a>],
    role: &'static str,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Part<'a> {
    Text { text: &'a str },
    Thought { text: &'a str, thought: bool },
    Signed { text: &'a str, thought_signature: String },
    Other(&'a Value),
}
