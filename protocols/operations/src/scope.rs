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
    /// See the state of connections, and which of them served a request.
    #[serde(rename = "read:health")]
    ReadHealth,
    /// List keys (never their text) and their policies.
    #[serde(rename = "read:keys")]
    ReadKeys,
    /// Create, change, revoke and rotate keys.
    #[serde(rename = "write:keys")]
    WriteKeys,
    /// List connections and providers (never a credential).
    #[serde(rename = "read:connections")]
    ReadConnections,
    /// Create, change, test and delete connections, and log them in.
    #[serde(rename = "write:connections")]
    WriteConnections,
    /// Show, hide, rank and discover models.
    #[serde(rename = "write:models")]
    WriteModels,
    /// List combos, aliases and the map of names.
    #[serde(rename = "read:combos")]
    ReadCombos,
    /// Create, change and delete combos, aliases and entries of the map of names.
    #[serde(rename = "write:combos")]
    WriteCombos,
    /// See the windows of quotas and what is left of them.
    #[serde(rename = "read:quota")]
    ReadQuota,
    /// See usage, cost and budgets.
    #[serde(rename = "read:usage")]
    ReadUsage,
    /// See single requests, and what was captured of them.
    #[serde(rename = "read:traces")]
    ReadTraces,
    /// Create, change, delete and reset budgets.
    #[serde(rename = "write:budget")]
    WriteBudget,
    /// Change prices.
    #[serde(rename = "write:pricing")]
    WritePricing,
    /// Reset cooldowns, lockouts and breakers.
    #[serde(rename = "write:resilience")]
    WriteResilience,
    /// See settings (never a secret).
    #[serde(rename = "read:settings")]
    ReadSettings,
    /// Change settings.
    #[serde(rename = "write:settings")]
    WriteSettings,
    /// See who changed what.
    #[serde(rename = "read:audit")]
    ReadAudit,
    /// List backups.
    #[serde(rename = "read:backups")]
    ReadBackups,
    /// Make, verify and delete backups; export and import.
    #[serde(rename = "write:backups")]
    WriteBackups,
    /// See what the cache of answers does.
    #[serde(rename = "read:cache")]
    ReadCache,
    /// Clear the cache of answers.
    #[serde(rename = "write:cache")]
    WriteCache,
    /// Read all definitions at once (never a secret): what a hub or a script that follows this one needs, and nothing else.
    #[serde(rename = "read:bundle")]
    ReadBundle,
    /// Take the secrets of definitions away, encrypted to whom the caller names.
    #[serde(rename = "export:secrets")]
    ExportSecrets,
    /// Have the web searched by models that can.
    #[serde(rename = "execute:search")]
    ExecuteSearch,
    /// See the tasks of agents.
    #[serde(rename = "read:tasks")]
    ReadTasks,
    /// End tasks of agents.
    #[serde(rename = "write:tasks")]
    WriteTasks,
}

impl Scope {
    /// Every scope, in the order in which they are listed to people.
    pub const ALL: [Self; 28] = [
        Self::ExecuteCompletions,
        Self::ReadModels,
        Self::ReadHealth,
        Self::ReadKeys,
        Self::WriteKeys,
        Self::ReadConnections,
        Self::WriteConnections,
        Self::WriteModels,
        Self::ReadCombos,
        Self::WriteCombos,
        Self::ReadQuota,
        Self::ReadUsage,
        Self::ReadTraces,
        Self::WriteBudget,
        Self::WritePricing,
        Self::WriteResilience,
        Self::ReadSettings,
        Self::WriteSettings,
        Self::ReadAudit,
        Self::ReadBackups,
        Self::WriteBackups,
        Self::ReadCache,
        Self::WriteCache,
        Self::ReadBundle,
        Self::ExportSecrets,
        Self::ExecuteSearch,
        Self::ReadTasks,
        Self::WriteTasks,
    ];

    /// The scope's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExecuteCompletions => "execute:completions",
            Self::ReadModels => "read:models",
            Self::ReadHealth => "read:health",
            Self::ReadKeys => "read:keys",
            Self::WriteKeys => "write:keys",
            Self::ReadConnections => "read:connections",
            Self::WriteConnections => "write:connections",
            Self::WriteModels => "write:models",
            Self::ReadCombos => "read:combos",
            Self::WriteCombos => "write:combos",
            Self::ReadQuota => "read:quota",
            Self::ReadUsage => "read:usage",
            Self::ReadTraces => "read:traces",
            Self::WriteBudget => "write:budget",
            Self::WritePricing => "write:pricing",
            Self::WriteResilience => "write:resilience",
            Self::ReadSettings => "read:settings",
            Self::WriteSettings => "write:settings",
            Self::ReadAudit => "read:audit",
            Self::ReadBackups => "read:backups",
            Self::WriteBackups => "write:backups",
            Self::ReadCache => "read:cache",
            Self::WriteCache => "write:cache",
            Self::ReadBundle => "read:bundle",
            Self::ExportSecrets => "export:secrets",
            Self::ExecuteSearch => "execute:search",
            Self::ReadTasks => "read:tasks",
            Self::WriteTasks => "write:tasks",
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

    /// The scopes that a list names, with commas between: names, and beginnings of names with `*` behind them.
    ///
    /// # Errors
    /// When a word names none.
    pub fn matching(list: &str) -> Result<Self, UnknownScope> {
        let mut found = Self::default();
        for word in list.split(',').map(str::trim) {
            let fits = |scope: &Scope| match word.strip_suffix('*') {
                Some(beginning) => scope.as_str().starts_with(beginning),
                None => scope.as_str() == word,
            };
            let named: Self = Scope::ALL.into_iter().filter(fits).collect();
            if named == Self::default() {
                return Err(UnknownScope(word.to_owned()));
            }
            found.0 |= named.0;
        }
        Ok(found)
    }

    /// The scopes that both sets hold.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(list: &str) -> Result<Vec<&'static str>, String> {
        let found = Scopes::matching(list).map_err(|error| error.0)?;
        Ok(found.iter().map(Scope::as_str).collect())
    }

    #[test]
    fn lists_name_scopes_and_beginnings_of_scopes() {
        assert_eq!(
            matching("write:keys, execute:completions"),
            Ok(vec!["execute:completions", "write:keys"])
        );
        let reading = Scopes::matching("read:*").unwrap_or_default();
        assert!(
            reading.iter().all(|scope| scope.as_str().starts_with("read:")) && reading.iter().count() > 3
        );
        assert_eq!(Scopes::matching("*").ok(), Some(Scopes::all()));
        assert_eq!(Scopes::all().and(reading), reading);
        for wrong in ["", "read:nothing", "read", "read:models,", "read:**", "*:models"] {
            assert!(matching(wrong).is_err(), "{wrong}");
        }
    }
}
