//! Trivium, a multi-protocol agent hub: one engine behind many surfaces. See ARCHITECTURE.md for the map.

pub mod config;
pub mod engine;
pub mod observe;
pub mod outbound;
pub mod providers;
