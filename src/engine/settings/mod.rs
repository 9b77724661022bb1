//! The immutable snapshot that routing reads. `config` makes one from what was written; a request
//! pins one when it arrives and uses it to its end, whatever is reloaded meanwhile.

mod cache;
mod catalogue;
mod combo;
mod connection;
mod idempotency;
mod keeping;
mod limits;
mod model;
mod provider;
mod routing;
mod secret;
mod shaping;

pub use cache::Cache;
pub use catalogue::{Catalogue, Clash, PrefixMatch};
pub use combo::{Combo, Step, Wanted};
pub use connection::{About, Connection, Models};
pub use idempotency::Idempotency;
pub use keeping::Keeping;
pub use limits::{Limits, Timeouts};
pub use model::{ModelFacts, Price};
pub use provider::{
    AuthStyle, Declined, FreeTier, LimitHeaders, ModelWire, Provider, Quirk, Terms, Trust, WebSearch,
};
pub use routing::{AUTO, ROUND_ROBIN, Routing, Strategy, VIRTUAL_MODELS};
pub use secret::Secret;
pub use shaping::{Background, BySize, Shaping, SystemPrompt, ThinkingMode};

use std::sync::Arc;

/// Everything that may change while the hub runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The connections in the order in which they are tried.
    pub connections: Vec<Arc<Connection>>,
    /// The virtual models that the operator made, in the order of the file.
    pub combos: Vec<Arc<Combo>>,
    /// How targets are chosen.
    pub routing: Routing,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// How much is let in.
    pub limits: Limits,
    /// What is kept of Responses.
    pub responses: Keeping,
    /// Which answers are given again.
    pub cache: Cache,
    /// What is remembered of requests with an idempotency key.
    pub idempotency: Idempotency,
}
