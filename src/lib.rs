//! Trivium.
pub mod simulator;
