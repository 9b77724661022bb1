//! The content blocks of an answer, as a client of this dialect gets them.

use canon::{Asked, Block, Citation, Dialect, Kind, Losses, Signature, Thinking, names};
use serde_json::{Map, Value, json};

use crate::messages::{carrier, encode::input};

/// Writes blocks for one client.
#[derive(Debug, Default)]
pub(super) struct Speech {
    pub(super) asked: Asked,
    pub(super) losses: Losses,
    /// The answer's id, from which ids of calls are made where there are none.
    pub(super) id: String,
    /// Blocks so far.
    pub(super) count: u32,
    /// Whether the client is to run a tool.
    pub(super) called: bool,
    /// Whether something was refused.
    pub(super) refused: bool,
}

impl Speech {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Keeps the answer's id, or makes one from the request's where the provider's is of another kind.
    pub(super) fn identify(&mut self, provided: &str) {
        self.id = match (provided, self.asked.id.as_str()) {
            (own, _) if own.starts_with("msg_") => own.to_owned(),
            ("", "") => "msg_0".to_owned(),
            (other, "") | (_, other) => names::fitted(&format!("msg_{other}"), 64).into_owned(),
        };
    }

    /// The model as the provider names it, or as the client did.
    pub(super) fn model(&self, provided: String) -> String {
        if provided.is_empty() { self.asked.model.clone() } else { provided }
    }

    /// Notes that the model declines: here that is text, and a reason to stop.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
        self.losses.changed("refusal");
    }

    /// Writes a block: none, one, or two where a tool call brings a signature.
    pub(super) fn block(&mut self, block: Block, into: &mut Vec<Value>) {
        let mut written = match block.kind {
            Kind::Text { text, citations } => {
                if text.is_empty() && citations.is_empty() {
                    return;
                }
                let citations: Vec<Value> =
                    citations.into_iter().filter_map(|it| self.citation(it)).collect();
                let mut written = object([("type", "text".into()), ("text", text.into())]);
                if !citations.is_empty() || block.rest.hinted(Dialect::Messages, "$citations").is_some() {
                    written.insert("citations".to_owned(), Value::Array(citations));
                }
                written
            }
            Kind::Refusal(text) => {
                self.refuse();
                object([("type", "text".into()), ("text", text.into())])
            }
            Kind::Thinking(thinking) => match self.thought(thinking) {
                Some(written) => written,
                None => return,
            },
            Kind::ToolCall(call) => {
                into.extend(call.signature.as_ref().and_then(|signature| self.carrier(signature)));
                let (input, whole) = input(&call.arguments, call.custom, false);
                if !whole {
                    self.losses.changed("arguments");
                }
                self.call(&call.id, &call.name, input)
            }
            Kind::Opaque { dialect: Dialect::Messages, value } => return into.push(value),
            Kind::Opaque { value, .. } => {
                let kind = names::kind_of(&value);
                return self.losses.dropped(&format!("content.{kind}"));
            }
            Kind::Image(_) => return self.losses.dropped("image"),
            Kind::Audio(_) => return self.losses.dropped("audio"),
            Kind::File(_) => return self.losses.dropped("file"),
            Kind::Video(_) => return self.losses.dropped("video"),
            Kind::ToolResult(_) => return self.losses.dropped("content.tool_result"),
        };
        block.rest.write(Dialect::Messages, &mut written, &mut self.losses);
        into.push(Value::Object(written));
    }

    fn thought(&mut self, thinking: Thinking) -> Option<Map<String, Value>> {
        let signature = thinking.signature.as_ref().map(Signature::written).unwrap_or_default();
        if !thinking.redacted {
            let fields = [("thinking", thinking.text.into()), ("signature", signature.into())];
            let mut written = object([("type", "thinking".into())]);
            written.extend(fields.map(|(name, value): (&str, Value)| (name.to_owned(), value)));
            return Some(written);
        }
        if signature.is_empty() {
            self.losses.dropped("thinking");
            return None;
        }
        Some(object([("type", "redacted_thinking".into()), ("data", signature.into())]))
    }

    /// The block that carries the signature of the call behind it.
    pub(super) fn carrier(&mut self, signature: &Signature) -> Option<Value> {
        let data = carrier::written(signature);
        if data.is_none() {
            self.losses.dropped("thinking.signature");
        }
        data.map(|data| json!({"type": "redacted_thinking", "data": data}))
    }

    /// A call under the client's name of the tool.
    pub(super) fn call(&mut self, id: &str, wire: &str, input: Value) -> Map<String, Value> {
        self.called = true;
        self.count += 1;
        let id = match id {
            "" => names::made(&self.id, self.count),
            id => names::fitted(id, 64).into_owned(),
        };
        let name = self.asked.tool(wire).name;
        object([("type", "tool_use".into()), ("id", id.into()), ("name", name.into()), ("input", input)])
    }

    /// A citation. One of another dialect becomes a found web page if it has an address; its index, which the API
    /// would demand back, is marked as made up, so that it can be taken out on the way back.
    pub(super) fn citation(&mut self, citation: Citation) -> Option<Value> {
        if citation.rest.dialect == Some(Dialect::Messages) {
            return Some(Value::Object(citation.rest.fields));
        }
        let Some(url) = citation.url else {
            self.losses.dropped("citations");
            return None;
        };
        self.losses.changed("citations");
        let made_up = Signature { data: String::new(), maker: Some("none".to_owned()) };
        Some(json!({
            "type": "web_search_result_location",
            "url": url,
            "title": citation.title,
            "cited_text": citation.quote.unwrap_or_default(),
            "encrypted_index": made_up.written(),
        }))
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether a block is thoughts without a text to show.
pub(super) fn shows_nothing(block: &Value) -> bool {
    match block.get("type").and_then(Value::as_str) {
        Some("redacted_thinking") => true,
        Some("thinking") => block.get("thinking").and_then(Value::as_str).is_none_or(str::is_empty),
        _ => false,
    }
}
