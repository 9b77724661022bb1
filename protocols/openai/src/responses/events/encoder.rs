//! Events of an answer, written for a client.

use canon::{
    Asked, Block, Delta, Event, Kind, Losses, Opening, Sequence, Signature, Source, Stop, Thinking, ToolName,
    Usage, names,
};
use serde_json::{Value, json};

use super::{
    call::Call,
    message::Message,
    reasoning::Reasoning,
    wire::{Place, Wire, fields},
};
use crate::responses::{
    CALL_ID_LIMIT, MADE_THOUGHTS, OWN,
    answer::{Head, State, is_foreign, object},
    item,
};

/// Writes the events of one answer.
#[derive(Debug)]
pub struct Encoder {
    asked: Asked,
    row: Sequence,
    losses: Losses,
    wire: Wire,
    head: Option<Head>,
    /// The items that are complete.
    output: Vec<Value>,
    open: Option<Open>,
    /// A text or refusal that has begun and said nothing yet: it becomes a part when it says something.
    silent: Option<Opening>,
    usage: Option<Usage>,
    stop: Stop,
    /// That it ended, and the whole response where nothing is sent.
    last: Option<Value>,
}

/// The item that is being written.
#[derive(Debug)]
enum Open {
    Message(Message),
    Reasoning(Reasoning),
    Call(Call),
}

impl Encoder {
    /// Answers what was asked.
    #[must_use]
    pub fn new(asked: Asked) -> Self {
        Self {
            asked,
            row: Sequence::default(),
            losses: Losses::default(),
            wire: Wire::default(),
            head: None,
            output: Vec::new(),
            open: None,
            silent: None,
            usage: None,
            stop: Stop::End,
            last: None,
        }
    }

    /// The response with which a stream of these events would end.
    pub(in crate::responses) fn whole(asked: Asked, events: Vec<Event>) -> (Value, Losses) {
        let mut encoder = Self::new(asked);
        encoder.wire.quiet = true;
        let mut nothing = Vec::new();
        events.into_iter().for_each(|event| encoder.push(event, &mut nothing));
        encoder.end(&mut nothing);
        (encoder.last.unwrap_or_default(), encoder.losses)
    }

    /// Appends what `event` is on the wire.
    pub fn push(&mut self, event: Event, out: &mut Vec<u8>) {
        let mut row = std::mem::take(&mut self.row);
        row.push(event, &mut |event| self.take(event, out));
        self.row = row;
    }

    /// Ends a stream that failed, if it has not ended.
    pub fn fail(&mut self, code: &str, message: &str, out: &mut Vec<u8>) {
        if self.last.is_some() {
            return;
        }
        let head = self.started(out);
        let output = std::mem::take(&mut self.output);
        let response = object(&self.asked, &head, &State::Failed(code, message), output, self.usage);
        self.finish("response.failed", response, out);
    }

    /// What could not be said so far.
    #[must_use]
    pub const fn losses(&self) -> &Losses {
        &self.losses
    }

    fn take(&mut self, event: Event, out: &mut Vec<u8>) {
        if self.last.is_some() {
            return;
        }
        match event {
            Event::Start { id, model, created } => self.start(&id, model, created, out),
            Event::Open { block, .. } => self.open(block, out),
            Event::Delta { delta, .. } => self.delta(delta, out),
            Event::Close { .. } => self.close(out),
            Event::Usage(usage) => self.usage = Some(self.usage.unwrap_or_default().merged(usage)),
            Event::Stop { stop, sequence } => self.note_stop(stop, sequence.is_some()),
            Event::End => self.end(out),
        }
    }

    fn note_stop(&mut self, stop: Stop, met: bool) {
        if met {
            self.losses.dropped("stop_sequence");
        }
        if stop == Stop::Pause {
            self.losses.changed("finish_reason");
        }
        self.stop = stop;
    }

    fn start(&mut self, id: &str, model: String, created: Option<i64>, out: &mut Vec<u8>) {
        if self.head.is_some() {
            return;
        }
        let head = Head::new(&self.asked, id, model, created);
        if !self.wire.quiet {
            for kind in ["response.created", "response.in_progress"] {
                let response = object(&self.asked, &head, &State::InProgress, Vec::new(), None);
                self.wire.emit(kind, fields([("response", response)]), out);
            }
        }
        self.head = Some(head);
    }

    /// What the response says of itself; it begins now, if it has not begun.
    fn started(&mut self, out: &mut Vec<u8>) -> Head {
        self.start("", String::new(), None, out);
        self.head.clone().unwrap_or_default()
    }

    /// The place of the next item. `own` is its id, if it has a fitting one.
    fn place(&mut self, prefix: &str, own: Option<&str>, out: &mut Vec<u8>) -> Place {
        self.finish_item(true, out);
        let head = self.started(out);
        let output = self.output.len();
        let id = match own.filter(|own| own.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('_'))) {
            Some(own) => own.to_owned(),
            None => format!("{prefix}_{:016x}{output:04x}", names::hash(&head.id)),
        };
        Place { id, output }
    }

    fn open(&mut self, block: Opening, out: &mut Vec<u8>) {
        match block {
            Opening::Text | Opening::Refusal => self.silent = Some(block),
            Opening::Thinking { id } => self.think(id.as_deref(), out),
            Opening::ToolCall { id, name, namespace, custom } => self.call(&id, name, namespace, custom, out),
            Opening::Whole(block) => self.complete(*block, out),
        }
    }

    fn think(&mut self, id: Option<&str>, out: &mut Vec<u8>) {
        let mut place = self.place("rs", id, out);
        if id != Some(place.id.as_str()) {
            place.id = place.id.replacen("rs_", MADE_THOUGHTS, 1);
        }
        self.open = Some(Open::Reasoning(Reasoning::begin(place, &mut self.wire, out)));
    }

    fn call(&mut self, id: &str, name: String, namespace: Option<String>, custom: bool, out: &mut Vec<u8>) {
        let tool = match namespace {
            // The target knows the tool as the client does.
            Some(_) => ToolName { name, namespace, custom },
            None => {
                let tool = self.asked.tool(&name);
                ToolName { custom: custom || tool.custom, ..tool }
            }
        };
        let place = self.place(if tool.custom { "ctc" } else { "fc" }, None, out);
        let id = if id.is_empty() {
            let number = u32::try_from(place.output).unwrap_or(u32::MAX);
            names::made(self.head.as_ref().map_or("", |head| head.id.as_str()), number)
        } else {
            names::fitted(id, CALL_ID_LIMIT).into_owned()
        };
        let wrapped = tool.custom && !custom;
        self.open = Some(Open::Call(Call::begin(place, id, tool, wrapped, &mut self.wire, out)));
    }

    /// The message that takes the next part.
    fn message(&mut self, out: &mut Vec<u8>) -> Message {
        match self.open.take() {
            Some(Open::Message(message)) => message,
            other => {
                self.open = other;
                let place = self.place("msg", None, out);
                Message::begin(place, &mut self.wire, out)
            }
        }
    }

    /// Begins the part that was opened, now that it says something.
    fn speak(&mut self, out: &mut Vec<u8>) {
        let Some(opening) = self.silent.take() else { return };
        let mut message = self.message(out);
        message.begin_part(matches!(opening, Opening::Refusal), &mut self.wire, out);
        self.open = Some(Open::Message(message));
    }

    fn delta(&mut self, delta: Delta, out: &mut Vec<u8>) {
        if matches!(&delta, Delta::Text(text) if text.is_empty()) {
            return;
        }
        self.speak(out);
        let (losses, wire) = (&mut self.losses, &mut self.wire);
        match &mut self.open {
            Some(Open::Message(message)) => message.add(delta, losses, wire, out),
            Some(Open::Reasoning(reasoning)) => reasoning.add(delta, losses, wire, out),
            Some(Open::Call(call)) => call.add(delta, losses, wire, out),
            None => {}
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.silent.take().is_some() {
            return;
        }
        match &mut self.open {
            // The next block may be another part of it.
            Some(Open::Message(message)) => message.end_part(&mut self.wire, out),
            _ => self.finish_item(true, out),
        }
    }

    fn finish_item(&mut self, complete: bool, out: &mut Vec<u8>) {
        let item = match self.open.take() {
            None => return,
            Some(Open::Message(message)) => message.end(complete, &mut self.wire, out),
            Some(Open::Reasoning(reasoning)) => reasoning.end(&mut self.wire, out),
            Some(Open::Call(call)) => call.end(&mut self.wire, out),
        };
        self.output.push(item);
    }

    fn complete(&mut self, block: Block, out: &mut Vec<u8>) {
        match block.kind {
            Kind::Thinking(Thinking { id, text, signature, .. }) => {
                self.think(id.as_deref(), out);
                if !text.is_empty() {
                    self.delta(Delta::Text(text), out);
                }
                if let Some(signature) = signature.filter(|signature: &Signature| !signature.data.is_empty())
                {
                    self.delta(Delta::Signature(signature), out);
                }
            }
            Kind::Opaque { dialect, value } if dialect == OWN => {
                if block.rest.hinted(OWN, item::hint::PART).is_some() {
                    let mut message = self.message(out);
                    message.whole_part(value, &mut self.wire, out);
                    self.open = Some(Open::Message(message));
                } else {
                    self.whole_item(value, out);
                }
            }
            Kind::Opaque { value, .. } => self.losses.dropped(&format!("content.{}", names::kind_of(&value))),
            Kind::Image(media) => match media.source {
                Source::Base64(data) => self.picture(&data, out),
                _ => self.losses.dropped("image"),
            },
            Kind::Audio(_) => self.losses.dropped("audio"),
            Kind::Video(_) => self.losses.dropped("video"),
            Kind::File(_) => self.losses.dropped("file"),
            Kind::ToolResult(_) => self.losses.dropped("content.tool_result"),
            // These are opened in other ways.
            Kind::Text { .. } | Kind::Refusal(_) | Kind::ToolCall(_) => {}
        }
    }

    /// A picture is what the built-in tool for pictures would have made.
    fn picture(&mut self, data: &str, out: &mut Vec<u8>) {
        let place = self.place("ig", None, out);
        let item =
            json!({ "id": place.id, "type": "image_generation_call", "status": "completed", "result": data });
        self.put(&place, item, out);
    }

    fn whole_item(&mut self, item: Value, out: &mut Vec<u8>) {
        let place = self.place("item", None, out);
        self.put(&place, item, out);
    }

    fn put(&mut self, place: &Place, item: Value, out: &mut Vec<u8>) {
        place.added(item.clone(), &mut self.wire, out);
        place.done(item.clone(), &mut self.wire, out);
        self.output.push(item);
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        if self.last.is_some() {
            return;
        }
        if is_foreign(&self.stop) {
            self.losses.changed("finish_reason");
        }
        let cut = matches!(self.stop, Stop::MaxTokens | Stop::ContextFull | Stop::Other(_))
            && !is_foreign(&self.stop);
        self.finish_item(!cut, out);
        let head = self.started(out);
        let output = std::mem::take(&mut self.output);
        let response = object(&self.asked, &head, &State::Ended(&self.stop), output, self.usage);
        let complete = response.get("status").and_then(Value::as_str) == Some("completed");
        let kind = if complete { "response.completed" } else { "response.incomplete" };
        self.finish(kind, response, out);
    }

    /// Sends the last event, or keeps what it would say where nothing is sent.
    fn finish(&mut self, kind: &str, response: Value, out: &mut Vec<u8>) {
        self.last = Some(Value::Null);
        if self.wire.quiet {
            self.last = Some(response);
        } else {
            self.wire.emit(kind, fields([("response", response)]), out);
        }
    }
}
