//! What the model said earlier: its text, its thoughts as far as the target may see them, and its calls.

use canon::{Block, Citation, Kind, Message, Role, Thinking, ToolCall, names};
use serde_json::{Map, Value};

use super::Writer;
use crate::chat::kept::{CHAT, object, restore};
use crate::chat::thinking::{self, Thought};
use crate::chat::{calls, citation};

/// The blocks of a message by the fields that they go into.
#[derive(Default)]
struct Fields<'a> {
    parts: Vec<Value>,
    citations: Vec<&'a Citation>,
    refusal: Option<String>,
    calls: Vec<Value>,
    /// The deprecated single call.
    call: Option<Value>,
    thoughts: Vec<Thought<'a>>,
}

impl Writer<'_> {
    pub(super) fn assistant(&mut self, message: &Message) -> Option<Value> {
        let mut fields = Fields::default();
        for block in &message.blocks {
            self.sort(block, &mut fields);
        }
        let mut written = object([("role", "assistant".into())]);
        self.thoughts(message, &fields, &mut written);
        let calls = !fields.calls.is_empty() || fields.call.is_some();
        let silent = fields.parts.is_empty() && fields.refusal.is_none();
        if silent && !calls && !self.native {
            message.rest.lost(&mut self.losses);
            return None;
        }
        self.content(&mut written, fields.parts, Role::Assistant, &message.rest);
        if !self.native && !written.contains_key("content") {
            written.insert("content".to_owned(), Value::Null);
        }
        if !fields.citations.is_empty() {
            let annotations = fields.citations.into_iter().cloned();
            let annotations: Vec<Value> = annotations.filter_map(|it| citation::write(it, 0, 0)).collect();
            written.insert("annotations".to_owned(), annotations.into());
        }
        for (name, value) in [("refusal", fields.refusal.map(Value::String)), ("function_call", fields.call)]
        {
            if let Some(value) = value {
                written.insert(name.to_owned(), value);
            }
        }
        if !fields.calls.is_empty() {
            written.insert("tool_calls".to_owned(), fields.calls.into());
        }
        restore(&message.rest, &mut written, &mut self.losses);
        Some(written.into())
    }

    fn sort<'a>(&mut self, block: &'a Block, fields: &mut Fields<'a>) {
        match &block.kind {
            Kind::Refusal(text) if block.rest.hinted(CHAT, "$part").is_none() => {
                fields.refusal.get_or_insert_default().push_str(text);
                block.rest.lost(&mut self.losses);
            }
            Kind::ToolCall(call) if block.rest.hinted(CHAT, "$function_call").is_some() => {
                let inner =
                    [("name", call.name.as_str().into()), ("arguments", call.arguments.as_str().into())];
                let mut single = object(inner);
                restore(&block.rest, &mut single, &mut self.losses);
                fields.call = Some(single.into());
            }
            Kind::ToolCall(call) => fields.calls.push(self.call(block, call)),
            Kind::Thinking(thinking) => fields.thoughts.extend(self.thought(block, thinking)),
            Kind::Opaque { value, .. } if block.rest.hinted(CHAT, "$call").is_some() => {
                fields.calls.push(value.clone());
            }
            Kind::Opaque { .. } if block.rest.hinted(CHAT, "$detail").is_some() => {
                if self.target.quirks.strip_reasoning {
                    self.losses.dropped("thinking");
                } else {
                    fields.thoughts.push(Thought { block, signature: None, plain: false });
                }
            }
            Kind::Text { citations, .. } => {
                fields.parts.extend(self.part(block));
                fields.citations.extend(citations.iter().filter(|_| self.native));
            }
            _ => fields.parts.extend(self.part(block)),
        }
    }

    fn call(&mut self, block: &Block, call: &ToolCall) -> Value {
        let signature = call.signature.as_ref().and_then(|signature| {
            let own = signature.is_of(self.target.maker, self.native);
            if !own {
                self.losses.dropped("thinking.signature");
            }
            own.then(|| signature.data.clone())
        });
        let custom = call.custom && self.native;
        let wrapped = (call.custom && !custom).then(|| calls::wrapped(&call.arguments));
        let arguments = wrapped.as_deref().unwrap_or(&call.arguments);
        // A call without arguments is one with an empty object; some providers refuse the empty text.
        let arguments = if arguments.is_empty() && !self.native { "{}" } else { arguments };
        let name = names::flat(call.namespace.as_deref(), &call.name);
        let id = self.call_id(&call.id);
        let mut written = calls::write(&id, &name, arguments, custom, signature);
        if block.rest.hinted(CHAT, "$untyped").is_some() {
            written.shift_remove("type");
        }
        self.cache(block.cache.as_ref());
        restore(&block.rest, &mut written, &mut self.losses);
        written.into()
    }

    /// Whether and how a thought may be written for this target.
    fn thought<'a>(&mut self, block: &'a Block, thinking: &Thinking) -> Option<Thought<'a>> {
        let quirks = self.target.quirks;
        let own = thinking.signature.as_ref().is_none_or(|it| it.is_of(self.target.maker, self.native));
        let told = !thinking.text.is_empty() && !thinking.redacted;
        self.cache(block.cache.as_ref());
        if !quirks.strip_reasoning && self.native && own {
            let signature = thinking.signature.as_ref().map(|it| it.data.clone());
            return Some(Thought { block, signature, plain: false });
        }
        // A target that insists on thoughts takes the words of any model, but signatures only of its own.
        if !quirks.strip_reasoning && quirks.echo_reasoning && told {
            if thinking.signature.is_some() {
                self.losses.dropped("thinking.signature");
            }
            return Some(Thought { block, signature: None, plain: true });
        }
        self.losses.dropped("thinking");
        None
    }

    fn thoughts(&self, message: &Message, fields: &Fields<'_>, written: &mut Map<String, Value>) {
        let quirks = self.target.quirks;
        thinking::write(&fields.thoughts, written);
        let thoughts = message.blocks.iter().filter(|block| matches!(block.kind, Kind::Thinking(_))).count();
        if !quirks.strip_reasoning && fields.thoughts.len() >= thoughts {
            thinking::repeat(&message.rest, written);
        }
        let calls = !fields.calls.is_empty() || fields.call.is_some();
        if quirks.echo_reasoning && !quirks.strip_reasoning && calls && !written.contains_key(thinking::PLAIN)
        {
            // The field must be there and must not be empty.
            written.insert(thinking::PLAIN.to_owned(), " ".into());
        }
    }
}
