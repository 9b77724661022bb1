//! The behaviour of a hub: in process on a paused clock where time matters, over real sockets where sockets do.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod accounts;
mod budgets;
mod cache;
mod choosing;
mod combos;
mod compaction;
mod cost;
mod crossing;
mod day;
mod deadlines;
mod dialects;
mod faults;
mod fixtures;
mod freerouter;
mod idempotency;
mod models;
mod multivibe;
mod names;
mod omniroute;
mod operating;
mod quotas;
mod races;
mod resilience;
mod responses;
mod shapes;
mod shaping;
mod silence;
mod sockets;
mod strategies;
mod support;
mod translation;
mod why;
mod windows;
