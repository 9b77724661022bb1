//! One output item of a stream: which blocks it opened, and what was sent of them. Providers leave events out and
//! say things twice; what is missing is taken from the next event that holds the whole.

use std::collections::BTreeMap;

use canon::{Block, Delta, Event, Fields, Kind, Opening, Signature};
use serde_json::Value;

use crate::responses::{OWN, item};

/// Numbers blocks as they open.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    next: u32,
    /// Whether a tool was called, and whether the model declined.
    pub(super) calls: bool,
    pub(super) declines: bool,
}

impl Blocks {
    fn open(&mut self, block: Opening, out: &mut Vec<Event>) -> Sent {
        self.calls |= matches!(block, Opening::ToolCall { .. });
        self.declines |= matches!(block, Opening::Refusal);
        let index = self.next;
        self.next += 1;
        out.push(Event::Open { index, block });
        Sent { index, text: false, citations: 0, open: true }
    }
}

/// What was sent of a block.
#[derive(Debug, Clone, Copy)]
struct Sent {
    index: u32,
    text: bool,
    citations: usize,
    open: bool,
}

impl Sent {
    fn delta(&mut self, delta: Delta, out: &mut Vec<Event>) {
        if self.open {
            self.text |= matches!(delta, Delta::Text(_));
            self.citations += usize::from(matches!(delta, Delta::Citation(_)));
            out.push(Event::Delta { index: self.index, delta });
        }
    }

    /// Sends a text, unless it is empty.
    fn text(&mut self, text: String, out: &mut Vec<Event>) {
        if !text.is_empty() {
            self.delta(Delta::Text(text), out);
        }
    }

    fn close(&mut self, out: &mut Vec<Event>) {
        if std::mem::take(&mut self.open) {
            out.push(Event::Close { index: self.index });
        }
    }
}

/// What is known of an item.
#[derive(Debug, Default)]
pub(super) struct ItemState {
    /// The parts of a message that said something, by their number.
    parts: BTreeMap<u64, Sent>,
    /// The call or the thoughts, if it is one of those.
    whole: Option<Sent>,
    /// Whether thoughts come as a summary, and which part of it came last.
    summary: Option<(bool, u64)>,
    /// Whether it is complete.
    done: bool,
}

impl ItemState {
    /// The item is there.
    pub(super) fn added(&mut self, item: &Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        if self.whole.is_some() || self.done {
            return;
        }
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        self.whole = match item::kind_of(item) {
            kind @ ("function_call" | "custom_tool_call") => {
                // Without a name it cannot be opened; the complete item will have one.
                let Some(name) = text("name").filter(|name| !name.is_empty()) else { return };
                let id = text("call_id").or_else(|| text("id")).unwrap_or_default();
                let custom = kind == "custom_tool_call";
                Some(blocks.open(Opening::ToolCall { id, name, namespace: text("namespace"), custom }, out))
            }
            "reasoning" => Some(blocks.open(Opening::Thinking { id: text("id") }, out)),
            _ => None,
        };
    }

    fn part(&mut self, number: u64, refusal: bool, blocks: &mut Blocks, out: &mut Vec<Event>) -> &mut Sent {
        let opening = if refusal { Opening::Refusal } else { Opening::Text };
        self.parts.entry(number).or_insert_with(|| blocks.open(opening, out))
    }

    /// More of a part of a message.
    pub(super) fn say(
        &mut self,
        number: u64,
        refusal: bool,
        delta: Delta,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) {
        if !self.done {
            self.part(number, refusal, blocks, out).delta(delta, out);
        }
    }

    /// The whole text of a part of a message.
    pub(super) fn said(
        &mut self,
        number: u64,
        refusal: bool,
        text: String,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) {
        if text.is_empty() || self.done {
            return;
        }
        let sent = self.part(number, refusal, blocks, out);
        if !sent.text {
            sent.text(text, out);
        }
    }

    /// A part of a message is complete.
    pub(super) fn part_done(&mut self, number: u64, part: Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        if self.done {
            return;
        }
        let Value::Object(map) = part else { return };
        let mut fields = Fields::new(map);
        let refusal = match fields.peek_str("type") {
            Some("output_text" | "text" | "input_text") => false,
            Some("refusal") => true,
            // Thoughts are parts, too, and were told in their own events.
            _ => return,
        };
        let text = fields.string(if refusal { "refusal" } else { "text" }).ok().flatten().unwrap_or_default();
        self.said(number, refusal, text, blocks, out);
        let Some(sent) = self.parts.get_mut(&number) else { return };
        let annotations = fields.list("annotations").ok().flatten().unwrap_or_default();
        for annotation in annotations.into_iter().skip(sent.citations) {
            if let Value::Object(map) = annotation {
                sent.delta(Delta::Citation(item::citation(map)), out);
            }
        }
        sent.close(out);
    }

    /// More of the arguments of a call, or all of them.
    pub(super) fn argue(&mut self, text: String, all: bool, out: &mut Vec<Event>) {
        if let Some(sent) = &mut self.whole
            && !(all && sent.text)
        {
            sent.text(text, out);
        }
    }

    /// More of the thoughts: of one part of the summary, or of the content. The other of the two is passed over. `all`
    /// says that it is the whole part.
    pub(super) fn think(
        &mut self,
        text: String,
        place: (bool, u64),
        all: bool,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) {
        let last = self.summary;
        let other_kind = last.is_some_and(|(kind, _)| kind != place.0);
        if self.done || text.is_empty() || other_kind || (all && last.is_some_and(|last| last.1 >= place.1)) {
            return;
        }
        let opening = Opening::Thinking { id: None };
        let sent = self.whole.get_or_insert_with(|| blocks.open(opening, out));
        if last.is_some_and(|last| last.1 < place.1) {
            sent.text(item::BETWEEN.to_owned(), out);
        }
        self.summary = Some(place);
        sent.text(text, out);
    }

    /// The item is complete, and this is all of it.
    pub(super) fn complete(&mut self, value: Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        if self.done {
            return;
        }
        match item::kind_of(&value) {
            "message" => self.complete_message(value, blocks, out),
            "function_call" | "custom_tool_call" => self.complete_call(value, blocks, out),
            "reasoning" => self.complete_thoughts(&value, blocks, out),
            _ => {
                let block = Block::new(Kind::Opaque { dialect: OWN, value });
                blocks.open(Opening::Whole(Box::new(block)), out).close(out);
            }
        }
        self.close(out);
    }

    fn complete_message(&mut self, mut value: Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        let content = value.get_mut("content").map(Value::take);
        match content {
            Some(Value::Array(parts)) => {
                for (number, part) in (0..).zip(parts) {
                    self.part_done(number, part, blocks, out);
                }
            }
            Some(Value::String(text)) => self.said(0, false, text, blocks, out),
            _ => {}
        }
    }

    fn complete_call(&mut self, mut value: Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        self.added(&value, blocks, out);
        for name in ["arguments", "input"] {
            if let Some(Value::String(text)) = value.get_mut(name).map(Value::take) {
                self.argue(text, true, out);
            }
        }
    }

    fn complete_thoughts(&mut self, value: &Value, blocks: &mut Blocks, out: &mut Vec<Event>) {
        self.added(value, blocks, out);
        let Some(sent) = &mut self.whole else { return };
        if !sent.text {
            let summary = item::texts(value.get("summary"));
            let thoughts = if summary.is_empty() { item::texts(value.get("content")) } else { summary };
            sent.text(thoughts, out);
        }
        if let Some(data) = value.get("encrypted_content").and_then(Value::as_str) {
            let signature = Signature { data: data.to_owned(), maker: None };
            sent.delta(Delta::Signature(signature), out);
        }
    }

    /// Closes what is open.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        self.parts.values_mut().chain(self.whole.as_mut()).for_each(|sent| sent.close(out));
        self.done = true;
    }
}
