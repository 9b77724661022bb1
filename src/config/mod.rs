//! Configuration: from what was written (file, environment, command line) to what holds
//! (`engine::settings::Settings` and [`Boot`]). The only place that reads the process environment. Opens no
//! sockets and knows no store; `docs/configuration.md` is its page for users.

mod auth;
mod auto;
mod backups;
mod boot;
mod budgets;
mod cache;
mod capture;
mod combos;
mod diagnosis;
mod effective;
mod env;
mod excerpt;
mod fields;
mod fingerprint;
mod idempotency;
mod interpolate;
mod kept;
mod keys;
mod layers;
mod load;
mod locate;
mod log;
mod managed;
mod mask;
mod mcp;
mod metrics;
mod multivibe;
mod node;
mod oidc;
mod origin;
mod parse;
mod price_sync;
mod prices;
mod problem;
mod providers;
mod proxy;
mod render;
mod resilience;
mod responses;
mod retention;
mod routing;
mod schema;
mod server;
mod source;
mod store;
mod telemetry;
mod timeouts;
mod watch;
mod webhooks;
mod wishes;
mod yaml_text;

#[cfg(test)]
mod tests;

pub use backups::BackupSchedule;
pub use boot::Boot;
pub use combos::write as write_combos;
pub use effective::Effective;
pub use env::{Env, Folders};
pub use excerpt::Excerpt;
pub use kept::{moved_secret, unknown_mask};
pub use layers::Overrides;
pub use load::{Loaded, Loader};
pub use log::{LogFormat, LogLevel};
pub use managed::yaml_value;
pub use managed::{Declared, Managed, SETTINGS, SetAside, masked, with_kept_secrets};
pub use mask::REDACTED;
pub use origin::Origin;
pub use problem::{Problem, Severity};
pub use render::{Style, render_effective, render_problems};
pub use source::Source;
pub use watch::{Reload, Watch};
pub use wishes::{Wish, Wishes, identity};
pub use yaml_text::yaml_text;
