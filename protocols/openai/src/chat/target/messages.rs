//! The messages of a request, in an order that this dialect allows: the reports of tools directly behind the calls.

use canon::{Block, Kind, Message, Role, ToolResult, Turn, names};
use serde_json::{Map, Value};

use super::Writer;
use crate::chat::kept::{CHAT, object, restore};

/// The longest id of a call that providers take.
const ID: usize = 64;

/// How long an id is where only one length is allowed.
const NINE: usize = 9;

pub(super) fn write(writer: &mut Writer<'_>, turn: &Turn) -> Vec<Value> {
    let mut row = Row::default();
    if !turn.instructions.is_empty() {
        let role = if writer.target.quirks.system_to_user { Role::User } else { Role::System };
        if role == Role::User {
            writer.losses.changed("role");
        }
        let blocks = turn.instructions.iter().collect();
        row.extend(writer.said(role, blocks, &Message::new(role, Vec::new())));
    }
    for message in &turn.messages {
        writer.message(message, &mut row);
    }
    row.flush();
    row.done
}

/// The messages that are written, and those that must wait for the reports of tools.
#[derive(Default)]
struct Row {
    done: Vec<Value>,
    /// How many calls of the last assistant message are not yet answered.
    open: usize,
    /// Media out of tool results, which can only be told by the user.
    hoisted: Vec<Value>,
    /// Messages that came between a call and its result.
    waiting: Vec<Value>,
}

impl Row {
    fn extend(&mut self, message: Option<Value>) {
        let Some(message) = message else { return };
        if self.open > 0 {
            self.waiting.push(message);
        } else {
            self.flush();
            self.done.push(message);
        }
    }

    /// Writes what waited.
    fn flush(&mut self) {
        self.open = 0;
        if !self.hoisted.is_empty() {
            let parts = Value::Array(std::mem::take(&mut self.hoisted));
            self.done.push(object([("role", "user".into()), ("content", parts)]).into());
        }
        self.done.append(&mut self.waiting);
    }
}

impl Writer<'_> {
    fn message(&mut self, message: &Message, row: &mut Row) {
        match message.role {
            Role::Assistant => {
                let calls = message.blocks.iter().filter(|it| matches!(it.kind, Kind::ToolCall(_))).count();
                row.flush();
                row.done.extend(self.assistant(message));
                // What a client of this dialect wrote stays in its order.
                row.open = if self.native { 0 } else { calls };
            }
            Role::User => self.user(message, row),
            Role::System | Role::Developer => {
                let role = self.operator(message.role);
                let blocks = message.blocks.iter().collect();
                row.extend(self.said(role, blocks, message));
            }
        }
    }

    /// The role that the target knows for a system message.
    fn operator(&mut self, role: Role) -> Role {
        let quirks = self.target.quirks;
        if quirks.system_to_user {
            self.losses.changed("role");
            return Role::User;
        }
        if quirks.developer_to_system { Role::System } else { role }
    }

    /// The results of tools first, each as a message, and then the rest.
    fn user(&mut self, message: &Message, row: &mut Row) {
        let mut others = Vec::new();
        let mut results = 0;
        for block in &message.blocks {
            let Kind::ToolResult(result) = &block.kind else {
                others.push(block);
                continue;
            };
            results += 1;
            let written = self.result(message, block, result, &mut row.hoisted);
            row.done.push(written);
            row.open = row.open.saturating_sub(1);
        }
        if results == 0 || !others.is_empty() {
            row.extend(self.said(Role::User, others, message));
        }
    }

    /// A message that says something: no assistant's, and no tool's.
    fn said(&mut self, role: Role, blocks: Vec<&Block>, message: &Message) -> Option<Value> {
        let word = match role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        let said = |block: &&Block| role == Role::User || !self.is_unshown(block);
        let blocks: Vec<&Block> = blocks.into_iter().filter(said).collect();
        let parts: Vec<Value> = blocks.into_iter().filter_map(|block| self.part(block)).collect();
        if parts.is_empty() && !self.native {
            message.rest.lost(&mut self.losses);
            return None;
        }
        let mut written = object([("role", word.into())]);
        self.content(&mut written, parts, role, &message.rest);
        restore(&message.rest, &mut written, &mut self.losses);
        Some(written.into())
    }

    fn result(
        &mut self,
        message: &Message,
        block: &Block,
        result: &ToolResult,
        hoisted: &mut Vec<Value>,
    ) -> Value {
        let deprecated = message.rest.hinted(CHAT, "$function").is_some();
        let mut written = object([("role", if deprecated { "function" } else { "tool" }.into())]);
        if !deprecated {
            let id = self.result_id(&result.call);
            written.insert("tool_call_id".to_owned(), id.into());
        }
        if let Some(name) = result.name.as_ref().filter(|_| self.native) {
            written.insert("name".to_owned(), name.as_str().into());
        }
        if result.failed {
            self.losses.dropped("is_error");
        }
        self.result_content(message, result, &mut written, hoisted);
        self.cache(block.cache.as_ref());
        if self.native {
            restore(&message.rest, &mut written, &mut self.losses);
        } else {
            block.rest.lost(&mut self.losses);
            message.rest.lost(&mut self.losses);
        }
        written.into()
    }

    fn result_content(
        &mut self,
        message: &Message,
        result: &ToolResult,
        written: &mut Map<String, Value>,
        hoisted: &mut Vec<Value>,
    ) {
        let mut parts = Vec::new();
        for block in &result.content {
            let Some(part) = self.part(block) else { continue };
            if self.native || block.as_text().is_some() || is_text_part(&part) {
                parts.push(part);
            } else {
                self.losses.changed("content.tool_result");
                hoisted.push(part);
            }
        }
        self.content(written, parts, Role::System, &message.rest);
        if !self.native && !written.contains_key("content") {
            written.insert("content".to_owned(), "".into());
        }
    }

    /// The id of a call, as the target takes it.
    pub(super) fn call_id(&mut self, id: &str) -> String {
        if id.is_empty() {
            self.ids.calls += 1;
            return self.fitted(&names::made("call", self.ids.calls));
        }
        self.fitted(id)
    }

    fn result_id(&mut self, id: &str) -> String {
        if id.is_empty() {
            self.ids.results += 1;
            return self.fitted(&names::made("call", self.ids.results));
        }
        self.fitted(id)
    }

    fn fitted(&self, id: &str) -> String {
        if self.target.quirks.tool_id_nine {
            names::exactly(id, NINE).into_owned()
        } else if id.len() > ID {
            names::fitted(id, ID).into_owned()
        } else {
            id.to_owned()
        }
    }
}

fn is_text_part(part: &Value) -> bool {
    part.get("type").and_then(Value::as_str) == Some("text")
}
