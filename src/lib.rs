//! Trivium, a multi-protocol agent hub: one engine behind many surfaces. See ARCHITECTURE.md for the map.

pub mod app;
pub mod auth;
pub mod cli;
pub mod config;
pub mod engine;
pub mod envelope;
pub mod observe;
pub mod ops;
pub mod outbound;
pub mod providers;
pub mod simulator;
pub mod store;
pub mod surfaces;
