//! The system prompt and the messages, in the order that the API demands: the user first, roles in turn, and the
//! results of tools at the beginning of the message behind their calls.

use canon::{Block, Dialect, Message, Role, Turn};
use serde_json::{Map, Value, json};

use super::{
    Writer,
    blocks::{only_text, plain_text},
    object,
};
use crate::messages::tool_loop;

/// What the user says where a conversation begins with the model, or holds nothing but a system prompt.
const PRELUDE: &str = "Continue.";

impl Writer<'_> {
    pub(super) fn system(&mut self, turn: &Turn, blocks: &[&Block]) -> Option<Value> {
        let mut content: Vec<Value> =
            blocks.iter().filter_map(|block| self.block(block, Role::System)).collect();
        match turn.rest.hinted(Dialect::Messages, "$system").and_then(Value::as_str) {
            Some("string") if content.is_empty() => Some("".into()),
            Some("string") if plain_text(&content) => only_text(&mut content).map(|(_, text)| text),
            Some(_) => Some(Value::Array(content)),
            None if !self.native && plain_text(&content) => only_text(&mut content).map(|(_, text)| text),
            None => (!content.is_empty()).then_some(Value::Array(content)),
        }
    }

    pub(super) fn messages(&mut self, messages: &[Message]) -> Vec<Value> {
        if self.native {
            return messages.iter().filter_map(|message| self.as_it_was(message)).collect();
        }
        let mut row = Row::default();
        for message in messages {
            message.rest.lost(&mut self.losses);
            let (name, role) = match message.role {
                Role::Assistant => ("assistant", Role::Assistant),
                Role::User => ("user", Role::User),
                Role::System | Role::Developer => {
                    self.losses.changed("role");
                    ("user", Role::User)
                }
            };
            row.add(name, self.blocks(&message.blocks, role));
        }
        if row.messages.first().is_none_or(|(role, _)| *role != "user") {
            self.losses.changed("messages");
            row.messages.insert(0, ("user", vec![json!({"type": "text", "text": PRELUDE})]));
        }
        row.finish()
    }

    /// A message that came in this dialect. One that holds nothing any more is none.
    fn as_it_was(&mut self, message: &Message) -> Option<Value> {
        let role = match message.role {
            Role::Assistant => "assistant",
            Role::User => "user",
            Role::System | Role::Developer => "system",
        };
        let mut content = self.blocks(&message.blocks, message.role);
        if content.is_empty() && !message.blocks.is_empty() {
            return None;
        }
        let hint = message.rest.hinted(Dialect::Messages, "$content").and_then(Value::as_str);
        let mut written = object([("role", role.into())]);
        if hint == Some("string") && content.is_empty() {
            written.insert("content".to_owned(), "".into());
        } else if hint == Some("string") && plain_text(&content) {
            written.extend(only_text(&mut content));
        } else {
            written.insert("content".to_owned(), Value::Array(content));
        }
        message.rest.write(Dialect::Messages, &mut written, &mut self.losses);
        Some(Value::Object(written))
    }
}

/// Messages whose roles take turns.
#[derive(Default)]
struct Row {
    messages: Vec<(&'static str, Vec<Value>)>,
}

impl Row {
    fn add(&mut self, role: &'static str, content: Vec<Value>) {
        match self.messages.last_mut() {
            _ if content.is_empty() => {}
            Some((last, blocks)) if *last == role => blocks.extend(content),
            _ => self.messages.push((role, content)),
        }
    }

    fn finish(mut self) -> Vec<Value> {
        self.trim_the_last();
        self.messages.into_iter().map(|(role, content)| finished(role, content)).collect()
    }

    /// Where the model is to go on from its own words, they must end neither in thoughts nor in white space.
    fn trim_the_last(&mut self) {
        let Some(("assistant", content)) = self.messages.last_mut() else { return };
        while content.pop_if(|block| tool_loop::is_thought(block)).is_some() {}
        if let Some(Value::String(text)) = content.last_mut().and_then(|block| block.get_mut("text")) {
            text.truncate(text.trim_end().len());
            if text.is_empty() {
                content.pop();
            }
        }
        if content.is_empty() {
            self.messages.pop();
        }
    }
}

fn finished(role: &'static str, content: Vec<Value>) -> Value {
    let mut content = results_first(content);
    let mut written: Map<String, Value> = object([("role", role.into())]);
    if plain_text(&content) {
        written.extend(only_text(&mut content));
    } else {
        written.insert("content".to_owned(), Value::Array(content));
    }
    Value::Object(written)
}

/// The blocks with the results of tools in front, each part in its order.
fn results_first(content: Vec<Value>) -> Vec<Value> {
    let (mut results, others): (Vec<Value>, Vec<Value>) =
        content.into_iter().partition(|block| tool_loop::kind(block) == "tool_result");
    results.extend(others);
    results
}
