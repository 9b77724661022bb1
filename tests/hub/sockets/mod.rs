//! The running hub over real sockets: the built program as a child process, with a data directory and a
//! configuration file of its own, in front of simulated providers that run in the test's process.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test reports by panicking")]

mod backups;
mod bad_input;
mod bundles;
mod client;
mod commands;
mod declared;
mod demo;
mod doctor;
mod hangup;
mod idempotency;
mod import;
mod killed;
mod limits;
mod managed;
mod mcp_secrets;
mod mcp_wire;
mod names;
mod oauth;
mod outgoing;
mod postgres;
mod provider;
mod proxies;
mod raw;
mod reload;
mod restart;
mod secrets;
mod ssrf;
mod support;
mod tampering;
mod tasks;
mod websocket;
mod why;
