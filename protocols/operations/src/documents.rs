//! Operations on what the configuration is made of: combos, aliases, rules of names, connections, budgets, prices and
//! settings. What the file declares can be seen here and is changed in the file; what is made here lives in the store.
//! A definition is written in the language of the configuration file (docs/configuration.md), as JSON.
//!
//! Every noun has the same five operations, so they are written once, in [`nouns`].

mod nouns;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Invalid;

pub use nouns::{NOUNS, Noun, aliases, budgets, combos, connections, name_rules, prices, settings};

/// Longest id, in bytes.
pub const MAX_ID: usize = 256;
/// Largest definition, in bytes of JSON.
pub const MAX_DEFINITION: usize = 64 * 1024;
/// Most items on a page.
pub const MAX_PAGE: u32 = 500;
/// Items on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 100;

/// Which page to list, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListDocuments {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most items on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The one that is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameDocument {
    /// Its id.
    pub id: String,
}

/// The one to make, or to put in place of what is there.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutDocument {
    /// Its id.
    pub id: String,
    /// All of it, as the configuration file would say it, without the id. A secret that is left out stays as it is;
    /// `null` takes it away.
    pub definition: Map<String, Value>,
    /// The version that was seen: the change is made only if nobody changed it since. 0: only if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The one to change, and what is different.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateDocument {
    /// Its id.
    pub id: String,
    /// What changes (a JSON merge patch, RFC 7396): what is not named stays, `null` takes away.
    pub changes: Map<String, Value>,
    /// The version that was seen: the change is made only if nobody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// The one to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteDocument {
    /// Its id.
    pub id: String,
    /// The version that was seen: it is deleted only if nobody changed it since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
}

/// Who says what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The configuration file, the environment or the command line: it is changed there.
    File,
    /// The store: it is changed by these operations.
    Api,
}

/// One of them, secrets masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentView {
    /// Its id.
    pub id: String,
    /// Who says what it is.
    pub owner: Owner,
    /// Grows with every change; 0 for what the file declares.
    pub version: u64,
    /// All of it, as the configuration file would say it, without the id. Secrets are masked.
    pub definition: Map<String, Value>,
    /// Where the file declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// When it was last changed, in milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// Why it is not in force, where it is not: the file has changed and contradicts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
    /// What is worth knowing about it, after a change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Some of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentPage {
    /// Those of this page, by id.
    pub items: Vec<DocumentView>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Deleted {
    /// Its id.
    pub id: String,
    /// The change in the audit log, with which it can be had back.
    pub change: u64,
}

fn check_list(args: ListDocuments) -> Result<ListDocuments, Invalid> {
    let limit = args.limit.unwrap_or(DEFAULT_PAGE);
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")));
    }
    if args.cursor.as_ref().is_some_and(|cursor| cursor.len() > MAX_ID) {
        return Err(Invalid::new("cursor", "must be the next_cursor of an earlier page"));
    }
    Ok(ListDocuments { limit: Some(limit), ..args })
}

fn check_id(id: &str) -> Result<String, Invalid> {
    let id = id.trim();
    if id.is_empty() || id.len() > MAX_ID {
        return Err(Invalid::new("id", format!("must have 1 to {MAX_ID} bytes")));
    }
    if id.chars().any(char::is_control) {
        return Err(Invalid::new("id", "must not contain control characters"));
    }
    Ok(id.to_owned())
}

fn check_size(field: &'static str, definition: &Map<String, Value>) -> Result<(), Invalid> {
    let bytes = serde_json::to_vec(definition).map_or(usize::MAX, |bytes| bytes.len());
    if bytes > MAX_DEFINITION {
        return Err(Invalid::new(field, format!("must have at most {MAX_DEFINITION} bytes")));
    }
    if definition.contains_key("id") {
        return Err(Invalid::new(field, "must not hold an `id`: it is named beside it"));
    }
    Ok(())
}

impl std::fmt::Debug for PutDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PutDocument")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for UpdateDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpdateDocument")
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Operation;

    #[test]
    fn ids_and_definitions_have_bounds() {
        let put = |id: &str, definition| PutDocument { id: id.to_owned(), definition, version: None };
        assert_eq!(combos::Put::check(put(" a ", Map::new())).map(|args| args.id), Ok("a".to_owned()));
        assert!(combos::Put::check(put("", Map::new())).is_err());
        assert!(combos::Put::check(put("a\nb", Map::new())).is_err());
        let named = [("id".to_owned(), Value::from("x"))].into_iter().collect();
        assert_eq!(combos::Put::check(put("a", named)).map_err(|wrong| wrong.field), Err("definition"));
        let huge = [("x".to_owned(), Value::from("x".repeat(MAX_DEFINITION)))].into_iter().collect();
        assert!(combos::Put::check(put("a", huge)).is_err());
    }

    #[test]
    fn definitions_are_not_printed() {
        let definition = [("api_key".to_owned(), Value::from("canary"))].into_iter().collect();
        let put = PutDocument { id: "a".to_owned(), definition, version: None };
        assert!(!format!("{put:?}").contains("canary"));
    }
}
