//! What every store of suggestions must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use operations::diagnosis::{SuggestionKind, SuggestionState};
use serde_json::json;

use super::*;
use crate::ops::ports::{Suggestion, SuggestionStore, SuggestionStoreError};

type Done<T> = Result<T, SuggestionStoreError>;

pass_on! { SuggestionStore:
    all() -> Done<Vec<Suggestion>>;
    change(put: Vec<Suggestion>, remove: Vec<String>) -> Done<()>;
}

impl Either {
    fn suggestions(&self) -> Box<dyn SuggestionStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.suggestions()),
        }
    }
}

fn suggestion(id: &str, kind: SuggestionKind) -> Suggestion {
    Suggestion {
        id: id.to_owned(),
        connection: "groq-2".to_owned(),
        kind,
        model: kind.is_of_model().then(|| "a/b".to_owned()),
        patch: (!kind.is_of_model())
            .then(|| json!({"base_url": "https://é.example/v1"}))
            .and_then(|patch| patch.as_object().cloned()),
        seen: "so".to_owned(),
        times: 3,
        first_at: START,
        last_at: START + 1,
        state: SuggestionState::Open,
        decided_at: None,
        decided_by: None,
    }
}

#[tokio::test]
async fn suggestions_are_put_replaced_and_taken_away() {
    for either in Either::each().await {
        let store = either.suggestions();
        assert_eq!(store.all().await.unwrap(), []);
        let all: Vec<_> = (SuggestionKind::ALL.into_iter().enumerate())
            .map(|(nth, kind)| suggestion(&format!("sug_{nth}"), kind))
            .collect();
        // Out of order, and read in it.
        store.change(all.iter().rev().cloned().collect(), Vec::new()).await.unwrap();
        assert_eq!(store.all().await.unwrap(), all);
        let decided = Suggestion {
            state: SuggestionState::Dismissed,
            decided_at: Some(START + 9),
            decided_by: Some("env".to_owned()),
            times: 4,
            ..all[0].clone()
        };
        let gone = all[1..].iter().map(|one| one.id.clone()).chain(["nobody".to_owned()]).collect();
        store.change(vec![decided.clone()], gone).await.unwrap();
        assert_eq!(store.all().await.unwrap(), [decided]);
    }
}
