//! Who asks. `auth` makes a [`Caller`] from a credential; `policy` judges what it may do.

use std::{net::IpAddr, sync::Arc};

use operations::{Scope, Scopes};

/// The identity behind a request, on whichever surface it came in.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Stable identifier: the key's id, or the name of a built-in identity (`env`, `local`).
    pub id: Arc<str>,
    /// Name for people.
    pub name: Arc<str>,
    /// How the caller proved who it is.
    pub kind: CallerKind,
    /// What it may do.
    pub scopes: Scopes,
    /// Where the request came from, when it came over a network.
    pub address: Option<IpAddr>,
}

/// How a caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A key that the hub issued and keeps as a hash.
    Key,
    /// The key given by the operator in `API_KEY`.
    Environment,
    /// A command on the same machine that could read the hub's runtime file.
    Local,
}

impl Caller {
    /// Whether the caller holds `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }
}
