//! The events of a stream of this dialect.

use canon::{AnswerError, Block, Delta, Event, Kind, Opening, Signature, Stop, Thinking, ToolCall};
use serde_json::{Map, Value};

use super::{
    decode::{blocked, object},
    grounding::{self, Offsets},
    logprobs, stop,
};
use crate::{
    generate::{
        part::{Calls, Reader},
        signature, stream,
    },
    usage,
};

/// Reads a stream, event by event. Text that goes on in the next event is the same block.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    ended: bool,
    calls: Calls,
    /// Whether a tool was called.
    called: bool,
    /// The index of the next block.
    next: u32,
    open: Option<Open>,
    /// Why the answer ends, as far as that was said.
    word: Option<String>,
    blocked: bool,
    offsets: Offsets,
}

/// The block that is open.
#[derive(Debug, Clone, Copy)]
struct Open {
    index: u32,
    thinking: bool,
    signed: bool,
}

impl Decoder {
    /// Takes one event, blank line included or not.
    ///
    /// # Errors
    /// When it is an error, or not of this dialect.
    pub fn push(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), AnswerError> {
        let Some(data) = stream::data(event) else { return Ok(()) };
        let data = data.trim_ascii();
        if matches!(data, b"" | b"[DONE]") {
            return Ok(());
        }
        let mut chunk = object(data)?;
        self.start(&chunk, data, out);
        self.blocked |= blocked(chunk.get("promptFeedback"));
        let first = chunk.get_mut("candidates").and_then(Value::as_array_mut).and_then(|candidates| {
            let is_first = |candidate: &&mut Value| candidate.get("index").is_none_or(|index| index == 0);
            candidates.iter_mut().find(is_first)
        });
        if let Some(Value::Object(candidate)) = first {
            self.candidate(candidate, out)?;
        }
        out.extend(chunk.get("usageMetadata").and_then(usage::of_value).map(Event::Usage));
        Ok(())
    }

    /// Takes the end of the stream. The dialect has no event for it: it was complete if a reason to end was given.
    ///
    /// # Errors
    /// When none was: then it was cut.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), AnswerError> {
        if self.ended {
            return Ok(());
        }
        let read = self.word.as_deref().and_then(|word| stop::read(word, self.called));
        let Some(stop) = read.or(self.blocked.then_some(Stop::Refusal)) else {
            return Err(AnswerError::Empty);
        };
        self.close(out);
        self.ended = true;
        out.extend([Event::Stop { stop, sequence: None }, Event::End]);
        Ok(())
    }

    fn start(&mut self, chunk: &Map<String, Value>, data: &[u8], out: &mut Vec<Event>) {
        if self.started {
            return;
        }
        self.started = true;
        let text = |name: &str| chunk.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = text("responseId");
        // Ids of calls must be told apart from those of other answers, with or without an id of this one.
        self.calls = if id.is_empty() { Calls::new(&String::from_utf8_lossy(data)) } else { Calls::new(&id) };
        out.push(Event::Start { id, model: text("modelVersion"), created: None });
    }

    fn candidate(
        &mut self,
        candidate: &mut Map<String, Value>,
        out: &mut Vec<Event>,
    ) -> Result<(), AnswerError> {
        let parts =
            candidate.get_mut("content").and_then(|content| content.get_mut("parts")).map(Value::take);
        let parts = match parts {
            Some(Value::Array(parts)) => parts,
            Some(part @ Value::Object(_)) => vec![part],
            _ => Vec::new(),
        };
        for part in parts {
            let mut blocks = Vec::new();
            let mut reader =
                Reader { signature: signature::plain, thoughts: |_| None, calls: &mut self.calls };
            reader.part(part, &mut blocks).map_err(|_| AnswerError::Garbage)?;
            for block in blocks {
                self.block(block, out);
            }
        }
        self.about_text(candidate, out);
        let word = candidate.get("finishReason").and_then(Value::as_str);
        if let Some(word) = word.filter(|word| stop::read(word, false).is_some()) {
            self.word = Some(word.to_owned());
        }
        Ok(())
    }

    /// What a candidate says about its text: it comes last, also behind calls and signatures. Then it stands in a text of
    /// its own, since what is closed takes no more.
    fn about_text(&mut self, candidate: &Map<String, Value>, out: &mut Vec<Event>) {
        let offsets = self.open.filter(|open| !open.thinking).map(|_| &self.offsets);
        let citations = grounding::read(candidate, offsets).into_iter().map(Delta::Citation);
        let elements = candidate.get("logprobsResult").map(logprobs::read).unwrap_or_default();
        let logprobs = (!elements.is_empty()).then_some(Delta::Logprobs(elements));
        let deltas: Vec<Delta> = citations.chain(logprobs).collect();
        if !deltas.is_empty() {
            let index = self.opened(false, out).index;
            out.extend(deltas.into_iter().map(|delta| Event::Delta { index, delta }));
        }
    }

    fn block(&mut self, block: Block, out: &mut Vec<Event>) {
        match block.kind {
            Kind::Text { text, .. } => {
                let open = self.opened(false, out);
                self.offsets.push(&text);
                out.push(Event::Delta { index: open.index, delta: Delta::Text(text) });
            }
            Kind::Thinking(Thinking { text, signature, .. }) => self.thinking(text, signature, out),
            Kind::ToolCall(call) => self.call(call, out),
            kind => {
                let whole = Block { kind, cache: block.cache, rest: block.rest };
                let index = self.open(Opening::Whole(Box::new(whole)), out);
                out.push(Event::Close { index });
            }
        }
    }

    fn thinking(&mut self, text: String, signature: Option<Signature>, out: &mut Vec<Event>) {
        let shown = !text.is_empty();
        let open = self.opened(true, out);
        if shown {
            out.push(Event::Delta { index: open.index, delta: Delta::Text(text) });
        }
        if let Some(signature) = signature {
            out.push(Event::Delta { index: open.index, delta: Delta::Signature(signature) });
            self.open = Some(Open { signed: true, ..open });
        }
    }

    fn call(&mut self, call: ToolCall, out: &mut Vec<Event>) {
        self.called = true;
        let ToolCall { id, name, namespace, arguments, custom, signature } = call;
        let index = self.open(Opening::ToolCall { id, name, namespace, custom }, out);
        out.push(Event::Delta { index, delta: Delta::Text(arguments) });
        let signature = signature.map(Delta::Signature);
        out.extend(signature.map(|delta| Event::Delta { index, delta }));
        out.push(Event::Close { index });
    }

    /// The open block of text or of thoughts: the one that is, or a new one. Signed thoughts are complete.
    fn opened(&mut self, thinking: bool, out: &mut Vec<Event>) -> Open {
        if let Some(open) = self.open.filter(|open| open.thinking == thinking && !open.signed) {
            return open;
        }
        let opening = if thinking { Opening::Thinking { id: None } } else { Opening::Text };
        let open = Open { index: self.open(opening, out), thinking, signed: false };
        if !thinking {
            self.offsets = Offsets::default();
        }
        self.open = Some(open);
        open
    }

    /// Opens a block, after the one before it is closed.
    fn open(&mut self, block: Opening, out: &mut Vec<Event>) -> u32 {
        self.close(out);
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { index, block });
        index
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.open.take().map(|open| Event::Close { index: open.index }));
    }
}
