//! Blocks of the parts of a content.

use std::collections::{HashMap, HashSet, VecDeque};

use canon::{Block, DecodeError, Dialect, Fields, Kind, Rest, Signature, Thinking, ToolCall, names};
use serde_json::{Map, Value};

use super::{media, result};
use crate::generate::{hints, signature::SKIP, spelling};

/// Gives calls without an id one, and finds the call of a result without one: calls of one name are answered in order.
#[derive(Debug, Default)]
pub(in crate::generate) struct Calls {
    /// What tells these ids apart from others.
    seed: String,
    /// How many calls there were.
    count: u32,
    /// By name, the calls that wait for their result.
    waiting: HashMap<String, VecDeque<String>>,
    /// The ids that have their result.
    answered: HashSet<String>,
}

impl Calls {
    /// Calls of an answer or a conversation that `seed` tells apart.
    pub(in crate::generate) fn new(seed: &str) -> Self {
        // A seed is hashed for each id: a long one, once.
        let seed = if seed.len() > 64 { format!("{:016x}", names::hash(seed)) } else { seed.to_owned() };
        Self { seed, ..Self::default() }
    }

    /// The id of a call, and whether it was made here.
    pub(in crate::generate) fn called(&mut self, id: Option<String>, name: &str) -> (String, bool) {
        let index = self.count;
        self.count += 1;
        let given = id.filter(|id| !id.is_empty());
        let made = given.is_none();
        let id = given.unwrap_or_else(|| names::made(&self.seed, index));
        self.waiting.entry(name.to_owned()).or_default().push_back(id.clone());
        (id, made)
    }

    /// The id of the call that a result answers, and whether it was found here.
    pub(super) fn answered(&mut self, id: Option<String>, name: &str) -> (String, bool) {
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            self.answered.insert(id.clone());
            return (id, false);
        }
        let waiting = self.waiting.entry(name.to_owned()).or_default();
        while let Some(id) = waiting.pop_front() {
            if self.answered.insert(id.clone()) {
                return (id, true);
            }
        }
        (names::made(name, self.count), true)
    }
}

/// Reads parts.
pub(in crate::generate) struct Reader<'a> {
    /// How signatures are read: as a client or as a provider sends them.
    pub(in crate::generate) signature: fn(&str) -> Signature,
    /// The thoughts that travel within a signature; a provider's has none.
    pub(in crate::generate) thoughts: fn(&str) -> Option<String>,
    /// The calls so far.
    pub(in crate::generate) calls: &'a mut Calls,
}

impl Reader<'_> {
    /// Reads parts in their order. Those that say nothing are returned by their place, for the encoder of the same
    /// dialect.
    pub(in crate::generate) fn parts(
        &mut self,
        parts: Vec<Value>,
        blocks: &mut Vec<Block>,
    ) -> Result<Map<String, Value>, DecodeError> {
        let mut silent = Map::new();
        for (at, part) in parts.into_iter().enumerate() {
            let part = self.part(part, blocks).map_err(|error| error.within(&format!("[{at}]")))?;
            if let Some(part) = part {
                silent.insert(at.to_string(), part);
            }
        }
        Ok(silent)
    }

    /// Reads one part; gives it back if it says nothing.
    pub(in crate::generate) fn part(
        &mut self,
        part: Value,
        blocks: &mut Vec<Block>,
    ) -> Result<Option<Value>, DecodeError> {
        let Value::Object(mut map) = part else { return Err(DecodeError::new("", "must be an object")) };
        let found = spelling::tidy(&mut map, &spelling::PART);
        if says_nothing(&map) {
            let mut rest = Rest::default();
            spelling::keep(&mut rest, found);
            spelling::restore(&mut map, &rest);
            return Ok(Some(Value::Object(map)));
        }
        let mut fields = Fields::new(map);
        if fields.peek("text").is_some_and(Value::is_string) {
            self.text(fields, found, blocks)?;
            return Ok(None);
        }
        let signature = self.signature(&mut fields)?;
        let is_object = |fields: &Fields, name: &str| fields.peek(name).is_some_and(Value::is_object);
        let (kind, mut rest, on_call) = if is_object(&fields, "functionCall") {
            let (kind, rest) = self.call(fields, signature.clone())?;
            (kind, rest, true)
        } else if is_object(&fields, "functionResponse") {
            let (kind, rest) = result::decode(fields, self)?;
            (kind, rest, false)
        } else {
            let (kind, rest) = media::decode(fields)?;
            (kind, rest, false)
        };
        let key = key_of(found.as_ref());
        spelling::keep(&mut rest, found);
        blocks.push(Block { kind, cache: None, rest });
        if let Some(signature) = signature.filter(|_| !on_call) {
            blocks.push(signed("$previous", key, signature));
        }
        Ok(None)
    }

    fn signature(&self, fields: &mut Fields) -> Result<Option<Signature>, DecodeError> {
        Ok(fields.string("thoughtSignature")?.map(|wire| (self.signature)(&wire)))
    }

    fn text(
        &self,
        mut fields: Fields,
        found: Option<Map<String, Value>>,
        blocks: &mut Vec<Block>,
    ) -> Result<(), DecodeError> {
        let text = fields.need_string("text")?;
        let carried = fields.peek("thoughtSignature").and_then(Value::as_str).and_then(self.thoughts);
        let signature = self.signature(&mut fields)?;
        let key = key_of(found.as_ref());
        let thought = fields.peek("thought") == Some(&Value::Bool(true));
        if thought {
            fields.flag("thought")?;
        }
        let alone = fields.is_empty();
        let mut rest = fields.rest(Dialect::Gemini);
        match (thought, signature) {
            (true, signature) => {
                spelling::keep(&mut rest, found);
                // As thoughts that are withheld are written for clients: see the encoder.
                let named = signature.as_ref().is_some_and(|signature| signature.maker.is_some());
                let redacted = named && text.is_empty();
                let thinking = Thinking { text, signature, redacted, id: None };
                blocks.push(Block { kind: Kind::Thinking(thinking), cache: None, rest });
            }
            (false, Some(signature)) if text.is_empty() && carried.is_some() => {
                let mut block = signed("$bare", key, signature);
                hints::leave(&mut block.rest, CARRIED, true);
                if let Kind::Thinking(thinking) = &mut block.kind {
                    thinking.text = carried.unwrap_or_default();
                }
                blocks.push(block);
            }
            (false, Some(signature)) if text.is_empty() => {
                if let Some(signature) = attached(blocks, alone, key, signature) {
                    let mut block = signed("$bare", key, signature);
                    rest.fields.append(&mut block.rest.fields);
                    block.rest = Rest::new(Dialect::Gemini, rest.fields);
                    spelling::keep(&mut block.rest, found);
                    blocks.push(block);
                }
            }
            (false, signature) => {
                spelling::keep(&mut rest, found);
                let kind = Kind::Text { text, citations: Vec::new() };
                blocks.push(Block { kind, cache: None, rest });
                blocks.extend(signature.map(|signature| signed("$previous", key, signature)));
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        mut fields: Fields,
        signature: Option<Signature>,
    ) -> Result<(Kind, Rest), DecodeError> {
        let mut call = fields.object("functionCall")?.unwrap_or_default();
        let within = |error: DecodeError| error.within("functionCall");
        let name = call.need_string("name").map_err(within)?;
        let (id, made) = self.calls.called(call.string("id").map_err(within)?, &name);
        let args = call.take("args");
        let mut rest = fields.rest(Dialect::Gemini);
        // The value that stands for a signature is none, and no other dialect misses it.
        let skipped = signature.as_ref().is_some_and(|signature| signature.data == SKIP);
        if skipped {
            hints::leave(&mut rest, "$skip", true);
        }
        let signature = signature.filter(|_| !skipped);
        if made {
            hints::leave(&mut rest, "$made", true);
        }
        if args.is_none() {
            hints::leave(&mut rest, "$noArgs", true);
        }
        hints::fold(&mut rest, "functionCall", call.into_map());
        let arguments = args.map_or_else(|| "{}".to_owned(), |args| args.to_string());
        let call = ToolCall { id, name, namespace: None, arguments, custom: false, signature };
        Ok((Kind::ToolCall(call), rest))
    }
}

/// On thoughts that came within their signature.
pub(in crate::generate) const CARRIED: &str = "$carried";

/// Whether a part is nothing but an empty text.
fn says_nothing(part: &Map<String, Value>) -> bool {
    let silent = |(name, value): (&String, &Value)| match name.as_str() {
        "text" => value.as_str() == Some(""),
        "thought" => true,
        _ => value.is_null(),
    };
    part.iter().all(silent)
}

/// The name under which the signature stood.
fn key_of(found: Option<&Map<String, Value>>) -> &'static str {
    let renamed = found.and_then(|found| found.get("")).and_then(Value::as_array);
    let snake = renamed.is_some_and(|names| names.iter().any(|name| name == "thought_signature"));
    if snake { "thought_signature" } else { "thoughtSignature" }
}

/// A signature that stands for itself: thoughts that are not shown.
fn signed(hint: &str, key: &str, signature: Signature) -> Block {
    let thinking = Thinking { signature: Some(signature), ..Thinking::default() };
    let mut block = Block::new(Kind::Thinking(thinking));
    hints::leave(&mut block.rest, hint, key);
    block
}

/// Puts a signature that came in an empty text on the thoughts before it; gives it back if there are none without.
fn attached(blocks: &mut [Block], alone: bool, key: &str, signature: Signature) -> Option<Signature> {
    let Some(Block { kind: Kind::Thinking(thinking), rest, .. }) = blocks.last_mut().filter(|_| alone) else {
        return Some(signature);
    };
    if thinking.signature.is_some() {
        return Some(signature);
    }
    thinking.signature = Some(signature);
    hints::leave(rest, "$after", key);
    None
}
