//! Items: the pieces that the input of a request and the output of an answer are lists of.
//!
//! The fields of a message item lie on its first part: the known ones under the hint [`hint::ITEM`], the unknown ones
//! in the rest under names that begin with [`OUTER`], so that losing them is declared.

mod call;
mod conversation;
mod data_url;
mod media;
mod part;
mod reasoning;
mod write;
mod write_media;
mod write_part;

use canon::{Block, DecodeError, Fields, Kind, Rest, Role};
use serde_json::{Map, Value};

use super::{OWN, compaction};

pub(super) use conversation::{Conversation, add};
pub(super) use part::citation;
pub(super) use reasoning::{BETWEEN, texts};
pub(super) use write::{Items, Purpose};
pub(super) use write_part::annotation;

/// What the name of an unknown field of a message item begins with in the rest of its first part.
const OUTER: &str = "message.";

/// Names of the hints on spelling.
pub(super) mod hint {
    /// On the first part of a message item: the known fields of the item.
    pub(crate) const ITEM: &str = "$item";
    /// On a part that is opaque, to tell it from an opaque item.
    pub(crate) const PART: &str = "$part";
    /// On what was a text where a list could have stood.
    pub(crate) const STRING: &str = "$string";
    /// On a part with another type than its role suggests: that type.
    pub(crate) const TYPE: &str = "$type";
    /// On a text whose list of annotations is empty, but there.
    pub(crate) const ANNOTATIONS: &str = "$annotations";
    /// On a text of an answer: how many of the answer's logprobs are its own.
    pub(crate) const LOGPROBS: &str = "$logprobs";
    /// On a message: items that say nothing, and before which block they stood.
    pub(crate) const EMPTY: &str = "$empty";
    /// On a file whose base64 stood there without a data URL around it.
    pub(crate) const BARE: &str = "$bare";
    /// On a sound: the word for its format.
    pub(crate) const FORMAT: &str = "$format";
    /// On thoughts: the summary as it was written.
    pub(crate) const SUMMARY: &str = "$summary";
    /// On thoughts: the content as it was written.
    pub(crate) const CONTENT: &str = "$content";
    /// The id of an item.
    pub(crate) const ID: &str = "$id";
    /// The status of an item.
    pub(crate) const STATUS: &str = "$status";
    /// The name of the tool that a result repeats, and its namespace.
    pub(crate) const NAME: &str = "$name";
    /// See [`NAME`].
    pub(crate) const NAMESPACE: &str = "$namespace";
}

/// One item that was read.
pub(super) struct Item {
    /// Who speaks in it.
    pub(super) role: Role,
    /// Whether it is a message, and not a call, an output or the like.
    pub(super) message: bool,
    /// What it holds.
    pub(super) blocks: Vec<Block>,
    /// The whole item, where it says nothing.
    pub(super) empty: Option<Value>,
}

impl Item {
    fn of(role: Role, block: Block) -> Self {
        Self { role, message: false, blocks: vec![block], empty: None }
    }

    fn opaque(fields: Fields) -> Self {
        let value = Value::Object(fields.into_map());
        Self::of(reporter(kind_of(&value)), Block::new(Kind::Opaque { dialect: OWN, value }))
    }
}

/// Reads one item. What is not understood is kept as it is.
pub(super) fn read(value: Value) -> Result<Item, DecodeError> {
    let fields = Fields::of(value)?;
    let untyped = fields.peek_str("type").is_none();
    match fields.peek_str("type").unwrap_or("message") {
        "message" => message(fields, untyped),
        "function_call" => Ok(call::read(fields, false)),
        "custom_tool_call" => Ok(call::read(fields, true)),
        "function_call_output" => call::read_output(fields, false),
        "custom_tool_call_output" => call::read_output(fields, true),
        "reasoning" => Ok(reasoning::read(fields)),
        kind if compaction::KINDS.contains(&kind) => Ok(compacted(fields)),
        _ => Ok(Item::opaque(fields)),
    }
}

/// The type of an object.
pub(super) fn kind_of(value: &Value) -> &str {
    value.get("type").and_then(Value::as_str).unwrap_or("unknown")
}

/// Who an item comes from that is known by its type alone: what tools and people report is the user's.
fn reporter(kind: &str) -> Role {
    match kind {
        "mcp_approval_response" | "compaction_trigger" | "configuration_update" => Role::User,
        kind if kind.ends_with("_output") => Role::User,
        _ => Role::Assistant,
    }
}

/// What the hub made itself is read again, and is the user's to say; what others made is theirs to read.
fn compacted(fields: Fields) -> Item {
    match fields.peek_str("encrypted_content").and_then(compaction::summary) {
        Some(summary) => Item {
            role: Role::User,
            message: true,
            blocks: vec![Block::text(compaction::told(&summary))],
            empty: None,
        },
        None => Item::opaque(fields),
    }
}

fn message(mut fields: Fields, untyped: bool) -> Result<Item, DecodeError> {
    let role = match fields.peek_str("role") {
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        Some("system") => Role::System,
        Some("developer") => Role::Developer,
        // An object without type and role that has an id is a reference.
        None if untyped && fields.peek_str("id").is_some() => return Ok(Item::opaque(fields)),
        None => return Err(DecodeError::new("role", "is missing")),
        Some(_) => return Ok(Item::opaque(fields)),
    };
    if says_nothing(fields.peek("content")) {
        let empty = Some(Value::Object(fields.into_map()));
        return Ok(Item { role, message: true, blocks: Vec::new(), empty });
    }
    let mut blocks = match fields.take("content") {
        Some(Value::String(text)) => {
            let mut block = Block::text(text);
            block.rest.hint(OWN, hint::STRING, true);
            vec![block]
        }
        Some(Value::Array(parts)) => {
            parts.into_iter().map(|value| part::read(value, role == Role::Assistant)).collect()
        }
        _ => return Err(DecodeError::new("content", "must be a string or an array")),
    };
    if let Some(first) = blocks.first_mut() {
        keep_outer(fields.into_map(), &mut first.rest);
    }
    Ok(Item { role, message: true, blocks, empty: None })
}

/// Whether a content has nothing to say, whatever its form.
fn says_nothing(content: Option<&Value>) -> bool {
    match content {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(parts)) => parts.iter().all(part::is_empty_text),
        Some(_) => false,
    }
}

/// Keeps the fields of a message item on its first part.
fn keep_outer(outer: Map<String, Value>, rest: &mut Rest) {
    let mut known = Map::new();
    for (name, value) in outer {
        match name.as_str() {
            "role" => {}
            "type" | "id" | "status" | "phase" => {
                known.insert(name, value);
            }
            _ => rest.hint(OWN, &format!("{OUTER}{name}"), value),
        }
    }
    rest.hint(OWN, hint::ITEM, known);
}

/// Moves a field of an item into a hint: other dialects have no such thing, and miss nothing.
fn keep(fields: &mut Fields, name: &str, hint: &'static str, kept: &mut Vec<(&'static str, Value)>) {
    kept.extend(fields.take(name).map(|value| (hint, value)));
}

/// The rest of an item, with its hints.
fn rest_of(fields: Fields, kept: Vec<(&'static str, Value)>) -> Rest {
    let mut rest = fields.rest(OWN);
    for (name, value) in kept {
        rest.hint(OWN, name, value);
    }
    rest
}
