//! Events of a provider, read.

use std::collections::{BTreeMap, HashMap};

use canon::{AnswerError, Delta, Event, Fields, sse};
use serde_json::Value;

use super::item_state::{Blocks, ItemState};
use crate::{
    fault,
    responses::{answer::stop_of, item, usage},
};

/// Reads the events of one answer.
#[derive(Debug, Default)]
pub struct Decoder {
    started: bool,
    ended: bool,
    blocks: Blocks,
    /// The items by their number in the output.
    items: BTreeMap<u64, ItemState>,
    /// Their numbers by their ids, for events that name the item only.
    numbers: HashMap<String, u64>,
    /// The item that was spoken of last, for events that name none.
    last: u64,
}

impl Decoder {
    /// Reads one event, blank line included or not.
    ///
    /// # Errors
    /// When it is not JSON, or reports an error.
    pub fn push(&mut self, event: &[u8], out: &mut Vec<Event>) -> Result<(), AnswerError> {
        let Some(data) = sse::data(event) else { return Ok(()) };
        let data = data.trim_ascii();
        if data.is_empty() || data == b"[DONE]" || self.ended {
            return Ok(());
        }
        let mut fields = Fields::parse(data).map_err(|_| AnswerError::Garbage)?;
        let kind = fields.string("type").ok().flatten().unwrap_or_default();
        match kind.as_str() {
            "error" => return Err(AnswerError::Reported(fault::message_of(data))),
            "response.failed" => {
                let response = fields.peek("response").map(Value::to_string).unwrap_or_default();
                return Err(AnswerError::Reported(fault::message_of(response.as_bytes())));
            }
            "" if fields.peek("error").is_some_and(|error| !error.is_null()) => {
                return Err(AnswerError::Reported(fault::message_of(data)));
            }
            "response.completed" | "response.incomplete" => self.end(&kind, &mut fields, out)?,
            "response.created" | "response.in_progress" | "response.queued" => {
                self.start(fields.peek("response"), out);
            }
            kind if kind.starts_with("response.") => self.part_of_item(kind, fields, out),
            _ => {}
        }
        Ok(())
    }

    /// The stream ended.
    ///
    /// # Errors
    /// When the answer had not ended: it was cut.
    pub fn finish(&mut self, _: &mut Vec<Event>) -> Result<(), AnswerError> {
        if self.ended { Ok(()) } else { Err(AnswerError::Empty) }
    }

    fn start(&mut self, response: Option<&Value>, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let text = |name: &str| response.and_then(|response| response.get(name)?.as_str());
        let created = response.and_then(|response| response.get("created_at")?.as_f64());
        out.push(Event::Start {
            id: text("id").unwrap_or_default().to_owned(),
            model: text("model").unwrap_or_default().to_owned(),
            created: created.map(seconds),
        });
    }

    /// The number of the item that an event is about.
    fn number(&mut self, fields: &Fields) -> u64 {
        let id = fields.peek_str("item_id").or_else(|| fields.peek("item")?.get("id")?.as_str());
        let known = || id.and_then(|id| self.numbers.get(id)).copied();
        let number = fields.peek("output_index").and_then(Value::as_u64).or_else(known);
        let number = number.unwrap_or(self.last);
        if let Some(id) = id.filter(|id| !self.numbers.contains_key(*id)) {
            self.numbers.insert(id.to_owned(), number);
        }
        self.last = number;
        number
    }

    fn part_of_item(&mut self, kind: &str, mut fields: Fields, out: &mut Vec<Event>) {
        self.start(None, out);
        let number = self.number(&fields);
        let at = |name: &str| fields.peek(name).and_then(Value::as_u64).unwrap_or(0);
        let (part, summary) = (at("content_index"), at("summary_index"));
        let item = self.items.entry(number).or_default();
        let blocks = &mut self.blocks;
        let mut text = |name: &str| fields.string(name).ok().flatten().unwrap_or_default();
        match kind {
            "response.output_text.delta" => {
                let more = text("delta");
                if !more.is_empty() {
                    item.say(part, false, Delta::Text(more), blocks, out);
                }
                let logprobs = fields.list("logprobs").ok().flatten().unwrap_or_default();
                if !logprobs.is_empty() {
                    item.say(part, false, Delta::Logprobs(logprobs), blocks, out);
                }
            }
            "response.refusal.delta" => {
                let more = text("delta");
                if !more.is_empty() {
                    item.say(part, true, Delta::Text(more), blocks, out);
                }
            }
            "response.output_text.annotation.added" => {
                if let Some(Value::Object(map)) = fields.take("annotation") {
                    item.say(part, false, Delta::Citation(item::citation(map)), blocks, out);
                }
            }
            "response.output_text.done" => item.said(part, false, text("text"), blocks, out),
            "response.refusal.done" => item.said(part, true, text("refusal"), blocks, out),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                item.argue(text("delta"), false, out);
            }
            "response.function_call_arguments.done" => item.argue(text("arguments"), true, out),
            "response.custom_tool_call_input.done" => item.argue(text("input"), true, out),
            "response.reasoning_summary_text.delta" => {
                item.think(text("delta"), (true, summary), false, blocks, out);
            }
            "response.reasoning_summary_text.done" => {
                item.think(text("text"), (true, summary), true, blocks, out);
            }
            "response.reasoning_text.delta" => item.think(text("delta"), (false, part), false, blocks, out),
            "response.reasoning_text.done" => item.think(text("text"), (false, part), true, blocks, out),
            "response.output_item.added" => {
                if let Some(value) = fields.peek("item") {
                    item.added(value, blocks, out);
                }
            }
            "response.content_part.done" => {
                if let Some(value) = fields.take("part") {
                    item.part_done(part, value, blocks, out);
                }
            }
            "response.output_item.done" => {
                if let Some(value) = fields.take("item") {
                    item.complete(value, blocks, out);
                }
            }
            // Progress of built-in tools: their items tell it all when they are complete.
            _ => {}
        }
    }

    fn end(&mut self, kind: &str, fields: &mut Fields, out: &mut Vec<Event>) -> Result<(), AnswerError> {
        let mut response = fields.take("response").unwrap_or_default();
        if response.get("error").is_some_and(|error| !error.is_null()) {
            return Err(AnswerError::Reported(fault::message_of(response.to_string().as_bytes())));
        }
        self.start(Some(&response), out);
        if let Some(Value::Array(output)) = response.get_mut("output").map(Value::take) {
            self.complete(output, out);
        }
        self.items.values_mut().for_each(|item| item.close(out));
        out.extend(response.get("usage").and_then(usage::of).map(Event::Usage));
        let incomplete = (kind == "response.incomplete").then_some("incomplete");
        let status = response.get("status").and_then(Value::as_str).or(incomplete);
        let reason = response.get("incomplete_details").and_then(|details| details.get("reason")?.as_str());
        let stop = stop_of(incomplete.or(status), reason, self.blocks.calls, self.blocks.declines);
        out.push(Event::Stop { stop, sequence: None });
        out.push(Event::End);
        self.ended = true;
        Ok(())
    }

    /// Takes from the whole output what was not told before.
    fn complete(&mut self, output: Vec<Value>, out: &mut Vec<Event>) {
        let total = output.len();
        for (at, value) in (0..).zip(output) {
            let id = value.get("id").and_then(Value::as_str);
            let number = id.and_then(|id| self.numbers.get(id)).copied().unwrap_or(at);
            // Providers count in their own ways: if as many items were told as there are, none is missing.
            if self.items.contains_key(&number) || self.items.len() < total {
                self.items.entry(number).or_default().complete(value, &mut self.blocks, out);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "some providers write times with a fraction, which says nothing"
)]
const fn seconds(time: f64) -> i64 {
    time as i64
}
