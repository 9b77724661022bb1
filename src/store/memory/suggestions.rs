//! Suggestions in memory.

use std::collections::BTreeMap;

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::{Suggestion, SuggestionStore, SuggestionStoreError};

/// By id.
pub(super) type Suggestions = BTreeMap<String, Suggestion>;

impl SuggestionStore for MemoryStore {
    fn all(&self) -> BoxFuture<'_, Result<Vec<Suggestion>, SuggestionStoreError>> {
        self.now(|state| Ok(state.suggestions.values().cloned().collect()))
    }

    fn change(
        &self,
        put: Vec<Suggestion>,
        remove: Vec<String>,
    ) -> BoxFuture<'_, Result<(), SuggestionStoreError>> {
        self.now(|state| {
            remove.iter().for_each(|id| drop(state.suggestions.remove(id)));
            state.suggestions.extend(put.into_iter().map(|one| (one.id.clone(), one)));
            Ok(())
        })
    }
}
