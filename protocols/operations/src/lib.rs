//! What can be asked of the hub: arguments, results, scopes and hints of each operation, in one place for
//! REST, MCP, A2A and the command line. Nothing is executed here.

pub mod keys;
mod operation;
pub mod routing;
mod scope;
pub mod sessions;

pub use operation::{Hints, Invalid, Operation};
pub use scope::{Scope, Scopes, UnknownScope};
