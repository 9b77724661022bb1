//! What strategies remember from one request to the next.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::auto::Bench;

/// Names with a memory. More are not kept: only names that resolve get one, so a configuration with more
/// of them than this merely starts some turns anew.
const NAMES: usize = 10_000;

/// The strategies' memory.
#[derive(Debug, Default)]
pub struct Memory {
    slots: HashMap<Arc<str>, Slot>,
}

/// What one group's strategy remembers. Members are named by their place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Whose turn it is.
    Turn {
        /// The member.
        place: usize,
        /// For how many further requests.
        left: u32,
    },
    /// Who has not been drawn yet, the next one last.
    Deck(Vec<usize>),
    /// Who gave the last good answer.
    Good {
        /// The member.
        place: usize,
        /// When it was asked, in milliseconds since the Unix epoch.
        at: i64,
    },
    /// Who is left for last for a while.
    Bench(Vec<Bench>),
}

/// A change of the memory that using a plan makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The group.
    pub name: Arc<str>,
    /// What is remembered from now on.
    pub slot: Slot,
}

impl Memory {
    /// What is remembered of a group.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// Keeps a change.
    pub fn commit(&mut self, advance: Advance) {
        if self.slots.len() >= NAMES && !self.slots.contains_key(&advance.name) {
            self.slots.clear();
        }
        self.slots.insert(advance.name, advance.slot);
    }
}
