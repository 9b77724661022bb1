//! A streamed answer for a client: canonical events to chunks.

use canon::{Asked, Block, Delta, Event, Kind, Losses, Opening, Source, Thinking, Usage, names};
use serde::Serialize;
use serde_json::{Map, Value};

use super::ids;
use super::written::{
    Arguments, ArgumentsText, Begin, Calls, Choice, Chunk, Content, Input, InputText, Logprobs, Reasoning,
    Refusal,
};
use crate::chat::kept::{CHAT, object, restore};
use crate::chat::{DONE, calls, citation, finish, media, thinking};
use crate::usage;

/// Writes the events of a stream.
#[derive(Debug)]
pub struct Encoder {
    asked: Asked,
    losses: Losses,
    id: String,
    model: String,
    created: i64,
    begun: bool,
    /// The blocks so far, by their index.
    blocks: Vec<Slot>,
    /// How many calls and how many details of thoughts there are.
    calls: u32,
    details: u32,
    /// How many characters of text went out.
    characters: u64,
    usage: Option<Usage>,
    finished: bool,
}

/// What must be known of a block while it is open.
#[derive(Debug)]
enum Slot {
    Text {
        from: u64,
    },
    /// The thoughts, which are told again beside their signature.
    Thinking {
        text: String,
    },
    Refusal,
    Call {
        at: u32,
        custom: bool,
    },
    /// A custom tool whose text comes wrapped, and is told when all of it is there.
    Wrapped {
        at: u32,
        arguments: String,
    },
    Done,
}

impl Encoder {
    /// An encoder of the answer to this request.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self {
            losses: Losses::default(),
            id: ids::answer(String::new(), &asked),
            model: asked.model.clone(),
            created: asked.now,
            begun: false,
            blocks: Vec::new(),
            calls: 0,
            details: 0,
            characters: 0,
            usage: None,
            finished: false,
            asked,
        }
    }

    /// What could not be said so far.
    #[must_use]
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Takes an event, and appends what it is on the wire.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        match event {
            Event::Start { id, model, created } => {
                self.id = ids::answer(id, &self.asked);
                if !model.is_empty() {
                    self.model = model;
                }
                self.created = created.unwrap_or(self.created);
                self.begin(out);
            }
            Event::Open { block, .. } => {
                self.begin(out);
                let slot = self.open(block, out);
                self.blocks.push(slot);
            }
            Event::Delta { index, delta } => self.delta(index, delta, out),
            Event::Close { index } => self.close(index, out),
            Event::Usage(usage) => self.usage = Some(self.usage.unwrap_or_default().merged(usage)),
            Event::Stop { stop, sequence } => {
                if sequence.is_some() {
                    self.losses.dropped("stop_sequence");
                }
                if finish::is_lost(&stop) {
                    self.losses.changed("finish_reason");
                }
                self.finish(finish::word(&stop, self.calls > 0), out);
            }
            Event::End => self.end(out),
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            self.say(Begin { role: "assistant", content: "" }, out);
        }
    }

    fn say<D: Serialize>(&self, delta: D, out: &mut Vec<u8>) {
        self.chunk(Choice { index: 0, delta, logprobs: None, finish_reason: None }, out);
    }

    fn chunk<D: Serialize>(&self, choice: Choice<'_, D>, out: &mut Vec<u8>) {
        self.write(&[choice], None, out);
    }

    fn write<D: Serialize>(
        &self,
        choices: &[Choice<'_, D>],
        usage: Option<usage::Written>,
        out: &mut Vec<u8>,
    ) {
        let (id, model) = (self.id.as_str(), self.model.as_str());
        let object = "chat.completion.chunk";
        let chunk = Chunk { id, object, created: self.created, model, choices, usage };
        let before = out.len();
        out.extend_from_slice(b"data: ");
        if serde_json::to_writer(&mut *out, &chunk).is_err() {
            // Nothing here can fail to serialise; half an event would be worse than none.
            out.truncate(before);
            return;
        }
        out.extend_from_slice(b"\n\n");
    }

    fn open(&mut self, opening: Opening, out: &mut Vec<u8>) -> Slot {
        match opening {
            Opening::Text => Slot::Text { from: self.characters },
            Opening::Thinking { .. } => Slot::Thinking { text: String::new() },
            Opening::Refusal => Slot::Refusal,
            Opening::ToolCall { id, name, custom, .. } => self.open_call(id, &name, custom, out),
            Opening::Whole(block) => {
                self.whole(*block, out);
                Slot::Done
            }
        }
    }

    fn open_call(&mut self, id: String, name: &str, custom: bool, out: &mut Vec<u8>) -> Slot {
        let at = self.calls;
        self.calls += 1;
        let tool = self.asked.tool(name);
        let wrapped = tool.custom && !custom;
        let id = if id.is_empty() { names::made(&self.asked.id, at) } else { id };
        let mut call = object([("index", at.into())]);
        call.extend(calls::write(&id, &tool.name, "", custom || wrapped, None));
        self.say(Calls { tool_calls: [call] }, out);
        if wrapped { Slot::Wrapped { at, arguments: String::new() } } else { Slot::Call { at, custom } }
    }

    fn delta(&mut self, index: u32, delta: Delta, out: &mut Vec<u8>) {
        let Some(slot) = self.blocks.get_mut(index as usize) else { return };
        match (slot, delta) {
            (Slot::Text { .. }, Delta::Text(text)) => {
                self.characters += text.chars().count() as u64;
                self.say(Content { content: &text }, out);
            }
            (Slot::Thinking { text }, Delta::Text(more)) => {
                text.push_str(&more);
                self.say(Reasoning { reasoning_content: &more }, out);
            }
            (Slot::Refusal, Delta::Text(text)) => self.say(Refusal { refusal: &text }, out),
            (&mut Slot::Call { at, custom }, Delta::Text(text)) => self.arguments(at, custom, &text, out),
            (Slot::Wrapped { arguments, .. }, Delta::Text(more)) => arguments.push_str(&more),
            (Slot::Thinking { text }, Delta::Signature(signature)) => {
                let text = std::mem::take(text);
                let thinking = Thinking { text, signature: Some(signature), ..Thinking::default() };
                self.detail(&thinking, out);
            }
            (&mut (Slot::Call { at, .. } | Slot::Wrapped { at, .. }), Delta::Signature(signature)) => {
                let extra = calls::extra(signature.written());
                // SDKs insist on a function in every piece of a call.
                let function = object([("arguments", "".into())]);
                let call = object([
                    ("index", at.into()),
                    ("function", function.into()),
                    ("extra_content", extra.into()),
                ]);
                self.say(Calls { tool_calls: [call] }, out);
            }
            (&mut Slot::Text { from }, Delta::Citation(citation)) => {
                match citation::write(citation, from, self.characters) {
                    Some(annotation) => {
                        let list = Value::Array(vec![annotation]);
                        self.say(object([("annotations", list)]), out);
                    }
                    None => self.losses.dropped("citations"),
                }
            }
            (_, Delta::Logprobs(content)) => {
                let logprobs = Some(Logprobs { content, refusal: None });
                let delta = Content { content: "" };
                self.chunk(Choice { index: 0, delta, logprobs, finish_reason: None }, out);
            }
            _ => {}
        }
    }

    fn arguments(&self, index: u32, custom: bool, text: &str, out: &mut Vec<u8>) {
        if custom {
            self.say(Calls { tool_calls: [Input { index, custom: InputText { input: text } }] }, out);
        } else {
            let function = ArgumentsText { arguments: text };
            self.say(Calls { tool_calls: [Arguments { index, function }] }, out);
        }
    }

    fn close(&mut self, index: u32, out: &mut Vec<u8>) {
        let Some(slot) = self.blocks.get_mut(index as usize) else { return };
        if let Slot::Wrapped { at, arguments } = std::mem::replace(slot, Slot::Done) {
            self.arguments(at, true, &calls::unwrapped(arguments), out);
        }
    }

    /// Thoughts with their signature, so that a client that sends its messages back sends both.
    fn detail(&mut self, thinking: &Thinking, out: &mut Vec<u8>) {
        let signature = thinking.signature.as_ref().map(canon::Signature::written);
        let index = self.details;
        self.details += 1;
        let details = thinking::entry_of(thinking, signature, index);
        self.say(object([("reasoning_details", Value::Array(vec![details]))]), out);
    }

    fn whole(&mut self, block: Block, out: &mut Vec<u8>) {
        match block.kind {
            Kind::Thinking(thinking) => self.detail(&thinking, out),
            Kind::Text { text, .. } => {
                self.characters += text.chars().count() as u64;
                self.say(Content { content: &text }, out);
            }
            Kind::Refusal(text) => self.say(Refusal { refusal: &text }, out),
            Kind::Image(_) => {
                if let Some(mut part) = media::write(&block, true, &mut self.losses) {
                    restore(&block.rest, &mut part, &mut self.losses);
                    self.say(object([("images", Value::Array(vec![part.into()]))]), out);
                }
            }
            Kind::Audio(media) => match media.source {
                Source::Base64(data) => {
                    let mut audio = object([("data", data.into())]);
                    restore(&block.rest, &mut audio, &mut self.losses);
                    self.say(object([("audio", audio.into())]), out);
                }
                _ => self.losses.dropped("audio"),
            },
            Kind::ToolCall(call) => {
                let slot = self.open_call(call.id, &call.name, call.custom, out);
                match slot {
                    Slot::Wrapped { at, .. } => {
                        self.arguments(at, true, &calls::unwrapped(call.arguments), out);
                    }
                    Slot::Call { at, custom } => self.arguments(at, custom, &call.arguments, out),
                    _ => {}
                }
            }
            Kind::File(_) => self.losses.dropped("file"),
            Kind::Video(_) => self.losses.dropped("video"),
            Kind::ToolResult(_) => self.losses.dropped("content.tool_result"),
            Kind::Opaque { dialect: CHAT, value } => {
                // A part of a content that is a list.
                self.say(object([("content", Value::Array(vec![value]))]), out);
            }
            Kind::Opaque { value, .. } => {
                let kind = names::kind_of(&value);
                self.losses.dropped(&format!("content.{kind}"));
            }
        }
    }

    fn finish(&mut self, word: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.begin(out);
        let delta = Map::<String, Value>::new();
        self.chunk(Choice { index: 0, delta, logprobs: None, finish_reason: Some(word) }, out);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.finish(if self.calls > 0 { "tool_calls" } else { "stop" }, out);
        if let Some(usage) = self.usage.take().filter(|_| self.asked.include_usage) {
            self.write::<()>(&[], Some(usage::write(&usage)), out);
        }
        out.extend_from_slice(DONE);
    }
}
