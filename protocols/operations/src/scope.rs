//! What a caller may do. A scope names a kind of operation; a key holds a set of them.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A right that a key can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Scope {
    /// Ask models for answers.
    #[serde(rename = "execute:completions")]
    ExecuteCompletions,
    /// List models.
    #[serde(rename = "read:models")]
    ReadModels,
    /// See connections, their state, and which of them served a request.
    #[serde(rename = "read:health")]
    ReadHealth,
    /// See how connections stand and who is logged in to them (never tokens).
    #[serde(rename = "read:connections")]
    ReadConnections,
    /// Log in to connections and out of them.
    #[serde(rename = "write:connections")]
    WriteConnections,
    /// List keys (never their text).
    #[serde(rename = "read:keys")]
    ReadKeys,
    /// Create, revoke and rotate keys.
    #[serde(rename = "write:keys")]
    WriteKeys,
}

impl Scope {
    /// Every scope, in the order in which they are listed to people.
    pub const ALL: [Self; 7] = [
        Self::ExecuteCompletions,
        Self::ReadModels,
        Self::ReadHealth,
        Self::ReadConnections,
        Self::WriteConnections,
        Self::ReadKeys,
        Self::WriteKeys,
    ];

    /// The scope's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExecuteCompletions => "execute:completions",
            Self::ReadModels => "read:models",
            Self::ReadHealth => "read:health",
            Self::ReadConnections => "read:connections",
            Self::WriteConnections => "write:connections",
            Self::ReadKeys => "read:keys",
            Self::WriteKeys => "write:keys",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownScope(pub String);

impl fmt::Display for UnknownScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a scope; the scopes are ", self.0)?;
        for (at, scope) in Scope::ALL.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownScope {}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == word)
            .ok_or_else(|| UnknownScope(word.to_owned()))
    }
}

/// A set of scopes: a few bits, so that asking costs nothing on the hot path.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Scopes(u32);

impl Scopes {
    /// Every scope.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// What a key gets when nothing else is asked for: what a client of the model API needs.
    #[must_use]
    pub fn client() -> Self {
        [Scope::ExecuteCompletions, Scope::ReadModels].into_iter().collect()
    }

    /// Whether the set holds `scope`.
    #[must_use]
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & (1 << scope as u32) != 0
    }

    /// The scopes of the set, in their order.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | (1 << scope as u32)))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
