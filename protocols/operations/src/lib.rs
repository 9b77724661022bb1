//! What can be asked of the hub: arguments, results, scopes and hints of each operation, in one place for
//! REST, MCP, A2A and the command line. Nothing is executed here.

mod scope;

pub use scope::{Scope, Scopes, UnknownScope};
