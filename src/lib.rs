//! Trivium, a multi-protocol agent hub: one engine behind many surfaces. See ARCHITECTURE.md for the map.

pub mod auth;
pub mod engine;
pub mod ops;
pub mod store;
