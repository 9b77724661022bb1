//! A unary answer for a client.

use canon::{Answer, Asked, Block, Citation, Encoded, Kind, Losses, Rest, Source, ToolCall, names};
use serde_json::{Map, Value};

use super::ids;
use crate::chat::kept::{CHAT, object, restore};
use crate::chat::thinking::{self, Thought};
use crate::chat::{calls, citation, finish, media};
use crate::usage;

/// Writes a unary answer.
#[must_use]
pub fn encode_answer(answer: Answer, asked: &Asked) -> Encoded {
    let mut losses = Losses::default();
    let rest = answer.rest;
    let own = rest.of(CHAT).is_some();
    let id = if own { answer.id } else { ids::answer(answer.id, asked) };
    let model = if answer.model.is_empty() { asked.model.clone() } else { answer.model };
    let kind = rest.hinted(CHAT, "$object").cloned().unwrap_or_else(|| "chat.completion".into());
    let mut body = object([
        ("id", id.into()),
        ("object", kind),
        ("created", answer.created.unwrap_or(asked.now).into()),
        ("model", model.into()),
    ]);
    let calls = super::decode::has_calls(&answer.blocks);
    let message = Message::of(answer.blocks, asked, &mut losses).written(&rest);
    let mut choice = Map::new();
    if rest.hinted(CHAT, "$unnumbered").is_none() {
        choice.insert("index".to_owned(), 0.into());
    }
    choice.insert("message".to_owned(), message.into());
    logprobs(answer.logprobs, &rest, &mut choice);
    if answer.stop_sequence.is_some() {
        losses.dropped("stop_sequence");
    }
    if finish::is_lost(&answer.stop) {
        losses.changed("finish_reason");
    }
    let word = || Value::from(finish::word(&answer.stop, calls));
    let word = rest.hinted(CHAT, "$finish_reason").cloned().unwrap_or_else(word);
    choice.insert("finish_reason".to_owned(), word);
    restore_inner(&rest, "choice.", &mut choice);
    let others = rest.of(CHAT).and_then(|own| own.get("choices")).and_then(Value::as_array);
    let choices = std::iter::once(choice.into()).chain(others.into_iter().flatten().cloned());
    body.insert("choices".to_owned(), choices.collect());
    if let Some(usage) = written_usage(answer.usage.as_ref(), &rest) {
        body.insert("usage".to_owned(), usage);
    }
    restore(&rest, &mut body, &mut losses);
    body.retain(|name, _| !name.starts_with("choice.") && !name.starts_with("message."));
    Encoded { body: serde_json::to_vec(&Value::Object(body)).unwrap_or_default(), losses }
}

/// The usage as the provider wrote it, if it still says the same; else a new one.
fn written_usage(usage: Option<&canon::Usage>, rest: &Rest) -> Option<Value> {
    let raw = rest.hinted(CHAT, "$usage");
    match (usage, raw) {
        (None, raw) => raw.cloned(),
        (Some(usage), Some(raw)) if usage::of_value(raw).as_ref() == Some(usage) => Some(raw.clone()),
        (Some(usage), _) => serde_json::to_value(usage::write(usage)).ok(),
    }
}

fn logprobs(content: Vec<Value>, rest: &Rest, choice: &mut Map<String, Value>) {
    let hint = rest.hinted(CHAT, "$logprobs").and_then(Value::as_object);
    if content.is_empty() && hint.is_none() {
        return;
    }
    let mut inner = Map::new();
    if !hint.is_some_and(|hint| hint.contains_key("content")) {
        inner.insert("content".to_owned(), content.into());
    }
    match hint {
        Some(hint) => inner.extend(hint.iter().map(|(name, value)| (name.clone(), value.clone()))),
        None => drop(inner.insert("refusal".to_owned(), Value::Null)),
    }
    choice.insert("logprobs".to_owned(), inner.into());
}

/// Puts back what was kept of an inner object.
fn restore_inner(rest: &Rest, prefix: &str, inner: &mut Map<String, Value>) {
    let silent = rest.hinted(CHAT, "$silent").and_then(Value::as_object);
    for (name, value) in rest.of(CHAT).into_iter().chain(silent).flatten() {
        if let Some(name) = name.strip_prefix(prefix)
            && !inner.contains_key(name)
        {
            inner.insert(name.to_owned(), value.clone());
        }
    }
}

/// The fields of a message, as they are found among the blocks.
#[derive(Default)]
struct Message {
    /// What was read out of the text stands there again: this many bytes of it are thoughts and their tags.
    content: Option<String>,
    /// How many characters the text has so far.
    characters: u64,
    annotations: Vec<Value>,
    refusal: Option<String>,
    images: Vec<Value>,
    audio: Option<Value>,
    calls: Vec<Value>,
    single: Option<Value>,
    thoughts: Vec<Block>,
}

impl Message {
    fn of(blocks: Vec<Block>, asked: &Asked, losses: &mut Losses) -> Self {
        let mut message = Self::default();
        for block in blocks {
            message.take(block, asked, losses);
        }
        message
    }

    fn take(&mut self, block: Block, asked: &Asked, losses: &mut Losses) {
        let hinted = |name: &str| block.rest.hinted(CHAT, name).is_some();
        match block.kind {
            Kind::Text { text, citations } => {
                if let Some(tags) = block.rest.hinted(CHAT, "$tag").and_then(Value::as_str) {
                    self.content.get_or_insert_default().push_str(tags);
                }
                self.text(text, citations, losses);
            }
            Kind::Refusal(_) | Kind::Thinking(_) if hinted("$listed") => {}
            Kind::Refusal(text) => self.refusal.get_or_insert_default().push_str(&text),
            Kind::Thinking(thinking) if hinted("$tag") => {
                let tag = |at| block.rest.hinted(CHAT, "$tag")?.get(at)?.as_str();
                let content = self.content.get_or_insert_default();
                content.push_str(tag(0).unwrap_or_default());
                content.push_str(&thinking.text);
                content.push_str(tag(1).unwrap_or_default());
            }
            Kind::Thinking(_) => self.thoughts.push(block),
            Kind::Opaque { .. } if hinted("$detail") => self.thoughts.push(block),
            Kind::Opaque { value, .. } if hinted("$call") => self.calls.push(value),
            Kind::Opaque { value, .. } if hinted("$image") => self.images.push(value),
            // A part of a content that is a list, which is written as a whole.
            Kind::Opaque { dialect: CHAT, .. } => {}
            Kind::Opaque { value, .. } => {
                let kind = names::kind_of(&value);
                losses.dropped(&format!("content.{kind}"));
            }
            Kind::Image(_) => {
                if let Some(mut part) = media::write(&block, true, losses) {
                    restore(&block.rest, &mut part, losses);
                    self.images.push(part.into());
                }
            }
            Kind::Audio(media) => match media.source {
                Source::Base64(data) => {
                    let mut audio = object([("data", data.into())]);
                    restore(&block.rest, &mut audio, losses);
                    self.audio = Some(audio.into());
                }
                _ => losses.dropped("audio"),
            },
            Kind::File(_) => losses.dropped("file"),
            Kind::Video(_) => losses.dropped("video"),
            Kind::ToolResult(_) => losses.dropped("content.tool_result"),
            Kind::ToolCall(call) => self.call(call, &block.rest, asked, losses),
        }
    }

    fn text(&mut self, text: String, citations: Vec<Citation>, losses: &mut Losses) {
        let from = self.characters;
        self.characters += text.chars().count() as u64;
        for citation in citations {
            match citation::write(citation, from, self.characters) {
                Some(annotation) => self.annotations.push(annotation),
                None => losses.dropped("citations"),
            }
        }
        match &mut self.content {
            Some(content) => content.push_str(&text),
            None => self.content = Some(text),
        }
    }

    fn call(&mut self, call: ToolCall, rest: &Rest, asked: &Asked, losses: &mut Losses) {
        let tool = asked.tool(&call.name);
        let (arguments, custom) = match (tool.custom, call.custom) {
            (true, false) => (calls::unwrapped(call.arguments), true),
            (_, custom) => (call.arguments, custom),
        };
        if rest.hinted(CHAT, "$function_call").is_some() {
            let mut single = object([("name", tool.name.into()), ("arguments", arguments.into())]);
            restore(rest, &mut single, losses);
            self.single = Some(single.into());
            return;
        }
        let at = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        let own = rest.of(CHAT).is_some();
        let id = if call.id.is_empty() && !own { names::made(&asked.id, at) } else { call.id };
        let signature = call.signature.map(|signature| signature.written());
        let mut written = calls::write(&id, &tool.name, &arguments, custom, signature);
        if rest.hinted(CHAT, "$untyped").is_some() {
            written.shift_remove("type");
        }
        restore(rest, &mut written, losses);
        self.calls.push(written.into());
    }

    fn written(self, rest: &Rest) -> Map<String, Value> {
        let mut message = Map::new();
        if rest.hinted(CHAT, "$roleless").is_none() {
            message.insert("role".to_owned(), "assistant".into());
        }
        let parts = rest.hinted(CHAT, "$parts").cloned();
        let empty = || rest.hinted(CHAT, "$content").cloned();
        let content = parts.is_none().then_some(self.content).flatten().map(Value::String);
        if let Some(content) = parts.or(content).or_else(empty) {
            message.insert("content".to_owned(), content);
        } else if rest.of(CHAT).is_none() {
            // An answer that says nothing is an empty text; null stands beside something else.
            let nothing = self.calls.is_empty() && self.refusal.is_none() && self.audio.is_none();
            message.insert("content".to_owned(), if nothing { "".into() } else { Value::Null });
        }
        let signed = |block: &Block| match &block.kind {
            Kind::Thinking(thinking) => thinking.signature.as_ref().map(canon::Signature::written),
            _ => None,
        };
        let thoughts: Vec<Thought<'_>> = self
            .thoughts
            .iter()
            .map(|block| Thought { signature: signed(block), block, plain: false })
            .collect();
        thinking::write(&thoughts, &mut message);
        thinking::repeat(rest, &mut message);
        let list = |list: Vec<Value>| (!list.is_empty()).then(|| Value::Array(list));
        let fields = [
            (
                "refusal",
                self.refusal.map(Value::String).or_else(|| rest.of(CHAT).is_none().then_some(Value::Null)),
            ),
            ("annotations", list(self.annotations)),
            ("images", list(self.images)),
            ("audio", self.audio),
            ("tool_calls", list(self.calls)),
            ("function_call", self.single),
        ];
        for (name, value) in fields {
            if let Some(value) = value {
                message.insert(name.to_owned(), value);
            }
        }
        restore_inner(rest, "message.", &mut message);
        message
    }
}
