//! The behaviour of a hub: in process on a paused clock where time matters, over real sockets where sockets do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod cache;
mod combos;
mod compaction;
mod crossing;
mod deadlines;
mod dialects;
mod faults;
mod fixtures;
mod idempotency;
mod models;
mod responses;
mod shapes;
mod shaping;
mod silence;
mod sockets;
mod strategies;
mod support;
mod translation;
