//! The running hub over real sockets: the built program as a child process, with a data directory and a
//! configuration file of its own, in front of simulated providers that run in the test's process.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

mod bad_input;
mod client;
mod demo;
mod hangup;
mod idempotency;
mod killed;
mod limits;
mod names;
mod postgres;
mod provider;
mod proxies;
mod raw;
mod reload;
mod restart;
mod secrets;
mod ssrf;
mod support;
mod websocket;
