//! Messages become items again.

use std::collections::{HashSet, VecDeque};

use canon::{Block, Dialect, Kind, Losses, Message, Rest, Role, Thinking, ToolCall, ToolResult, names};
use serde_json::{Map, Value};

use super::{OUTER, hint, reasoning, write_part};
use crate::responses::{CALL_ID_LIMIT, MADE_THOUGHTS, OWN};

/// What items are written for.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    /// A request to a target that takes the signatures of this maker.
    Request {
        /// Whose signatures the target takes.
        maker: &'a str,
        /// Whether earlier thoughts are not to be sent.
        strip: bool,
    },
    /// An answer to a client.
    Answer,
}

/// Items that are written one after the other.
pub(crate) struct Items<'a> {
    /// What they are written for.
    pub(super) purpose: Purpose<'a>,
    /// Whether they were items before, so that each is to be what it was.
    pub(super) native: bool,
    /// The logprobs that the texts of an answer have not yet used up.
    pub(super) logprobs: std::vec::IntoIter<Value>,
    /// What could not be said.
    pub(crate) losses: Losses,
    out: Vec<Value>,
    /// Items that have a fixed place in the list, in order.
    placed: VecDeque<(usize, Value)>,
    pairs: Pairs,
}

/// Keeps calls and results together where they do not say it alike.
#[derive(Default)]
struct Pairs {
    /// How many calls came without an id.
    unnamed: u32,
    /// Their new ids, until their results come.
    waiting: VecDeque<String>,
    /// The calls of custom tools: not every dialect says that a result is one of them.
    custom: HashSet<String>,
}

/// A message item that is being put together.
#[derive(Default)]
struct Open {
    outer: Map<String, Value>,
    parts: Vec<Value>,
    /// Whether its content is a text and no list.
    text: bool,
}

impl<'a> Items<'a> {
    /// No items yet.
    pub(crate) fn new(purpose: Purpose<'a>, native: bool) -> Self {
        let (logprobs, losses) = (Vec::new().into_iter(), Losses::default());
        let (out, placed, pairs) = (Vec::new(), VecDeque::new(), Pairs::default());
        Self { purpose, native, logprobs, losses, out, placed, pairs }
    }

    /// Items that stand at fixed places between the others.
    pub(crate) fn place(&mut self, items: impl IntoIterator<Item = (usize, Value)>) {
        self.placed.extend(items);
    }

    /// The logprobs of all texts.
    pub(crate) fn with_logprobs(&mut self, logprobs: Vec<Value>) {
        self.logprobs = logprobs.into_iter();
    }

    /// The list, and what could not be said.
    pub(crate) fn finish(mut self) -> (Vec<Value>, Losses) {
        self.out.extend(self.placed.into_iter().map(|(_, item)| item));
        (self.out, self.losses)
    }

    fn put(&mut self, item: Value) {
        while self.placed.front().is_some_and(|(at, _)| *at <= self.out.len()) {
            self.out.extend(self.placed.pop_front().map(|(_, item)| item));
        }
        self.out.push(item);
    }

    /// Writes a message. `role` is the word for its role.
    pub(crate) fn message(&mut self, message: &Message, role: &str) {
        if self.native {
            return self.blocks(&message.blocks, message.role, role, &message.rest);
        }
        message.rest.lost(&mut self.losses);
        // The outputs of tools come before what the user says beside them.
        let is_result = |block: &&Block| matches!(block.kind, Kind::ToolResult(_));
        let (results, others): (Vec<&Block>, Vec<&Block>) = message.blocks.iter().partition(is_result);
        self.blocks(results.into_iter().chain(others), message.role, role, &Rest::default());
    }

    /// Writes blocks; the hints among `rest` say where items stood that said nothing.
    pub(crate) fn blocks<'b>(
        &mut self,
        blocks: impl IntoIterator<Item = &'b Block>,
        speaker: Role,
        role: &str,
        rest: &Rest,
    ) {
        let blocks: Vec<&Block> = blocks.into_iter().collect();
        // An id would ask the provider for the thoughts that belong to it: without them it must not be sent.
        let ids = self.native && !blocks.iter().any(|block| self.is_withheld(block));
        let mut empty = empties(rest).peekable();
        let mut open = Open::default();
        for (at, block) in blocks.into_iter().enumerate() {
            while let Some((_, item)) = empty.next_if(|(before, _)| *before <= at) {
                self.close(&mut open, role);
                self.put(item.clone());
            }
            if block.cache.is_some() {
                self.losses.dropped("cache_control");
            }
            let first = block.rest.hinted(OWN, hint::ITEM).and_then(Value::as_object);
            if is_part(block) {
                if first.is_some() {
                    self.close(&mut open, role);
                }
                self.add_part(block, speaker == Role::Assistant, first, ids, &mut open);
            } else {
                self.close(&mut open, role);
                self.item(block, ids);
            }
        }
        self.close(&mut open, role);
        for (_, item) in empty {
            self.put(item.clone());
        }
    }

    fn add_part(
        &mut self,
        block: &Block,
        assistant: bool,
        first: Option<&Map<String, Value>>,
        ids: bool,
        open: &mut Open,
    ) {
        if let Some(known) = first {
            let sent = |name: &str| ids || name != "id";
            open.outer.extend(
                known
                    .iter()
                    .filter(|(name, _)| sent(name))
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        } else if open.parts.is_empty() && open.outer.is_empty() {
            open.outer.insert("type".to_owned(), "message".into());
        }
        let outer = block.rest.of(OWN).into_iter().flatten();
        let outer =
            outer.filter_map(|(name, value)| Some((name.strip_prefix(OUTER)?.to_owned(), value.clone())));
        open.outer.extend(outer);
        let plain = matches!(&block.kind, Kind::Text { citations, .. } if citations.is_empty());
        let short = matches!(self.purpose, Purpose::Request { .. }) && plain && !self.native;
        open.text = open.parts.is_empty() && (short || block.rest.hinted(OWN, hint::STRING).is_some());
        open.parts.extend(write_part::write(block, assistant, self));
    }

    /// Puts a message item that is complete into the list.
    fn close(&mut self, open: &mut Open, role: &str) {
        let Open { outer: mut item, mut parts, text } = std::mem::take(open);
        if parts.is_empty() {
            return;
        }
        item.insert("role".to_owned(), role.into());
        let only = if text && parts.len() == 1 { parts.pop() } else { None };
        let content = match only {
            Some(Value::Object(mut part)) => part.shift_remove("text").unwrap_or_default(),
            _ => Value::Array(parts),
        };
        item.insert("content".to_owned(), content);
        self.put(Value::Object(item));
    }

    fn item(&mut self, block: &Block, ids: bool) {
        let mut item = match &block.kind {
            Kind::ToolCall(call) => self.call(call),
            Kind::ToolResult(result) => self.result(result, &block.rest),
            Kind::Thinking(thinking) => {
                if self.is_withheld(block) {
                    return self.losses.dropped("thinking");
                }
                let made = thinking.id.as_deref().is_some_and(|id| id.starts_with(MADE_THOUGHTS));
                let id = ids && !(made && matches!(self.purpose, Purpose::Request { .. }));
                reasoning::written(thinking, &block.rest, self.signature(thinking), id)
            }
            Kind::Opaque { value, .. } => return self.put(value.clone()),
            // All others are parts.
            _ => return,
        };
        for (hint, name) in [(hint::ID, "id"), (hint::STATUS, "status")] {
            if let Some(value) = block.rest.hinted(OWN, hint).filter(|_| ids || name != "id") {
                item.insert(name.to_owned(), value.clone());
            }
        }
        block.rest.write(OWN, &mut item, &mut self.losses);
        self.put(Value::Object(item));
    }

    /// Whether a block holds thoughts that the target could not take.
    fn is_withheld(&self, block: &Block) -> bool {
        let (Kind::Thinking(thinking), Purpose::Request { maker, strip }) = (&block.kind, self.purpose)
        else {
            return false;
        };
        let signature = thinking.signature.as_ref();
        // Without a signature only a provider's own id can bring them back.
        let found = self.native && !thinking.id.as_deref().is_some_and(|id| id.starts_with(MADE_THOUGHTS));
        strip || !signature.map_or(found, |signature| signature.is_of(maker, self.native))
    }

    fn signature(&self, thinking: &Thinking) -> Option<String> {
        let signature = thinking.signature.as_ref()?;
        Some(match self.purpose {
            Purpose::Request { .. } => signature.data.clone(),
            Purpose::Answer => signature.written(),
        })
    }

    fn call(&mut self, call: &ToolCall) -> Map<String, Value> {
        if call.signature.is_some() {
            self.losses.dropped("thinking.signature");
        }
        let (kind, input) =
            if call.custom { ("custom_tool_call", "input") } else { ("function_call", "arguments") };
        let id = self.call_id(&call.id);
        if call.id.is_empty() {
            self.pairs.waiting.push_back(id.clone());
        }
        if call.custom {
            self.pairs.custom.insert(id.clone());
        }
        let mut item = Map::new();
        let mut put = |name: &str, value: &str| item.insert(name.to_owned(), value.into());
        put("type", kind);
        put("call_id", &id);
        if let Some(namespace) = &call.namespace {
            put("namespace", namespace);
        }
        if self.native {
            put("name", &call.name);
            put(input, &call.arguments);
        } else {
            put("name", &names::flat(None, &call.name));
            let nothing = call.arguments.is_empty() && !call.custom;
            put(input, if nothing { "{}" } else { &call.arguments });
        }
        item
    }

    fn result(&mut self, result: &ToolResult, rest: &Rest) -> Map<String, Value> {
        if result.failed {
            self.losses.dropped("is_error");
        }
        let answered = if result.call.is_empty() { self.pairs.waiting.pop_front() } else { None };
        let id = answered.unwrap_or_else(|| self.call_id(&result.call));
        let custom = result.custom || (!self.native && self.pairs.custom.contains(&id));
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        let mut item = Map::new();
        item.insert("type".to_owned(), kind.into());
        if !(self.native && result.call.is_empty()) {
            item.insert("call_id".to_owned(), id.into());
        }
        for (hint, name) in [(hint::NAME, "name"), (hint::NAMESPACE, "namespace")] {
            if let Some(value) = rest.hinted(OWN, hint) {
                item.insert(name.to_owned(), value.clone());
            }
        }
        if self.native && rest.hinted(OWN, hint::STRING).is_none() && result.content.is_empty() {
            item.insert("output".to_owned(), Value::Array(Vec::new()));
            return item;
        }
        let text = rest.hinted(OWN, hint::STRING).is_some() || !self.native;
        item.insert("output".to_owned(), self.output(&result.content, text));
        item
    }

    /// The output of a tool: a text where that is enough and `text` is wanted, else a list.
    fn output(&mut self, content: &[Block], text: bool) -> Value {
        if content.iter().any(|block| block.cache.is_some()) {
            self.losses.dropped("cache_control");
        }
        match content {
            [] => "".into(),
            [block] if text && block.as_text().is_some() => block.as_text().unwrap_or_default().into(),
            blocks => blocks.iter().filter_map(|block| write_part::write(block, false, self)).collect(),
        }
    }

    fn call_id(&mut self, id: &str) -> String {
        if self.native && id.len() <= CALL_ID_LIMIT {
            return id.to_owned();
        }
        if id.is_empty() {
            self.pairs.unnamed += 1;
            return names::made("", self.pairs.unnamed);
        }
        names::fitted(id, CALL_ID_LIMIT).into_owned()
    }
}

/// Whether a block is a part of a message item, and no item of its own. What another dialect alone can say is neither,
/// and is declared where parts are written.
fn is_part(block: &Block) -> bool {
    match &block.kind {
        Kind::ToolCall(_) | Kind::ToolResult(_) | Kind::Thinking(_) => false,
        Kind::Opaque { dialect: Dialect::Responses, .. } => block.rest.hinted(OWN, hint::PART).is_some(),
        _ => true,
    }
}

/// The items that said nothing, and the blocks before which they stood.
fn empties(rest: &Rest) -> impl Iterator<Item = (usize, &Value)> {
    let list = rest.hinted(OWN, hint::EMPTY).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(|entry| Some((usize::try_from(entry.get("at")?.as_u64()?).ok()?, entry.get("item")?)))
}
