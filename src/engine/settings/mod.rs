//! The immutable snapshot that routing reads. `config` makes one from what was written; a request
//! pins one when it arrives and uses it to its end, whatever is reloaded meanwhile.

mod a2a;
mod allowance;
mod book;
mod budget;
mod cache;
pub mod calendar;
mod capture;
mod catalogue;
mod combo;
mod connection;
mod diagnosis;
mod hours;
mod idempotency;
mod issuer;
mod keeping;
mod key_limits;
mod limits;
mod mcp;
mod metrics;
mod model;
pub mod money;
mod names;
mod network;
mod oauth;
mod oidc;
mod price_sync;
mod pricelist;
mod provider;
mod proxy;
mod quota;
mod resilience;
mod retention;
mod routing;
mod scoring;
mod secret;
mod shaping;
mod telemetry;
mod tier;
mod visibility;
mod webhook;
mod zone;

pub use self::a2a::A2a;
pub use allowance::{Allowance, Pace};
pub use book::{BadRow, Known, ModelBook, PriceRule, Rows, Teller};
pub use budget::{Budget, Mode, Over, Scope, UnknownPrice, Window};
pub use cache::Cache;
pub use capture::Capture;
pub use catalogue::{Catalogue, Clash, PrefixMatch};
pub use combo::{Combo, Knobs, Step, Wanted};
pub use connection::{About, Connection, Models};
pub use diagnosis::DiagnosisSettings;
pub use hours::{Hours, WallClock};
pub use idempotency::Idempotency;
pub use issuer::Issuer;
pub use keeping::Keeping;
pub use key_limits::{Counted, KEY_WINDOWS, KeyLimits, KeyWindow, WINDOWS};
pub use limits::{Limits, Timeouts};
pub use mcp::{Mcp, ToolProfile};
pub use metrics::MetricsSettings;
pub use model::{LongPrompt, ModelFacts, Price};
pub use money::Usd;
pub use names::{AUTO_CATEGORIES, AUTO_TIERS, BELOW_AUTO, Mapping, TAGGED, fits, is_below_auto};
pub use network::{Access, Network, NoNetwork};
pub use oauth::{ClientAuth, Flow, OAuth};
pub use oidc::Oidc;
pub use price_sync::PriceSync;
pub use pricelist::{ListedModel, PriceList, PriceSource, Provenance};
pub use provider::{
    AuthStyle, Declined, FreeTier, LimitHeaders, ModelWire, Provider, Quirk, Terms, Trust, WebSearch,
};
pub use proxy::{Proxy, ProxyScheme};
pub use quota::{CREDIT, Heed, Limit, Quota, Reset, Span, Unit};
pub use resilience::{BreakerLimits, Profile, Resilience, Waiting};
pub use retention::Retention;
pub use routing::{AUTO, Adherence, ROUND_ROBIN, Routing, Strategy, VIRTUAL_MODELS};
pub use scoring::{AutoMode, Scoring, Weights};
pub use secret::Secret;
pub use shaping::{Background, BySize, Shaping, SystemPrompt, ThinkingMode};
pub use telemetry::Telemetry;
pub use tier::Tier;
pub use visibility::Hidden;
pub use webhook::{HookEvent, Webhook};
pub use zone::Zone;

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
    /// What may be spent, and by whom.
    pub budgets: Vec<Arc<Budget>>,
    /// Which answers are given again.
    pub cache: Cache,
    /// What is remembered of requests with an idempotency key.
    pub idempotency: Idempotency,
    /// How often each key may ask that says nothing of its own.
    pub keys: KeyLimits,
    /// Who may reach the hub.
    pub access: Access,
    /// How long it is kept what was written down of requests.
    pub retention: Retention,
    /// Whether messages are kept word for word.
    pub capture: Capture,
    /// Whom the hub tells of events, in the order of the file.
    pub webhooks: Vec<Arc<Webhook>>,
    /// Whether prices are fetched.
    pub price_sync: PriceSync,
    /// Whether the hub looks by itself whether connections are as they are configured.
    pub diagnosis: DiagnosisSettings,
    /// Where spans go.
    pub telemetry: Telemetry,
    /// Who sees the metrics.
    pub metrics: MetricsSettings,
    /// How the hub answers as an MCP server.
    pub mcp: Arc<Mcp>,
    /// How the hub answers as an agent.
    pub a2a: A2a,
}
