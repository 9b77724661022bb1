//! The shape of the log: lines for people on a terminal, JSON elsewhere when that is asked for. Always on stderr:
//! stdout belongs to what commands print, and to protocols that speak over it.

use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer, filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt,
};

/// Libraries that write whole messages into the log: keys, prompts and answers are among them. What is worth a line, the
/// hub says itself.
const TALKATIVE: [&str; 1] = ["rmcp"];

/// How lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Lines for people; colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log. A second call in one process changes nothing.
pub fn start(level: LevelFilter, format: Format) {
    let layer = match format {
        Format::Text => {
            fmt::layer().with_target(false).with_ansi(stderr().is_terminal()).with_writer(stderr).boxed()
        }
        Format::Json => {
            fmt::layer().json().flatten_event(true).with_target(false).with_writer(stderr).boxed()
        }
    };
    let quiet = TALKATIVE.map(|name| (name, LevelFilter::OFF));
    let filter = Targets::new().with_default(level).with_targets(quiet);
    // Only the first log of a process counts; a test that starts several hubs has one already.
    drop(registry().with(layer.with_filter(filter)).try_init());
}
