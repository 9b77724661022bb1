//! Thoughts: `reasoning_content`, `reasoning` and `reasoning_details` of an assistant's message, which providers added
//! to the dialect. Both directions, of requests and of answers.

use canon::{Block, Fields, Kind, Signature, Thinking};
use serde_json::{Map, Value};

use super::kept::{CHAT, Hints, rest_of, some};

/// The field for thoughts as plain text.
pub(super) const PLAIN: &str = "reasoning_content";

/// Another word for it.
const OTHER: &str = "reasoning";

const DETAILS: &str = "reasoning_details";

/// How a signature is read from the wire.
pub(super) type Read = fn(&str) -> Signature;

/// Takes the thoughts of a message.
pub(super) fn read(message: &mut Fields, blocks: &mut Vec<Block>, hints: &mut Hints, sign: Read) {
    let first = blocks.len();
    if let Some(details) = message.take(DETAILS) {
        match details {
            Value::Array(entries) if !entries.is_empty() => {
                blocks.extend(entries.into_iter().map(|entry| detail(entry, sign)));
            }
            other => message.put(DETAILS, other),
        }
    }
    let plain = take_text(message, PLAIN);
    let other = take_text(message, OTHER);
    let (field, text, second) = match (plain, other) {
        (None, None) => return,
        (Some(plain), other) => (PLAIN, plain, other),
        (None, Some(other)) => (OTHER, other, None),
    };
    if let Some(second) = second {
        if second == text {
            hints.push(("$reasoning", Value::String(second)));
        } else {
            message.put(OTHER, Value::String(second));
        }
    }
    let hint = if field == PLAIN { "$reasoning_content" } else { "$reasoning" };
    let detailed = blocks.get_mut(first..).unwrap_or_default();
    let told = detailed.iter().any(|block| thinking(block).is_some_and(|it| !it.text.is_empty()));
    if text.is_empty() || told {
        hints.push((hint, Value::String(text)));
    } else if let Some(block) = detailed.iter_mut().find(|block| is_signed_text(block)) {
        // A streamed answer tells the thoughts and signs them apart.
        if let Kind::Thinking(thinking) = &mut block.kind {
            thinking.text.clone_from(&text);
        }
        hints.push((hint, Value::String(text)));
    } else {
        let mut block = Block::new(Kind::Thinking(Thinking { text, ..Thinking::default() }));
        if field == OTHER {
            block.rest.hint(CHAT, "$field", OTHER);
        }
        blocks.insert(first, block);
    }
}

fn is_signed_text(block: &Block) -> bool {
    thinking(block).is_some_and(|it| it.signature.is_some() && !it.redacted)
}

fn thinking(block: &Block) -> Option<&Thinking> {
    match &block.kind {
        Kind::Thinking(thinking) => Some(thinking),
        _ => None,
    }
}

fn take_text(message: &mut Fields, name: &str) -> Option<String> {
    match message.take(name)? {
        Value::String(text) => Some(text),
        other => {
            message.put(name, other);
            None
        }
    }
}

/// A block from an entry of `reasoning_details`.
pub(super) fn detail(entry: Value, sign: Read) -> Block {
    let opaque = |value| {
        let mut block = Block::new(Kind::Opaque { dialect: CHAT, value });
        block.rest.hint(CHAT, "$detail", true);
        block
    };
    let kind = entry.get("type").and_then(Value::as_str).unwrap_or_default();
    let (text, signature, redacted) = match kind {
        "reasoning.text" => ("text", "signature", false),
        "reasoning.summary" => ("summary", "signature", false),
        "reasoning.encrypted" => ("text", "data", true),
        _ => return opaque(entry),
    };
    let odd = |name: &str| entry.get(name).is_some_and(|value| !value.is_string() && !value.is_null());
    if odd(text) || odd(signature) || odd("id") || (redacted && entry.get("data").is_none_or(Value::is_null))
    {
        return opaque(entry);
    }
    let Value::Object(map) = entry else { return opaque(entry) };
    let mut fields = Fields::new(map);
    let kind = fields.take("type").unwrap_or_default();
    let said = if redacted { None } else { take_text(&mut fields, text) };
    let mut hints = vec![("$detail", kind)];
    if said.is_none() {
        hints.push(("$untold", true.into()));
    }
    let signature = take_text(&mut fields, signature);
    let (signature, empty) = (signature.as_deref().filter(|it| !it.is_empty()).map(sign), signature);
    if signature.is_none() && empty.is_some() {
        hints.push(("$unsigned", true.into()));
    }
    let thinking =
        Thinking { text: said.unwrap_or_default(), signature, redacted, id: take_text(&mut fields, "id") };
    // How entries are numbered and formatted says nothing to other dialects.
    hints.push(("$entry", Value::Object(fields.into_map())));
    Block { kind: Kind::Thinking(thinking), cache: None, rest: rest_of(Fields::default(), hints) }
}

/// A thought that is to be written, and the signature that goes with it.
pub(super) struct Thought<'a> {
    pub(super) block: &'a Block,
    pub(super) signature: Option<String>,
    /// Whether only its words may be written, and as plain text.
    pub(super) plain: bool,
}

/// Writes thoughts into a message.
pub(super) fn write(thoughts: &[Thought<'_>], message: &mut Map<String, Value>) {
    let own = |thought: &Thought<'_>| !thought.plain && thought.block.rest.hinted(CHAT, "$detail").is_some();
    let signed = thoughts.iter().any(|it| !own(it) && it.signature.is_some());
    let mut details = Vec::new();
    for thought in thoughts {
        let thinking = match &thought.block.kind {
            Kind::Opaque { value, .. } => {
                details.push(value.clone());
                continue;
            }
            Kind::Thinking(thinking) => thinking,
            _ => continue,
        };
        let detailed = own(thought);
        if !detailed && !thinking.text.is_empty() {
            let hint = thought.block.rest.hinted(CHAT, "$field").filter(|_| !thought.plain);
            let field = hint.and_then(Value::as_str).unwrap_or(PLAIN);
            match message.get_mut(field) {
                Some(Value::String(there)) => there.push_str(&thinking.text),
                _ => drop(message.insert(field.to_owned(), thinking.text.as_str().into())),
            }
        }
        if detailed || signed {
            details.push(entry(thought, thinking, details.len()));
        }
    }
    if !details.is_empty() {
        message.insert(DETAILS.to_owned(), details.into());
    }
}

/// Puts back the plain thoughts that only repeated the details.
pub(super) fn repeat(rest: &canon::Rest, message: &mut Map<String, Value>) {
    for (hint, field) in [("$reasoning_content", PLAIN), ("$reasoning", OTHER)] {
        if let Some(text) = rest.hinted(CHAT, hint)
            && !message.contains_key(field)
        {
            message.insert(field.to_owned(), text.clone());
        }
    }
}

fn entry(thought: &Thought<'_>, thinking: &Thinking, index: usize) -> Value {
    let rest = &thought.block.rest;
    let hint = rest.hinted(CHAT, "$detail");
    let summary = hint.and_then(Value::as_str) == Some("reasoning.summary");
    let untold = rest.hinted(CHAT, "$untold").is_some();
    let unsigned = rest.hinted(CHAT, "$unsigned").map(|_| Value::String(String::new()));
    let signature = thought.signature.clone().map(Value::String).or(unsigned);
    let text = (!untold && !thinking.redacted).then(|| thinking.text.as_str().into());
    let (kind, text_field, sign_field) = match (thinking.redacted, summary) {
        (true, _) => ("reasoning.encrypted", "text", "data"),
        (false, true) => ("reasoning.summary", "summary", "signature"),
        (false, false) => ("reasoning.text", "text", "signature"),
    };
    let id = thinking.id.as_deref().map(Value::from);
    let kind = Some(kind.into());
    let mut entry = some([("type", kind), (text_field, text), (sign_field, signature), ("id", id)]);
    match rest.hinted(CHAT, "$entry") {
        Some(Value::Object(more)) => {
            entry.extend(more.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        _ => drop(entry.insert("index".to_owned(), index.into())),
    }
    entry.into()
}

/// An entry of `reasoning_details` for thoughts of any dialect.
pub(super) fn entry_of(thinking: &Thinking, signature: Option<String>, index: u32) -> Value {
    let (kind, text, field) = if thinking.redacted {
        ("reasoning.encrypted", None, "data")
    } else {
        ("reasoning.text", Some(thinking.text.as_str().into()), "signature")
    };
    let signature = signature.map(Value::String);
    some([("type", Some(kind.into())), ("text", text), (field, signature), ("index", Some(index.into()))])
        .into()
}
