//! The chat dialect: what may be asked, what is said, and how it looks on the wire.
//!
//! Nothing here waits, and nothing here knows of faults.

pub(super) mod reply;
pub(super) mod request;
mod schema;
mod tools;
pub(super) mod wire;
