//! Content blocks.

use canon::{Block, Citation, Dialect, Kind, Role, Signature, Thinking, ToolCall, ToolResult, names};
use serde_json::{Map, Value};

use super::{Writer, object};
use crate::messages::{foreign::is_made_up, quoted};

/// The longest id of a tool call.
const ID_LIMIT: usize = 64;

impl Writer<'_> {
    /// Writes the blocks of a message.
    pub(super) fn blocks(&mut self, blocks: &[Block], role: Role) -> Vec<Value> {
        blocks.iter().filter_map(|block| self.block(block, role)).collect()
    }

    /// Writes a block; `None` where there is nothing to write.
    pub(super) fn block(&mut self, block: &Block, role: Role) -> Option<Value> {
        if let Some(whole) = quoted::whole(block) {
            return Some(whole.clone());
        }
        let written = match &block.kind {
            Kind::Text { text, citations } => self.text(text, citations, block),
            Kind::Refusal(text) if !text.is_empty() => {
                self.losses.changed("refusal");
                Some(object([("type", "text".into()), ("text", text.as_str().into())]))
            }
            Kind::Refusal(_) => None,
            Kind::Image(media) => self.image(media, role),
            Kind::File(media) => self.document(media, role),
            Kind::Audio(_) => self.dropped("audio"),
            Kind::Video(_) => self.dropped("video"),
            Kind::ToolCall(call) => Some(self.tool_use(call)),
            Kind::ToolResult(result) => Some(self.tool_result(result, block)),
            Kind::Thinking(thinking) => self.thought(thinking, block),
            Kind::Opaque { dialect: Dialect::Messages, value } => return Some(value.clone()),
            Kind::Opaque { value, .. } => self.dropped(&format!("content.{}", names::kind_of(value))),
        };
        let mut written = written?;
        if !matches!(block.kind, Kind::Thinking(_)) || self.native {
            self.mark(block.cache.as_ref(), &mut written);
        }
        block.rest.write(Dialect::Messages, &mut written, &mut self.losses);
        Some(Value::Object(written))
    }

    pub(super) fn dropped<T>(&mut self, what: &str) -> Option<T> {
        self.losses.dropped(what);
        None
    }

    fn text(&mut self, text: &str, citations: &[Citation], block: &Block) -> Option<Map<String, Value>> {
        // The API refuses text blocks that say nothing, those of white space alone included.
        if text.trim().is_empty() && !self.native {
            return None;
        }
        let mut written = object([("type", "text".into()), ("text", text.into())]);
        let own: Vec<Value> = citations.iter().filter_map(own_citation).collect();
        if own.len() < citations.len() {
            self.losses.dropped("citations");
        }
        if !own.is_empty() || block.rest.hinted(Dialect::Messages, "$citations").is_some() {
            written.insert("citations".to_owned(), Value::Array(own));
        }
        Some(written)
    }

    fn tool_use(&mut self, call: &ToolCall) -> Map<String, Value> {
        if call.signature.is_some() {
            self.losses.dropped("thinking.signature");
        }
        let (input, whole) = input(&call.arguments, call.custom, self.native);
        if !whole {
            self.losses.changed("arguments");
        }
        let name = self.tool_name(call.namespace.as_deref(), &call.name);
        object([("type", "tool_use".into()), ("id", self.id(&call.id)), ("name", name), ("input", input)])
    }

    fn tool_result(&mut self, result: &ToolResult, block: &Block) -> Map<String, Value> {
        let mut written = object([("type", "tool_result".into()), ("tool_use_id", self.id(&result.call))]);
        let hint = block.rest.hinted(Dialect::Messages, "$content").and_then(Value::as_str);
        let mut content = self.blocks(&result.content, Role::User);
        match (hint, plain_text(&content)) {
            (Some("string"), _) if content.is_empty() => {
                written.insert("content".to_owned(), "".into());
            }
            (Some("string"), true) => written.extend(only_text(&mut content)),
            (None, true) if !self.native => written.extend(only_text(&mut content)),
            (None, _) if content.is_empty() => {}
            _ => {
                written.insert("content".to_owned(), Value::Array(content));
            }
        }
        if result.failed || block.rest.hinted(Dialect::Messages, "$is_error").is_some() {
            written.insert("is_error".to_owned(), result.failed.into());
        }
        written
    }

    fn thought(&mut self, thinking: &Thinking, block: &Block) -> Option<Map<String, Value>> {
        let is_own = |signature: &Signature| signature.is_of(self.target.maker, self.native);
        // Thoughts without a signature are their maker's only where nothing crossed dialects.
        if !thinking.signature.as_ref().map_or(self.native, is_own) {
            self.lost_thought = true;
            return self.dropped("thinking");
        }
        let signature = thinking.signature.as_ref().map_or("", |signature| signature.data.as_str());
        if thinking.redacted {
            return Some(object([("type", "redacted_thinking".into()), ("data", signature.into())]));
        }
        let mut written = object([("type", "thinking".into()), ("thinking", thinking.text.as_str().into())]);
        if block.rest.hinted(Dialect::Messages, "$unsigned").is_none() {
            written.insert("signature".to_owned(), signature.into());
        }
        Some(written)
    }

    fn id(&self, id: &str) -> Value {
        if self.native { id.into() } else { names::fitted(id, ID_LIMIT).into() }
    }

    /// A tool's name on this wire.
    pub(super) fn tool_name(&self, namespace: Option<&str>, name: &str) -> Value {
        if self.native { name.into() } else { names::flat(namespace, name).into() }
    }
}

/// The citation as this dialect wrote it. Others cannot be said: each kind names an index that only the API knows.
fn own_citation(citation: &Citation) -> Option<Value> {
    let own = Value::Object(citation.rest.of(Dialect::Messages)?.clone());
    (!is_made_up(&own)).then_some(own)
}

/// Whether a content is one text without anything beside it, which may be written as a string.
pub(super) fn plain_text(content: &[Value]) -> bool {
    let [Value::Object(only)] = content else { return false };
    only.len() == 2 && only.contains_key("text")
}

/// The content field of a message or a result that is one text.
pub(super) fn only_text(content: &mut [Value]) -> Option<(String, Value)> {
    let text = content.first_mut()?.get_mut("text")?.take();
    Some(("content".to_owned(), text))
}

/// The input of a tool call, and whether the arguments could be said as they are. The API wants an object: no
/// arguments are an empty one, free text is wrapped like that of a custom tool, and what is no object (a model's
/// broken JSON) goes into the field `_raw`, so that the model sees what it wrote.
pub(in crate::messages) fn input(arguments: &str, custom: bool, native: bool) -> (Value, bool) {
    if custom {
        return (Value::Object(object([(names::CUSTOM_INPUT, arguments.into())])), true);
    }
    if arguments.trim().is_empty() {
        return (Value::Object(Map::new()), true);
    }
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) if native || value.is_object() => (value, true),
        _ => (Value::Object(object([("_raw", arguments.into())])), false),
    }
}
