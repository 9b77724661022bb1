//! What one request needs of a target, as far as that can be known before it is sent.

mod reading;

use canon::Dialect;

use super::task::TaskKind;

/// The needs of one request. What is not known is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Need {
    /// It brings tools.
    pub tools: bool,
    /// It shows images.
    pub vision: bool,
    /// It wants an answer after a schema.
    pub structured: bool,
    /// The tokens of the prompt, about.
    pub prompt: u64,
    /// The tokens that the prompt has at the very least.
    pub prompt_at_least: u64,
    /// The most tokens that the answer may have, where the client said so.
    pub answer: Option<u64>,
    /// A number for the request's beginning: conversations that begin alike have the same.
    pub beginning: Option<u64>,
    /// A number for the session that the client named.
    pub session: Option<u64>,
    /// What it is about.
    pub task: Option<TaskKind>,
    /// What the client wants of the targets.
    pub wishes: Option<Box<Wishes>>,
}

/// What a client wants of the targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Providers or connections that go first, in this order.
    pub order: Vec<String>,
    /// Providers or connections that may be used; empty: all.
    pub only: Vec<String>,
    /// Providers or connections that may not be used.
    pub ignore: Vec<String>,
    /// The most that the request may be expected to cost, in picodollars. Who has no known price may not be used.
    pub max_cost: Option<u64>,
    /// The only tier that may be used.
    pub tier: Option<super::settings::Tier>,
    /// Nobody who may learn from what is sent.
    pub no_training: bool,
    /// What the request is about, by the client's own word.
    pub task: Option<TaskKind>,
}

/// The dialect of this name; that of most clients where none is given. `None` where there is no such dialect.
#[must_use]
pub fn dialect(name: Option<&str>) -> Option<Dialect> {
    name.map_or(Some(Dialect::Chat), |name| name.parse().ok())
}

/// Tokens of an answer whose length nobody bounded, for the sake of comparing prices.
const USUAL_ANSWER: u64 = 500;

impl Need {
    /// The tokens of the answer, about.
    #[must_use]
    pub fn expected_answer(&self) -> u64 {
        self.answer.map_or(USUAL_ANSWER, |most| most.min(USUAL_ANSWER))
    }
}
