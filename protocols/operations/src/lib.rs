//! What can be asked of the hub: arguments, results, scopes and hints of each operation, in one place for
//! REST, MCP, A2A and the command line. Nothing is executed here.

pub mod accounts;
pub mod affinity;
pub mod aliases;
pub mod audit;
pub mod backups;
pub mod bundle;
pub mod cache;
pub mod captures;
mod catalog;
pub mod checks;
pub mod completions;
mod definition;
pub mod diagnosis;
pub mod documents;
pub mod health;
pub mod keys;
pub mod mcp;
pub mod models;
pub mod oauth;
pub mod openapi;
mod operation;
mod page;
pub mod prices;
pub mod providers;
pub mod quotas;
pub mod reports;
mod route;
pub mod routing;
mod scope;
pub mod search;
pub mod sessions;
pub mod spending;
pub mod steering;
pub mod tasks;
pub mod traces;
pub mod usage;
pub mod webhooks;

pub use definition::Definition;
pub use operation::{Hints, Invalid, Operation};
pub use route::{Method, Route};
pub use scope::{Scope, Scopes, UnknownScope};
