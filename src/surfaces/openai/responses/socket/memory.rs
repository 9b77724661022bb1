//! What a socket remembers: the items of responses that nobody else keeps, each with what it went on from, so that a
//! conversation takes the memory of its items once. Bounded; the oldest goes first.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

/// Responses that a socket remembers.
const RESPONSES: usize = 1024;

/// The JSON of their items, in bytes: more than any model reads.
const BYTES: usize = 16 * 1024 * 1024;

/// What a response went on from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Before {
    /// From nothing, or it brought everything along.
    Nothing,
    /// From a response that is remembered here.
    Here(String),
    /// From a response that a provider keeps.
    Elsewhere(String),
}

struct Turn {
    before: Before,
    /// The items of its input and output, as a JSON array.
    items: String,
}

/// The responses of one socket.
pub(super) struct Memory {
    turns: HashMap<String, Turn>,
    /// Their ids, the oldest first.
    order: VecDeque<String>,
    bytes: usize,
    most: usize,
}

/// The conversation up to a response and with it.
#[derive(Debug, PartialEq)]
pub(super) struct History {
    pub(super) items: Vec<Value>,
    /// The response that a provider keeps, from which all this went on.
    pub(super) from: Option<String>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { turns: HashMap::new(), order: VecDeque::new(), bytes: 0, most: BYTES }
    }
}

impl Memory {
    /// Remembers a response. Older ones may have given way to it.
    pub(super) fn remember(&mut self, id: String, before: Before, items: Vec<Value>) {
        let turn = Turn { before, items: Value::Array(items).to_string() };
        self.bytes += turn.items.len();
        match self.turns.insert(id.clone(), turn) {
            Some(replaced) => self.bytes -= replaced.items.len(),
            None => self.order.push_back(id),
        }
        while self.bytes > self.most || self.order.len() > RESPONSES {
            let Some(oldest) = self.order.pop_front() else { return };
            self.bytes -= self.turns.remove(&oldest).map_or(0, |turn| turn.items.len());
        }
    }

    /// Whether a response was remembered, and may still be.
    pub(super) fn holds(&self, id: &str) -> bool {
        self.turns.contains_key(id)
    }

    /// The conversation that ends with this response; `None` when it or a part of it is not there any more.
    pub(super) fn history(&self, id: &str) -> Option<History> {
        let mut turns = Vec::new();
        let mut next = id;
        let from = loop {
            let turn = self.turns.get(next)?;
            // Ids come from providers: a circle of them ends here.
            if turns.len() >= RESPONSES {
                return None;
            }
            turns.push(turn);
            match &turn.before {
                Before::Nothing => break None,
                Before::Here(before) => next = before,
                Before::Elsewhere(from) => break Some(from.clone()),
            }
        };
        let mut items = Vec::new();
        for turn in turns.iter().rev() {
            items.append(&mut serde_json::from_str(&turn.items).ok()?);
        }
        Some(History { items, from })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    fn here(id: &str) -> Before {
        Before::Here(id.to_owned())
    }

    #[test]
    fn a_conversation_is_told_from_its_beginning() {
        let mut memory = Memory::default();
        memory.remember("a".into(), Before::Nothing, vec![json!(1), json!(2)]);
        memory.remember("b".into(), here("a"), vec![json!(3)]);
        memory.remember("c".into(), here("a"), vec![json!(4)]);
        let of = |id: &str| memory.history(id).map(|history| Value::Array(history.items));
        assert_eq!(of("b"), Some(json!([1, 2, 3])));
        assert_eq!(of("c"), Some(json!([1, 2, 4])), "branches do not see each other");
        assert_eq!(of("d"), None);
        memory.remember("e".into(), Before::Elsewhere("resp_0".into()), vec![json!(5)]);
        memory.remember("f".into(), here("e"), vec![]);
        let history = memory.history("f").unwrap();
        assert_eq!((history.items, history.from), (vec![json!(5)], Some("resp_0".into())));
    }

    #[test]
    fn the_oldest_gives_way_and_takes_its_conversation_along() {
        let mut memory = Memory { most: 20, ..Memory::default() };
        memory.remember("a".into(), Before::Nothing, vec![json!("12345678")]);
        memory.remember("b".into(), here("a"), vec![json!("1")]);
        assert!(memory.history("b").is_some());
        memory.remember("c".into(), Before::Nothing, vec![json!("123")]);
        assert!(!memory.holds("a") && memory.holds("b"));
        assert_eq!(memory.history("b"), None);
        memory.remember("c".into(), Before::Nothing, vec![]);
        assert_eq!(memory.bytes, 7);
        memory.remember("d".into(), Before::Nothing, vec![json!("x".repeat(30))]);
        assert_eq!((memory.bytes, memory.order.len()), (0, 0), "what is too large is not remembered");
        for number in 0..RESPONSES + 5 {
            memory.remember(number.to_string(), Before::Nothing, vec![]);
        }
        assert!(memory.turns.len() <= RESPONSES && memory.turns.len() == memory.order.len());
    }

    #[test]
    fn a_circle_has_no_history() {
        let mut memory = Memory::default();
        memory.remember("a".into(), here("b"), vec![]);
        memory.remember("b".into(), here("a"), vec![]);
        assert_eq!(memory.history("a"), None);
    }
}
