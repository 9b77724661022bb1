//! What the hub says about itself: log events as functions with names and types, and the log's shape.
//! Nothing here decides anything.

pub mod events;
pub mod log;
