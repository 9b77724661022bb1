//! Which requests are shaped: an index over the combos of one settings snapshot, and what was done to a request, for its
//! receipt. The shaping of bodies is the surfaces', who know the dialects; that for a single target, the providers'.

use std::{collections::HashMap, sync::Arc};

use super::settings::{Settings, Shaping};

/// The combos that shape requests.
#[derive(Debug, Default)]
pub struct Shapers(HashMap<Arc<str>, Arc<Shaping>>);

/// Why a request went to another model than was asked for: one thing that was done to a request before it was planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It is a request of the background, and went to the model for those.
    Background,
    /// It is small, and went to the model for those.
    Small,
    /// It is large, and went to the model for those.
    Large,
}

/// What was done to a request before it was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shaped {
    /// The model as the client named it, where another is asked for now.
    pub asked: Option<String>,
    /// What was done, in order.
    pub shapes: Vec<Shape>,
}

impl Shape {
    /// The word for receipts and headers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

impl Shapers {
    pub(super) fn new(settings: &Settings) -> Self {
        let combos = settings.combos.iter().filter_map(|combo| {
            let shaping = combo.shaping.as_ref()?;
            Some((Arc::clone(&combo.id), Arc::clone(shaping)))
        });
        Self(combos.collect())
    }

    /// What is to be done to requests for this name.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&Arc<Shaping>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(name).or_else(|| self.0.get(name.strip_prefix("combo/")?))
    }

    /// Whether a conversation for this name is shortened where it is too long for its target.
    #[must_use]
    pub fn compresses(&self, name: &str) -> bool {
        self.of(name).is_some_and(|shaping| shaping.compress)
    }
}
