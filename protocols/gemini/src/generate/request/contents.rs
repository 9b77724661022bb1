//! The conversation of another dialect as contents: two roles in turn, and as many results as calls behind each step.

use std::{
    borrow::Cow,
    collections::{HashMap, VecDeque},
};

use canon::{Block, Kind, Losses, Message, Role, Target, ToolResult, names};
use serde_json::{Map, Value, json};

use crate::generate::{is_late, part::Writer, signature};

/// The contents of messages.
pub(super) fn encode(messages: &[Message], target: &Target<'_>, losses: &mut Losses) -> Vec<Value> {
    let mut contents = Contents {
        target,
        losses,
        list: Vec::new(),
        model: Vec::new(),
        calls: Vec::new(),
        results: HashMap::new(),
        order: Vec::new(),
        behind: Vec::new(),
    };
    for message in messages {
        message.rest.lost(contents.losses);
        match message.role {
            Role::Assistant => contents.assistant(&message.blocks),
            Role::User => contents.user(&message.blocks),
            Role::System | Role::Developer => {
                contents.losses.changed("role");
                contents.user(&message.blocks);
            }
        }
    }
    contents.close_model();
    contents.close_user();
    contents.list
}

struct Contents<'a, 't> {
    target: &'a Target<'t>,
    losses: &'a mut Losses,
    list: Vec<Value>,
    /// Parts of the model's content that is being made.
    model: Vec<Value>,
    /// The calls of the last step, with their names as they are written.
    calls: Vec<(&'a str, Cow<'a, str>)>,
    /// Their results, which may come in any order.
    results: HashMap<&'a str, VecDeque<(&'a Block, &'a ToolResult)>>,
    /// The ids of the results in the order in which they came.
    order: Vec<&'a str>,
    /// What else the user says in this content.
    behind: Vec<Value>,
}

impl<'a> Contents<'a, '_> {
    fn write(&mut self, block: &Block, parts: &mut Vec<Value>) {
        Writer::to(self.target, false, self.losses).block(block, parts);
    }

    fn assistant(&mut self, blocks: &'a [Block]) {
        self.close_user();
        let mut parts = std::mem::take(&mut self.model);
        for block in blocks {
            match &block.kind {
                Kind::ToolCall(call) => {
                    let first = self.calls.is_empty();
                    self.calls.push((&call.id, names::flat(call.namespace.as_deref(), &call.name)));
                    self.write(block, &mut parts);
                    if first {
                        self.sign(&mut parts);
                    }
                }
                Kind::ToolResult(_) => self.losses.dropped("content.tool_result"),
                _ => self.write(block, &mut parts),
            }
        }
        self.model = parts;
    }

    /// The first call of each step must be signed from the third generation on. A call that Gemini did not make, or
    /// whose signature was lost, gets the value that says so. Earlier turns are not checked, but get it too: a prompt
    /// that stays the same from turn to turn stays in the cache.
    fn sign(&mut self, parts: &mut [Value]) {
        if let Some(Value::Object(part)) = parts.last_mut().filter(|_| is_late(self.target.model)) {
            part.entry("thoughtSignature").or_insert_with(|| signature::SKIP.into());
        }
    }

    fn user(&mut self, blocks: &'a [Block]) {
        self.close_model();
        let mut behind = std::mem::take(&mut self.behind);
        for block in blocks {
            match &block.kind {
                Kind::ToolResult(result) => {
                    self.order.push(&result.call);
                    self.results.entry(&result.call).or_default().push_back((block, result));
                }
                _ => self.write(block, &mut behind),
            }
        }
        self.behind = behind;
    }

    fn close_model(&mut self) {
        if !self.model.is_empty() {
            let parts = std::mem::take(&mut self.model);
            self.put("model", parts);
        }
    }

    /// Adds a content, or to the last one: what stood between may have been nothing that can be said.
    fn put(&mut self, role: &str, mut parts: Vec<Value>) {
        let last = self.list.last_mut().filter(|last| last.get("role").is_some_and(|own| own == role));
        match last.and_then(|last| last.get_mut("parts")).and_then(Value::as_array_mut) {
            Some(there) => there.append(&mut parts),
            None => self.list.push(json!({"role": role, "parts": parts})),
        }
    }

    /// Closes what the user said: the results in the order of their calls, one for each, and then the rest.
    fn close_user(&mut self) {
        if self.order.is_empty() && self.behind.is_empty() {
            return;
        }
        let (mut parts, mut media) = (Vec::new(), Vec::new());
        for (id, name) in std::mem::take(&mut self.calls) {
            match self.results.get_mut(id).and_then(VecDeque::pop_front) {
                Some((block, result)) => self.result(block, result, &name, &mut parts, &mut media),
                None => {
                    self.losses.changed("content.tool_result");
                    parts.push(unanswered(id, &name));
                }
            }
        }
        self.orphans(&mut media);
        parts.append(&mut media);
        parts.append(&mut self.behind);
        if !parts.is_empty() {
            self.put("user", parts);
        }
    }

    fn result(
        &mut self,
        block: &Block,
        result: &ToolResult,
        name: &str,
        parts: &mut Vec<Value>,
        media: &mut Vec<Value>,
    ) {
        if block.cache.is_some() {
            self.losses.dropped("cache_control");
        }
        block.rest.lost(self.losses);
        let (part, mut hoisted) = Writer::to(self.target, false, self.losses).result(result, name, block);
        parts.push(part.into());
        media.append(&mut hoisted);
    }

    /// Results without a call would be refused: they are told as text.
    fn orphans(&mut self, parts: &mut Vec<Value>) {
        for id in std::mem::take(&mut self.order) {
            let Some((_, result)) = self.results.get_mut(id).and_then(VecDeque::pop_front) else { continue };
            self.losses.changed("content.tool_result");
            for block in &result.content {
                self.write(block, parts);
            }
        }
        self.results.clear();
    }
}

/// The result of a call that has none: their numbers must agree.
fn unanswered(id: &str, name: &str) -> Value {
    let mut response = Map::new();
    if !id.is_empty() {
        response.insert("id".into(), id.into());
    }
    response.insert("name".into(), name.into());
    response.insert("response".into(), json!({"error": "The call was not answered."}));
    json!({"functionResponse": response})
}
