//! A streamed answer of a provider: its chunks to canonical events.

use canon::{
    AnswerError, Block, Delta as More, Event, Kind, Media, Opening, Rest, Signature, Source, Stop, Thinking,
    sse,
};
use serde_json::{Map, Value};

use super::chunk::{Choice, Chunk, Delta, index, list, text};
use super::decode::{of_image, of_part};
use super::open_calls::OpenCalls;
use super::think::{Part, Splitter};
use crate::chat::kept::CHAT;
use crate::chat::{citation, finish, thinking};
use crate::{fault, usage};

/// Reads the events of a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    id: String,
    started: bool,
    /// The index of the next block.
    next: u32,
    /// The text, the thoughts or the refusal that are being told.
    current: Option<(u32, Telling)>,
    splitter: Splitter,
    calls: OpenCalls,
    /// Whether tools were called at all.
    called: bool,
    /// Whether thoughts came as plain text: then the details only repeat them.
    plain: bool,
    audio: Option<(String, Map<String, Value>)>,
    /// Why the answer ends, once that was said.
    reason: Option<String>,
    /// Whether the last word on that went out.
    stopped: bool,
    ended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Text,
    Thoughts,
    /// Thoughts that are signed: more of them are others.
    Signed,
    Refusal,
}

impl Decoder {
    /// Takes one event of the stream.
    ///
    /// # Errors
    /// When it is an error, or nothing that this dialect knows.
    pub fn push(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), AnswerError> {
        let Some(data) = sse::data(event) else { return Ok(()) };
        let data = data.trim_ascii();
        if data.is_empty() || self.ended {
            return Ok(());
        }
        if data == b"[DONE]" {
            self.end(out);
            return Ok(());
        }
        let chunk: Chunk<'_> = serde_json::from_slice(data).map_err(|_| AnswerError::Garbage)?;
        if let Some(error) = chunk.error.filter(|raw| raw.get() != "null") {
            return Err(AnswerError::Reported(fault::message_of(error.get().as_bytes())));
        }
        self.chunk(chunk, out);
        Ok(())
    }

    /// The stream is over.
    ///
    /// # Errors
    /// When it ended before it said why.
    pub fn finish(&mut self, out: &mut Vec<Event>) -> Result<(), AnswerError> {
        if !self.ended && self.reason.is_none() {
            return Err(AnswerError::Empty);
        }
        self.end(out);
        Ok(())
    }

    fn chunk(&mut self, mut chunk: Chunk<'_>, out: &mut Vec<Event>) {
        let choices = chunk.choices.take().unwrap_or_default();
        let named = chunk.id.as_str().is_some_and(|id| !id.is_empty());
        if !self.started && (named || !choices.is_empty()) {
            self.start(&mut chunk, out);
        }
        // Of several candidates only the first is read.
        let mut first = choices.into_iter().find(|choice| index(&choice.index).unwrap_or(0) == 0);
        let inner = first.as_mut().map(|choice| choice.usage.take());
        if let Some(choice) = first.filter(|_| !self.stopped) {
            self.choice(choice, out);
        }
        let inner = || usage::of_value(&inner?);
        if let Some(usage) = usage::read(chunk.usage).or_else(inner) {
            self.start(&mut chunk, out);
            out.push(Event::Usage(usage));
            // With both said there is nothing to wait for.
            if self.reason.is_some() {
                self.stop(out);
            }
        }
    }

    fn start(&mut self, chunk: &mut Chunk<'_>, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.id = text(chunk.id.take()).unwrap_or_default();
        let created = chunk.created.as_i64();
        let model = text(chunk.model.take()).unwrap_or_default();
        out.push(Event::Start { id: self.id.clone(), model, created });
    }

    fn choice(&mut self, choice: Choice, out: &mut Vec<Event>) {
        if let Some(delta) = choice.delta.or(choice.message) {
            self.delta(delta, out);
        }
        let mut logprobs = choice.logprobs;
        let logprobs = logprobs.get_mut("content").map(Value::take).map(list).unwrap_or_default();
        if !logprobs.is_empty() {
            let index = self.tell(Telling::Text, out);
            out.push(Event::Delta { index, delta: More::Logprobs(logprobs) });
        }
        if let Some(reason) = text(choice.finish_reason) {
            self.reason.get_or_insert(reason);
        }
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<Event>) {
        let plain = text(delta.reasoning_content).or_else(|| text(delta.reasoning));
        if let Some(thought) = plain {
            self.plain = true;
            self.thought(thought, out);
        }
        for detail in list(delta.reasoning_details) {
            self.detail(detail, out);
        }
        self.content(delta.content, out);
        for annotation in list(delta.annotations) {
            let index = self.tell(Telling::Text, out);
            out.push(Event::Delta { index, delta: More::Citation(citation::read(annotation)) });
        }
        if let Some(refusal) = text(delta.refusal) {
            let index = self.tell(Telling::Refusal, out);
            out.push(Event::Delta { index, delta: More::Text(refusal) });
        }
        for image in list(delta.images) {
            self.whole(of_image(image), out);
        }
        self.hear(delta.audio);
        self.call(delta.tool_calls, delta.function_call, out);
    }

    fn call(
        &mut self,
        calls: Option<Vec<super::chunk::Call>>,
        single: Option<super::chunk::Function>,
        out: &mut Vec<Event>,
    ) {
        let calls = calls.unwrap_or_default();
        if calls.is_empty() && single.is_none() {
            return;
        }
        self.settle(out);
        for call in calls {
            self.calls.push(call, &self.id, &mut self.next, out);
        }
        if let Some(single) = single {
            self.calls.push_single(single, &self.id, &mut self.next, out);
        }
        self.called |= self.calls.any();
    }

    fn content(&mut self, content: Value, out: &mut Vec<Event>) {
        match content {
            Value::String(text) if !text.is_empty() => {
                let mut splitter = std::mem::take(&mut self.splitter);
                splitter.push(text, &mut |part| self.part(part, out));
                self.splitter = splitter;
            }
            Value::Array(parts) => {
                for block in parts.iter().filter_map(of_part) {
                    match block.kind {
                        Kind::Text { text, .. } => self.part(Part::Text(text), out),
                        Kind::Thinking(thinking) => self.thought(thinking.text, out),
                        _ => self.whole(block, out),
                    }
                }
            }
            _ => {}
        }
    }

    fn part(&mut self, part: Part, out: &mut Vec<Event>) {
        match part {
            Part::Thought(text) => self.thought(text, out),
            Part::Text(text) => {
                let index = self.told(Telling::Text, out);
                out.push(Event::Delta { index, delta: More::Text(text) });
            }
        }
    }

    fn thought(&mut self, text: String, out: &mut Vec<Event>) {
        let index = self.told(Telling::Thoughts, out);
        out.push(Event::Delta { index, delta: More::Text(text) });
    }

    /// A piece of detailed thoughts: its text where there is no plain one, and its signature.
    fn detail(&mut self, entry: Value, out: &mut Vec<Event>) {
        let unmade = |wire: &str| Signature { data: wire.to_owned(), maker: None };
        let block = thinking::detail(entry, unmade);
        let Kind::Thinking(thinking) = block.kind else { return };
        if thinking.redacted {
            let rest = Rest::default();
            self.whole(Block { kind: Kind::Thinking(thinking), cache: None, rest }, out);
            return;
        }
        let Thinking { text, signature, .. } = thinking;
        if !self.plain && !text.is_empty() {
            self.thought(text, out);
        }
        if let Some(signature) = signature {
            let index = self.told(Telling::Thoughts, out);
            out.push(Event::Delta { index, delta: More::Signature(signature) });
            self.current = Some((index, Telling::Signed));
        }
    }

    /// The block that is told now, opened if another was. What the splitter holds comes first.
    fn tell(&mut self, what: Telling, out: &mut Vec<Event>) -> u32 {
        self.release(out);
        self.told(what, out)
    }

    fn told(&mut self, what: Telling, out: &mut Vec<Event>) -> u32 {
        match self.current {
            Some((index, telling)) if telling == what => return index,
            Some((index, _)) => out.push(Event::Close { index }),
            None => {}
        }
        let index = self.next;
        self.next += 1;
        self.current = Some((index, what));
        let block = match what {
            Telling::Text => Opening::Text,
            Telling::Thoughts | Telling::Signed => Opening::Thinking { id: None },
            Telling::Refusal => Opening::Refusal,
        };
        out.push(Event::Open { index, block });
        index
    }

    fn release(&mut self, out: &mut Vec<Event>) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.flush(&mut |part| self.part(part, out));
        self.splitter = splitter;
    }

    /// Closes what is being told.
    fn settle(&mut self, out: &mut Vec<Event>) {
        self.release(out);
        if let Some((index, _)) = self.current.take() {
            out.push(Event::Close { index });
        }
    }

    fn whole(&mut self, block: Block, out: &mut Vec<Event>) {
        self.settle(out);
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { index, block: Opening::Whole(Box::new(block)) });
        out.push(Event::Close { index });
    }

    /// Sound comes in pieces, and is one block when it is complete.
    fn hear(&mut self, audio: Value) {
        let Value::Object(mut fields) = audio else { return };
        let (data, rest) = self.audio.get_or_insert_default();
        if let Some(Value::String(more)) = fields.shift_remove("data") {
            data.push_str(&more);
        }
        for (name, value) in fields {
            match (rest.get_mut(&name), value) {
                (Some(Value::String(there)), Value::String(more)) if name == "transcript" => {
                    there.push_str(&more);
                }
                (_, value) => drop(rest.insert(name, value)),
            }
        }
    }

    fn stop(&mut self, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.stopped, true) {
            return;
        }
        self.settle(out);
        self.calls.close(out);
        if let Some((data, rest)) = self.audio.take() {
            let media = Media { mime: None, source: Source::Base64(data), name: None, detail: None };
            let kind = Kind::Audio(media);
            self.whole(Block { kind, cache: None, rest: Rest::new(CHAT, rest) }, out);
        }
        let stop = match &self.reason {
            Some(reason) => finish::read(reason, self.called),
            None if self.called => Stop::ToolUse,
            None => Stop::End,
        };
        out.push(Event::Stop { stop, sequence: None });
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start { id: String::new(), model: String::new(), created: None });
        }
        self.stop(out);
        out.push(Event::End);
    }
}
