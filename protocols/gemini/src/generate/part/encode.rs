//! Parts of the blocks of a message or an answer.

use canon::{Block, Dialect, Kind, Losses, Signature, Thinking, ToolCall, ToolResult, names};
use serde_json::{Map, Value, json};

use super::{media, result};
use crate::generate::{hints, signature, spelling};

/// What becomes of signatures.
pub(in crate::generate) enum Signing<'a> {
    /// A request: only the target's own are sent.
    To {
        /// Whose signatures the target accepts.
        maker: &'a str,
    },
    /// An answer: all are handed on, with their maker's name.
    Answer,
}

/// Writes parts.
pub(in crate::generate) struct Writer<'a> {
    /// Whether the blocks were read from this dialect: then nothing is put right.
    pub(in crate::generate) native: bool,
    /// The model that it is for.
    pub(in crate::generate) model: &'a str,
    /// What becomes of signatures.
    pub(in crate::generate) signing: Signing<'a>,
    /// What could not be said.
    pub(in crate::generate) losses: &'a mut Losses,
}

impl<'a> Writer<'a> {
    /// For a request.
    pub(in crate::generate) fn to(
        target: &'a canon::Target<'a>,
        native: bool,
        losses: &'a mut Losses,
    ) -> Self {
        Self { native, model: target.model, signing: Signing::To { maker: target.maker }, losses }
    }

    /// For an answer.
    pub(in crate::generate) fn answer(native: bool, losses: &'a mut Losses) -> Self {
        Self { native, model: "", signing: Signing::Answer, losses }
    }

    /// Whether the model is of the third generation or later, with its stricter and richer rules.
    pub(in crate::generate) fn is_late(&self) -> bool {
        crate::generate::is_late(self.model)
    }

    fn signature(&self, signature: &Signature) -> Option<String> {
        match self.signing {
            Signing::To { maker } => signature.is_of(maker, self.native).then(|| signature.data.clone()),
            Signing::Answer => Some(signature::written(signature)),
        }
    }

    /// Writes one block behind the parts so far.
    pub(in crate::generate) fn block(&mut self, block: &Block, parts: &mut Vec<Value>) {
        if block.cache.is_some() {
            self.losses.dropped("cache_control");
        }
        let part = match &block.kind {
            Kind::Text { text, citations } => {
                if !citations.is_empty() && matches!(self.signing, Signing::To { .. }) {
                    self.losses.dropped("citations");
                }
                if text.is_empty() {
                    return;
                }
                object("text", text.as_str())
            }
            Kind::Refusal(text) => {
                self.losses.changed("refusal");
                object("text", text.as_str())
            }
            Kind::Thinking(thinking) => return self.thinking(thinking, block, parts),
            Kind::ToolCall(call) => self.call(call, block),
            Kind::ToolResult(result) => {
                let name = result.name.as_deref().unwrap_or_default();
                let (part, mut hoisted) = self.result(result, name, block);
                parts.push(self.finished(part, block));
                return parts.append(&mut hoisted);
            }
            Kind::Image(media) => return self.media(media, "image", block, parts),
            Kind::Audio(media) => return self.media(media, "audio", block, parts),
            Kind::Video(media) => return self.media(media, "video", block, parts),
            Kind::File(media) => return self.media(media, "file", block, parts),
            Kind::Opaque { dialect: Dialect::Gemini, value: Value::Object(value) } => value.clone(),
            Kind::Opaque { value, .. } => {
                let kind = names::kind_of(value);
                return self.losses.dropped(&format!("content.{kind}"));
            }
        };
        parts.push(self.finished(part, block));
    }

    fn finished(&mut self, mut part: Map<String, Value>, block: &Block) -> Value {
        hints::unfold(&block.rest, &mut part, self.losses);
        spelling::restore(&mut part, &block.rest);
        Value::Object(part)
    }

    fn media(&mut self, media: &canon::Media, what: &str, block: &Block, parts: &mut Vec<Value>) {
        let part = media::encode(media, what, block, self.native, self.model, self.losses);
        if let Some(part) = part {
            parts.push(self.finished(part, block));
        }
    }

    fn thinking(&mut self, thinking: &Thinking, block: &Block, parts: &mut Vec<Value>) {
        let signature = thinking.signature.as_ref().and_then(|signature| match self.signing {
            Signing::Answer if !self.native && !thinking.redacted => {
                Some(signature::with_thoughts(signature, &thinking.text))
            }
            _ => self.signature(signature),
        });
        let key = |name: &str| hints::hint(&block.rest, name).and_then(Value::as_str);
        if let (Some(key), Some(wire), Some(Value::Object(part))) =
            (key("$previous"), &signature, parts.last_mut())
        {
            part.insert(key.to_owned(), wire.as_str().into());
            return;
        }
        let is_request = matches!(self.signing, Signing::To { .. });
        // Thoughts that nobody signed, or another maker did, mean nothing to a target that did not think them.
        if is_request && signature.is_none() && (!self.native || thinking.signature.is_some()) {
            return self.losses.dropped("thinking");
        }
        // Thoughts that are withheld are told from those whose text stands before by the mark of a thought.
        let apart = !self.native && !thinking.redacted;
        let behind = key("$after").or(apart.then_some("thoughtSignature"));
        let bare = key("$bare").is_some() || (thinking.text.is_empty() && behind.is_some());
        if bare {
            if let Some(wire) = signature {
                let mut part = object("text", "");
                part.insert("thoughtSignature".into(), wire.into());
                let part = self.finished(part, block);
                parts.push(part);
            }
            return;
        }
        let mut part = object("text", thinking.text.as_str());
        part.insert("thought".into(), true.into());
        if let (None, Some(wire)) = (behind, &signature) {
            part.insert("thoughtSignature".into(), wire.as_str().into());
        }
        let part = self.finished(part, block);
        parts.push(part);
        if let (Some(key), Some(wire)) = (behind, signature) {
            parts.push(json!({"text": "", key: wire}));
        }
    }

    fn call(&mut self, call: &ToolCall, block: &Block) -> Map<String, Value> {
        let mut object = Map::new();
        let made = self.native && hints::hint(&block.rest, "$made").is_some();
        if !made && !call.id.is_empty() {
            object.insert("id".into(), call.id.as_str().into());
        }
        let name = if self.native || matches!(self.signing, Signing::Answer) {
            call.name.as_str().into()
        } else {
            names::flat(call.namespace.as_deref(), &call.name)
        };
        object.insert("name".into(), name.into());
        if !(self.native && hints::hint(&block.rest, "$noArgs").is_some()) {
            let args = if call.custom {
                json!({names::CUSTOM_INPUT: call.arguments})
            } else {
                arguments(&call.arguments, self.native, self.losses)
            };
            object.insert("args".into(), args);
        }
        let mut part = Map::new();
        part.insert("functionCall".into(), object.into());
        if self.native && hints::hint(&block.rest, "$skip").is_some() {
            part.insert("thoughtSignature".into(), signature::SKIP.into());
        }
        let is_answer = matches!(self.signing, Signing::Answer);
        if is_answer && !self.native && call.signature.is_none() {
            // The client brings it back, and a model of Google's that goes on from there wants one.
            part.insert("thoughtSignature".into(), signature::SKIP.into());
        }
        if let Some(own) = &call.signature {
            match self.signature(own) {
                Some(wire) => drop(part.insert("thoughtSignature".into(), wire.into())),
                None => {
                    self.losses.dropped("thinking.signature");
                    if self.native {
                        part.insert("thoughtSignature".into(), signature::SKIP.into());
                    }
                }
            }
        }
        part
    }

    /// The part of a result, and the media that have to stand behind the results.
    pub(in crate::generate) fn result(
        &mut self,
        result: &ToolResult,
        name: &str,
        block: &Block,
    ) -> (Map<String, Value>, Vec<Value>) {
        let to = result::For { native: self.native, model: self.model, media: self.is_late() };
        let written = result::encode(result, name, block, &to, self.losses);
        (written.part, written.hoisted)
    }
}

/// Arguments as the object that they have to be here.
pub(in crate::generate) fn arguments(text: &str, native: bool, losses: &mut Losses) -> Value {
    if text.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) if native || value.is_object() => value,
        _ => {
            losses.changed("arguments");
            json!({names::CUSTOM_INPUT: text})
        }
    }
}

/// Puts parts that said nothing back into their places.
pub(in crate::generate) fn put_back(silent: &Map<String, Value>, parts: &mut Vec<Value>) {
    if silent.is_empty() {
        return;
    }
    let all = parts.len() + silent.len();
    let mut rest = std::mem::take(parts).into_iter();
    for at in 0..all {
        match silent.get(&at.to_string()) {
            Some(part) => parts.push(part.clone()),
            None => parts.extend(rest.next()),
        }
    }
    parts.extend(rest);
}

fn object(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}
