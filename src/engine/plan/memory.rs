//! What strategies remember from one request to the next.

use std::{collections::HashMap, sync::Arc};

/// Names with a place. More are not kept: only names that resolve get one, so a configuration with more
/// of them than this merely starts some turns anew.
const NAMES: usize = 10_000;

/// The strategies' memory.
#[derive(Debug, Default)]
pub struct Memory {
    places: HashMap<Arc<str>, usize>,
}

/// A change of the memory that using a plan makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The name that was asked for.
    pub name: Arc<str>,
    /// The place of the next turn.
    pub place: usize,
}

impl Memory {
    /// The place of the next turn for `name`.
    #[must_use]
    pub fn place(&self, name: &str) -> usize {
        self.places.get(name).copied().unwrap_or(0)
    }

    /// Keeps a change.
    pub fn commit(&mut self, advance: Advance) {
        if self.places.len() >= NAMES && !self.places.contains_key(&advance.name) {
            self.places.clear();
        }
        self.places.insert(advance.name, advance.place);
    }
}
