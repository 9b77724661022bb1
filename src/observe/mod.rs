//! What the hub says about itself: log events as functions with names and types, the log's shape, and the text of metrics.
//! Nothing here decides anything.

pub mod events;
pub mod exposition;
pub mod log;
