//! What the hub has, of all kinds of definitions: those of its file and those that were made over the API.

use operations::{
    Definition,
    documents::{DocumentPage, DocumentView, MAX_PAGE, NOUNS, Noun},
};
use serde_json::json;

use crate::cli::place::Place;

/// A definition and its kind.
pub(super) struct Made {
    pub(super) noun: &'static Noun,
    pub(super) view: DocumentView,
}

impl Made {
    pub(super) fn is(&self, section: &str, id: &str) -> bool {
        self.noun.section == section && self.view.id == id
    }
}

/// Everything that there is, in the order of the kinds and by id.
pub(super) async fn all(place: &Place) -> Result<Vec<Made>, String> {
    let mut all = Vec::new();
    for noun in &NOUNS {
        let [list, ..] = noun.operations;
        let mut cursor: Option<String> = None;
        loop {
            let args = json!({"cursor": cursor, "limit": MAX_PAGE});
            let page = place.call_by(known(&list)?, args).await?;
            let page: DocumentPage = serde_json::from_value(page).map_err(|error| error.to_string())?;
            all.extend(page.items.into_iter().map(|view| Made { noun, view }));
            match page.next_cursor {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
    }
    Ok(all)
}

/// The definition as the table of all operations has it.
pub(super) fn known(definition: &Definition) -> Result<&'static Definition, String> {
    Definition::named(definition.name).ok_or_else(|| format!("there is no operation {}", definition.name))
}
