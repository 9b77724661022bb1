//! Executes the operations of `protocols/operations`: one file per noun, called alike by REST, MCP, A2A and the
//! command line. How a request is decoded or an answer rendered is the surface's.

pub mod accounts;
pub mod admin;
pub mod affinity;
pub mod agent;
pub mod audit;
pub mod backups;
pub mod budgets;
pub mod cache;
pub mod capture;
pub mod checks;
pub mod completions;
pub mod diagnosis;
pub mod documents;
mod error;
pub mod health;
pub mod idempotency;
pub mod keys;
pub mod mcp;
pub mod metrics;
pub mod models;
pub mod oauth;
mod own;
mod page;
pub mod ports;
pub mod prices;
pub mod providers;
pub mod quotas;
pub mod registry;
pub mod reports;
pub mod responses;
pub mod routing;
pub mod signing;
pub mod skills;
pub mod spending;
pub mod steering;
pub mod tasks;
pub mod telemetry;
pub mod tool_calls;
pub mod traces;
pub mod usage;
pub mod watch;
pub mod webhooks;

pub use error::OpError;
