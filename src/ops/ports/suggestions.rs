//! What is kept of suggestions about connections: a few thousand rows at most, read and written as a whole by those who decide.

use futures_core::future::BoxFuture;
use operations::diagnosis::{SuggestionKind, SuggestionState};

use super::Definition;

/// A suggestion about a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// Its id, which follows from what it says.
    pub id: String,
    /// The connection.
    pub connection: String,
    /// What kind of thing is suggested.
    pub kind: SuggestionKind,
    /// The model, where it is about one.
    pub model: Option<String>,
    /// What is to be different in the connection's definition, where it is about the way there and something can be.
    pub patch: Option<Definition>,
    /// What was seen, in words without secrets.
    pub seen: String,
    /// In how many diagnoses in a row it was seen.
    pub times: u32,
    /// When it was first seen, in milliseconds since the Unix epoch.
    pub first_at: i64,
    /// When it was last seen.
    pub last_at: i64,
    /// What became of it.
    pub state: SuggestionState,
    /// When that was decided.
    pub decided_at: Option<i64>,
    /// Who decided it.
    pub decided_by: Option<String>,
}

/// Keeps suggestions.
pub trait SuggestionStore: Send + Sync {
    /// All of them, by id.
    fn all(&self) -> BoxFuture<'_, Result<Vec<Suggestion>, SuggestionStoreError>>;
    /// Puts some in place of those of the same ids, and takes others away: all of that or nothing.
    fn change(
        &self,
        put: Vec<Suggestion>,
        remove: Vec<String>,
    ) -> BoxFuture<'_, Result<(), SuggestionStoreError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("suggestions could not be read or written: {0}")]
pub struct SuggestionStoreError(#[source] pub Box<dyn std::error::Error + Send + Sync>);
