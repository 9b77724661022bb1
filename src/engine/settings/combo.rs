//! A combo: a virtual model that the operator made of others.

use std::{sync::Arc, time::Duration};

use super::{Adherence, Scoring, Shaping, Strategy};

/// Ordered steps and a strategy. An alias is a combo with the strategy `priority`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combo {
    /// The name that clients ask for.
    pub id: Arc<str>,
    /// What it is for, in the operator's words.
    pub description: Option<String>,
    /// The strategy that chooses the step.
    pub strategy: Strategy,
    /// The strategy that chooses the account where several serve a step's model.
    pub connections: Strategy,
    /// Requests in a row that stay with one step, where the strategy takes turns or draws. At least 1.
    pub sticky: u32,
    /// Whether a step whose account is of a better tier goes before all others.
    pub by_tier: bool,
    /// How `auto` scores the steps, where that differs from the section `auto`.
    pub scoring: Option<Box<Scoring>>,
    /// Whether its answers are kept and given again; `None`: as usual.
    pub cache: Option<bool>,
    /// Whether a request waits for one like it that is under way; `None`: as usual.
    pub join: Option<bool>,
    /// What is done to its requests.
    pub shaping: Option<Arc<Shaping>>,
    /// What holds for its requests instead of the settings for all; `None`: nothing. Of combos within combos only the
    /// one that the client asked for counts.
    pub knobs: Option<Arc<Knobs>>,
    /// `auto`, or a name below it, which is tried when nothing else of the combo can be used. Likewise.
    pub fallback: Option<Arc<str>>,
    /// The steps in order; at least one.
    pub steps: Vec<Step>,
}

/// What holds for the requests of a combo; what is `None` is as for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Knobs {
    /// How often one target is asked again before the next one is; instead of [`super::Resilience::retries`].
    pub retries: Option<u32>,
    /// The pause before that; instead of [`super::Resilience::retry_pause`].
    pub retry_pause: Option<Duration>,
    /// From the request's arrival to its end; instead of [`super::Timeouts::total`].
    pub deadline: Option<Duration>,
    /// Whether a session stays with the target that answered it last; instead of [`super::Routing::affinity`].
    pub affinity: Option<Adherence>,
}

/// One step of a combo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it leads to.
    pub wanted: Wanted,
    /// Its share where the strategy draws.
    pub weight: u32,
}

/// What a step leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A model, by a name as clients write it, or every listed model below a prefix (`groq/*`) or with a tag (`tag/fast`).
    Model {
        /// The name.
        name: Arc<str>,
        /// The only account that may serve it, by its id.
        connection: Option<Arc<str>>,
    },
    /// Another combo, by its id.
    Combo(Arc<str>),
}

impl Step {
    /// The name under which the accounts of this step take their turns.
    #[must_use]
    pub fn name_for_turns(&self) -> Arc<str> {
        match &self.wanted {
            Wanted::Model { name, connection: Some(connection) } => format!("{name}@{connection}").into(),
            Wanted::Model { name, .. } | Wanted::Combo(name) => Arc::clone(name),
        }
    }
}
