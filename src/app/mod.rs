//! The composition root: the only place that names every layer. It puts a hub together from its parts, and
//! gives the command line what it needs of layers that it may not know.

mod admin;
mod agent;
mod backups;
mod bundles;
mod clock;
mod configuration;
pub mod doctor;
mod download;
mod first_key;
mod heart;
mod hub;
mod local;
mod mcp;
mod mock;
mod observing;
mod operations;
mod place;
mod post;
mod reload;
mod secrets;
mod upkeep;

pub use admin::LocalAdmin;
pub use backups::restore_backup;
pub use bundles::{BundleError, make_identity, open_bundle};
pub use clock::{SystemClock, now_ms};
pub use configuration::{Configured, Live};
pub use first_key::write_first_key;
pub use heart::{Heart, relay_lost, relaying};
pub use hub::{Hub, Options, Parts, StartError};
pub use local::{Local, LocalError, running_hub};
pub use mock::{Mock, MockError, MockOptions, OnLine};
pub use operations::{Executors, registry};
pub use reload::follow;
pub use secrets::{rotate_secret, verify_secret};

use std::sync::Arc;

use canon::Dialect;

use crate::{
    engine::{
        presets,
        settings::{Catalogue, Combo, Settings},
    },
    observe::log::{self, Format},
    providers::{self, Providers},
};

pub use crate::providers::catalog::CatalogueError;

/// The dialects in which providers can be spoken to.
pub const SPOKEN: &[Dialect] = Providers::SPOKEN;

/// The catalogue of providers that is built in.
///
/// # Errors
/// Never with the data that tests have seen.
pub fn catalogue() -> Result<Arc<Catalogue>, CatalogueError> {
    providers::catalog::builtin().map(Arc::new)
}

/// Combos that are worth having for what is configured, for people to paste.
#[must_use]
pub fn preset_combos(settings: &Settings) -> Vec<Combo> {
    presets::presets(settings)
}

/// Starts the log of this process.
pub fn start_log(boot: &crate::config::Boot) {
    use crate::config::{LogFormat, LogLevel};
    use tracing::level_filters::LevelFilter;
    let level = match boot.log_level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let format = match boot.log_format {
        LogFormat::Json => Format::Json,
        LogFormat::Text => Format::Text,
        LogFormat::Auto if std::io::IsTerminal::is_terminal(&std::io::stderr()) => Format::Text,
        LogFormat::Auto => Format::Json,
    };
    log::start(level, format);
}

/// Says a warning about the configuration in the log.
pub fn warn(text: &str) {
    crate::observe::events::configuration_warning(text);
}
