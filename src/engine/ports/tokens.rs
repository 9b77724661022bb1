//! What the planner asks of those who hold the tokens of connections that people log in to.

use std::sync::Arc;

use crate::engine::settings::Connection;

/// Why a connection with a login has no token that could be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Its owner must log in.
    Login,
    /// It could not be renewed a moment ago, and is tried again soon.
    Pause {
        /// When, in milliseconds since the Unix epoch.
        until: i64,
        /// What happened.
        message: Arc<str>,
    },
}

/// Somebody who holds tokens.
pub trait Tokens: Send + Sync {
    /// What is lacking for a request to `connection`, which has a login. A token that has merely ended is not: the request
    /// waits while it is renewed. Looks at memory alone, and never waits.
    fn lack(&self, connection: &Connection) -> Option<Lack>;
}
