//! Executes the operations of `protocols/operations`: one file per noun, called alike by REST, MCP, A2A and the
//! command line. How a request is decoded or an answer rendered is the surface's.

pub mod capture;
mod error;
pub mod idempotency;
pub mod keys;
pub mod metrics;
pub mod ports;
pub mod prices;
pub mod responses;
pub mod routing;
pub mod telemetry;
pub mod traces;
pub mod usage;
pub mod watch;
pub mod webhooks;

pub use error::OpError;
