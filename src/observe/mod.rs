//! What the hub says about itself: log events as functions with names and types, the log's shape, the text of metrics, and the
//! message of spans.
//! Nothing here decides anything.

pub mod events;
pub mod exposition;
pub mod log;
pub mod otlp;
