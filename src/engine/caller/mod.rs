//! Who asks. `auth` makes a [`Caller`] from a credential; `policy` judges what it may do.

mod address;
mod policy;

use std::{net::IpAddr, sync::Arc};

use operations::{Scope, Scopes};

pub use address::whole;
pub use policy::{Policy, Sieve};

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
    /// What holds for it beside its scopes; `None`, as usual: nothing.
    pub policy: Option<Arc<Policy>>,
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
    /// A person who has logged in.
    Session,
    /// A token that an issuer which the operator trusts has signed.
    Token,
}

impl CallerKind {
    /// Whether what the configuration says for all keys holds for it.
    #[must_use]
    pub const fn is_limited(self) -> bool {
        matches!(self, Self::Key | Self::Token)
    }
}

impl Caller {
    /// Whether the caller holds `scope`.
    #[must_use]
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(scope)
    }

    /// Whether it sees what belongs to other callers: their usage, requests, sessions and budgets.
    #[must_use]
    pub fn sees_others(&self) -> bool {
        self.may(Scope::ReadKeys)
    }

    /// Whether the list of tools that it may call over MCP, where it has one, holds this one. Scopes are another matter.
    #[must_use]
    pub fn may_call(&self, tool: &str) -> bool {
        self.policy.as_ref().is_none_or(|policy| policy.may_call(tool))
    }

    /// Whether nothing that it says, or is told, may be written down.
    #[must_use]
    pub fn is_unlogged(&self) -> bool {
        self.policy.as_ref().is_some_and(|policy| policy.no_log)
    }
}
