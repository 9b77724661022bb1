//! Tool calls while they stream: which call a piece belongs to, whatever a provider does with indexes and ids.

use std::collections::HashMap;

use canon::{Delta, Event, Opening, Signature, names};
use serde_json::Value;

use super::chunk::{Call, Function, index, text};

/// The calls of an answer so far.
#[derive(Debug, Default)]
pub(super) struct OpenCalls {
    calls: Vec<Open>,
    /// The call that last came under an index.
    by_index: HashMap<u64, usize>,
    by_id: HashMap<String, usize>,
}

#[derive(Debug, Default)]
struct Open {
    id: String,
    custom: bool,
    /// Its block, once its name is known.
    block: Option<u32>,
    /// What came before the name.
    waiting: String,
    /// A signature that came before the name.
    signature: Option<String>,
    /// The last byte of the arguments.
    last: Option<u8>,
}

/// A piece of a call, in one shape for all spellings.
struct Piece {
    index: Option<u64>,
    id: Option<String>,
    name: Option<String>,
    arguments: Option<String>,
    custom: bool,
    signature: Option<String>,
}

impl Piece {
    fn of(call: Call) -> Self {
        let custom = call.custom.is_some();
        let function = call.custom.or(call.function).unwrap_or_default();
        let signature = call.extra_content.get("google").and_then(|google| google.get("thought_signature"));
        let arguments = match if custom { function.input } else { function.arguments } {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        Self {
            index: index(&call.index),
            id: text(call.id),
            name: text(function.name),
            arguments: arguments.filter(|text| !text.is_empty()),
            custom,
            signature: signature.cloned().and_then(text),
        }
    }
}

impl OpenCalls {
    /// Whether the answer calls a tool.
    pub(super) fn any(&self) -> bool {
        !self.calls.is_empty()
    }

    /// Takes a piece of a call. `next` is the index of the next block; `answer` is the answer's id.
    pub(super) fn push(&mut self, call: Call, answer: &str, next: &mut u32, out: &mut Vec<Event>) {
        let piece = Piece::of(call);
        if piece.id.is_none()
            && piece.name.is_none()
            && piece.arguments.is_none()
            && piece.signature.is_none()
        {
            return;
        }
        let at = self.find(&piece).unwrap_or_else(|| self.begin(&piece, answer));
        let Some(open) = self.calls.get_mut(at) else { return };
        if let (None, Some(name)) = (open.block, piece.name) {
            open.open(name, next, out);
        }
        if let Some(arguments) = piece.arguments {
            open.last = arguments.bytes().last();
            match open.block {
                Some(index) => out.push(Event::Delta { index, delta: Delta::Text(arguments) }),
                None => open.waiting.push_str(&arguments),
            }
        }
        match (open.block, piece.signature) {
            (Some(index), Some(data)) => out.push(signed(index, data)),
            (None, Some(data)) => open.signature = Some(data),
            (_, None) => {}
        }
    }

    /// The deprecated single call.
    pub(super) fn push_single(&mut self, call: Function, answer: &str, next: &mut u32, out: &mut Vec<Event>) {
        let call = Call { index: 0.into(), function: Some(call), ..Call::default() };
        self.push(call, answer, next, out);
    }

    /// The call that a piece goes on with. An index that comes again with another id, or with a name when the call
    /// under it looks complete, is a new call: some providers count nothing.
    fn find(&self, piece: &Piece) -> Option<usize> {
        let Some(index) = piece.index else {
            let last = self.calls.len().checked_sub(1);
            return match (&piece.id, &piece.name) {
                (Some(id), name) => self.by_id.get(id).copied().or(last.filter(|_| name.is_none())),
                (None, Some(_)) => last.filter(|&at| !self.is_again(at, piece) && self.is_nameless(at)),
                (None, None) => last,
            };
        };
        let at = *self.by_index.get(&index)?;
        let same = match &piece.id {
            // No call begins without a name: some make a new id for each piece.
            Some(id) => piece.name.is_none() || self.by_id.get(id) == Some(&at),
            None => !self.is_again(at, piece),
        };
        same.then_some(at)
    }

    fn is_nameless(&self, at: usize) -> bool {
        self.calls.get(at).is_some_and(|open| open.block.is_none())
    }

    fn is_again(&self, at: usize, piece: &Piece) -> bool {
        let complete = self.calls.get(at).is_some_and(|open| open.last == Some(b'}'));
        complete && piece.name.is_some() && piece.arguments.as_ref().is_some_and(|it| it.starts_with('{'))
    }

    /// A new call, whose id is made where the provider gave none or one that another call has.
    fn begin(&mut self, piece: &Piece, answer: &str) -> usize {
        let at = self.calls.len();
        let count = u32::try_from(at).unwrap_or(u32::MAX);
        let given = piece.id.clone().filter(|id| !self.by_id.contains_key(id));
        let id = given.unwrap_or_else(|| names::made(answer, count));
        self.by_id.insert(id.clone(), at);
        if let Some(index) = piece.index {
            self.by_index.insert(index, at);
        }
        self.calls.push(Open { id, custom: piece.custom, ..Open::default() });
        at
    }

    /// Closes all calls. What never got a name is no call.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        out.extend(self.calls.drain(..).filter_map(|open| Some(Event::Close { index: open.block? })));
        self.by_index.clear();
        self.by_id.clear();
    }
}

impl Open {
    fn open(&mut self, name: String, next: &mut u32, out: &mut Vec<Event>) {
        let index = *next;
        *next += 1;
        self.block = Some(index);
        let id = self.id.clone();
        let block = Opening::ToolCall { id, name, namespace: None, custom: self.custom };
        out.push(Event::Open { index, block });
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            out.push(Event::Delta { index, delta: Delta::Text(waiting) });
        }
        out.extend(self.signature.take().map(|data| signed(index, data)));
    }
}

fn signed(index: u32, data: String) -> Event {
    Event::Delta { index, delta: Delta::Signature(Signature { data, maker: None }) }
}
