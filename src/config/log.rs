//! The section `log`: what is written about the hub's work, and how. Nothing about receipts.

use super::{
    effective::Sink,
    fields::Fields,
    schema::{Key, Section},
};

const LEVEL: Key =
    Key::new("level", "one of off, error, warn, info, debug, trace", "info").short("LOG_LEVEL");
const FORMAT: Key = Key::new("format", "one of auto, text, json", "auto");

pub(super) static SECTION: Section = Section { name: "log", keys: &[LEVEL, FORMAT] };

/// How much is logged; each level includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What may need attention.
    Warn,
    /// What happened.
    #[default]
    Info,
    /// How it came about.
    Debug,
    /// Every step.
    Trace,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// The first word for a level is its name; `warning`, `fatal` and `silent` are what other programs say.
const LEVELS: [(&str, LogLevel); 9] = [
    ("off", LogLevel::Off),
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
    ("warning", LogLevel::Warn),
    ("fatal", LogLevel::Error),
    ("silent", LogLevel::Off),
];

const FORMATS: [(&str, LogFormat); 3] =
    [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> (LogLevel, LogFormat) {
    let level = fields.choice(sink, &LEVEL, &LEVELS, LogLevel::default());
    let format = fields.choice(sink, &FORMAT, &FORMATS, LogFormat::default());
    (level, format)
}
