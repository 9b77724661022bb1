//! What outlives a request: stored responses, and the prompt prefixes that each key has cached.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::ask::CacheMark;

/// Stored responses that are kept; the oldest go first.
const RESPONSES: usize = 2_000;

/// Items whose owner is known; when there are more, all are forgotten.
const ITEMS: usize = 100_000;

/// Conversations that are held; when there are more, all are forgotten.
const THREADS: usize = 10_000;

/// How long a conversation is held.
const THREAD_LIFE: Duration = Duration::from_secs(300);

/// Prefixes that are kept; when there are more, all are forgotten.
const PREFIXES: usize = 100_000;

/// Everything that is remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    responses: HashMap<String, Stored>,
    order: VecDeque<String>,
    /// Items of stored responses by their ids.
    items: HashMap<String, Item>,
    prefixes: HashSet<(String, u64)>,
    /// Conversations that are held, by the key and the id of their last message, and when each was last used.
    threads: HashMap<(String, String), (Instant, Value)>,
}

/// A response that can be asked for again.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// The key it belongs to.
    pub(super) key: String,
    /// The response object.
    pub(super) body: Value,
    /// What was asked, item by item.
    pub(super) input: Vec<Value>,
    /// The response before it.
    pub(super) previous: Option<String>,
}

/// An item of a stored response.
#[derive(Clone, Debug)]
struct Item {
    key: String,
    /// The reasoning right before it.
    reasoning: Option<String>,
}

impl Memory {
    /// A stored response of this key.
    pub(super) fn response(&self, key: &str, id: &str) -> Option<&Stored> {
        self.responses.get(id).filter(|stored| stored.key == key)
    }

    /// A stored response of this key, to be changed.
    pub(super) fn response_mut(&mut self, key: &str, id: &str) -> Option<&mut Stored> {
        self.responses.get_mut(id).filter(|stored| stored.key == key)
    }

    /// Stores a response.
    pub(super) fn store(&mut self, id: String, stored: Stored) {
        if self.responses.len() >= RESPONSES
            && let Some(oldest) = self.order.pop_front()
        {
            self.responses.remove(&oldest);
        }
        if self.items.len() > ITEMS {
            self.items.clear();
        }
        let mut reasoning = None;
        for item in stored.body["output"].as_array().into_iter().flatten() {
            let Some(id) = item["id"].as_str() else { continue };
            let key = stored.key.clone();
            if item["type"] == "reasoning" {
                reasoning = Some(id.to_owned());
                self.items.insert(id.to_owned(), Item { key, reasoning: None });
            } else {
                self.items.insert(id.to_owned(), Item { key, reasoning: reasoning.take() });
            }
        }
        self.order.push_back(id.clone());
        self.responses.insert(id, stored);
    }

    /// Whether an item of this id was stored for this key.
    pub(super) fn has_item(&self, key: &str, id: &str) -> bool {
        self.items.get(id).is_some_and(|item| item.key == key)
    }

    /// The reasoning that led to a stored item.
    pub(super) fn reasoning_of(&self, key: &str, id: &str) -> Option<&str> {
        self.items.get(id).filter(|item| item.key == key)?.reasoning.as_deref()
    }

    /// Holds a conversation under the id of its last message.
    pub(super) fn hold(&mut self, key: &str, id: &str, conversation: Value) {
        if self.threads.len() >= THREADS {
            self.threads.clear();
        }
        self.threads.insert((key.to_owned(), id.to_owned()), (Instant::now(), conversation));
    }

    /// A conversation that is still held.
    pub(super) fn thread(&self, key: &str, id: &str) -> Option<&Value> {
        let (used, conversation) = self.threads.get(&(key.to_owned(), id.to_owned()))?;
        Some(conversation).filter(|_| used.elapsed() < THREAD_LIFE)
    }

    /// Forgets a response; says whether it was there.
    pub(super) fn forget(&mut self, key: &str, id: &str) -> bool {
        let there = self.response(key, id).is_some();
        if there {
            self.responses.remove(id);
            self.order.retain(|known| known != id);
        }
        there
    }

    /// Tokens that are read from the cache and written to it, with these marks; what is written can be read next time.
    pub(super) fn cache(&mut self, key: &str, marks: &[CacheMark]) -> (u64, u64) {
        if self.prefixes.len() > PREFIXES {
            self.prefixes.clear();
        }
        let seen = |mark: &&CacheMark| self.prefixes.contains(&(key.to_owned(), mark.hash));
        let read = marks.iter().rfind(seen).map_or(0, |mark| mark.tokens);
        let written = marks.last().map_or(0, |mark| mark.tokens.saturating_sub(read));
        self.prefixes.extend(marks.iter().map(|mark| (key.to_owned(), mark.hash)));
        (read, written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_written_once_and_then_read_by_the_same_key() {
        let marks = [CacheMark { tokens: 10, hash: 1 }, CacheMark { tokens: 30, hash: 2 }];
        let mut memory = Memory::default();
        assert_eq!(memory.cache("a", &marks[..1]), (0, 10));
        assert_eq!(memory.cache("a", &marks), (10, 20));
        assert_eq!(memory.cache("a", &marks), (30, 0));
        assert_eq!(memory.cache("b", &marks), (0, 30));
        assert_eq!(memory.cache("a", &[]), (0, 0));
    }
}
