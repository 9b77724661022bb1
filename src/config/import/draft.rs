//! What becomes of a configuration while it is read: documents with ids that are valid and unique, and notes. The same
//! source gives the same ids, so that a second import finds what the first one made.

use std::collections::{BTreeMap, BTreeSet};

use canon::Dialect;
use serde_json::{Map as Json, Value as JsonValue, json};

use super::{
    ImportNote, ImportedDocument,
    account::{Account, literal},
};
use crate::{
    config::{
        SETTINGS,
        mask::{looks_issued, looks_secret, shown},
        origin::Origin,
    },
    engine::settings::{Catalogue, PrefixMatch, Provider},
};

/// More notes than anybody reads; the rest is counted.
const MOST_NOTES: usize = 300;

/// Longest id of a connection, and of a combo.
const LONGEST: usize = 64;
const LONGEST_NAME: usize = 128;

/// Documents and notes in the making.
pub(super) struct Draft<'a> {
    pub(super) catalogue: &'a Catalogue,
    spoken: &'a [Dialect],
    pub(super) documents: Vec<ImportedDocument>,
    notes: Vec<ImportNote>,
    untold: usize,
    accounts: BTreeSet<String>,
    names: BTreeSet<String>,
    variables: BTreeMap<String, String>,
}

/// A provider that a word of the source means, or why it is none.
pub(super) enum Meant<'a> {
    Provider(&'a Provider),
    /// It is known, and not served.
    Refused {
        message: String,
        remedy: String,
    },
    Nothing,
}

type Parts = (Vec<ImportedDocument>, Vec<ImportNote>, BTreeMap<String, String>);

impl<'a> Draft<'a> {
    pub(super) fn new(catalogue: &'a Catalogue, spoken: &'a [Dialect]) -> Self {
        Self {
            catalogue,
            spoken,
            documents: Vec::new(),
            notes: Vec::new(),
            untold: 0,
            accounts: BTreeSet::new(),
            names: BTreeSet::new(),
            variables: BTreeMap::new(),
        }
    }

    pub(super) fn done(mut self) -> Parts {
        if self.untold > 0 {
            let message = format!("{} more notes are not shown", self.untold);
            let remedy = "see that this is the right file".to_owned();
            self.notes.push(ImportNote { place: Origin::Default, message, remedy });
        }
        (self.documents, self.notes, self.variables)
    }

    /// Tells something. Neither part may hold a secret.
    pub(super) fn note(&mut self, place: &Origin, message: impl Into<String>, remedy: impl Into<String>) {
        if self.notes.len() >= MOST_NOTES {
            self.untold += 1;
            return;
        }
        let (message, remedy) = (message.into(), remedy.into());
        self.notes.push(ImportNote { place: place.clone(), message, remedy });
    }

    /// The value that the source gives to a variable.
    pub(super) fn variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn known_variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Which provider a word means: an id or a prefix of the catalogue.
    pub(super) fn meant(&self, word: &str) -> Meant<'a> {
        match self.catalogue.by_prefix(&word.to_ascii_lowercase()) {
            Some(PrefixMatch::Provider(row)) if !self.speaks(row) => {
                let notice = row.notice.as_deref().unwrap_or("the hub does not speak its dialect");
                Meant::Refused {
                    message: format!("{} cannot be reached yet: {notice}", row.name),
                    remedy: "reach its models through a provider that hosts them too".to_owned(),
                }
            }
            Some(PrefixMatch::Provider(row)) => Meant::Provider(row),
            Some(PrefixMatch::Declined(row)) => Meant::Refused {
                message: format!("{} is not supported: {}", row.name, row.reason),
                remedy: format!("use instead: {}", row.instead),
            },
            None => Meant::Nothing,
        }
    }

    pub(super) fn speaks(&self, row: &Provider) -> bool {
        row.dialects().any(|dialect| self.spoken.contains(&dialect))
    }

    /// The provider whose own URL this is.
    pub(super) fn at_url(&self, url: &str) -> Option<&'a Provider> {
        let plain = |url: &str| url.trim_end_matches('/').to_ascii_lowercase();
        let wanted = plain(url);
        let mut rows = self.catalogue.providers().iter().filter(|row| !row.local && self.speaks(row));
        rows.find(|row| row.endpoints.values().next().is_some_and(|own| plain(own) == wanted))
    }

    /// Adds a connection; answers its id, which is `wished` where that can be.
    pub(super) fn account(&mut self, wished: &str, account: Account, place: &Origin) -> String {
        let base = plain_id(wished, "._-", LONGEST).unwrap_or_else(|| "account".to_owned());
        let id = free(&base, &self.accounts, LONGEST);
        self.accounts.insert(id.clone());
        let what = account.in_words();
        self.push("providers", &id, account.into_definition(), what, place);
        id
    }

    /// An id that accounts of a provider get: `groq-1`, `groq-2`.
    pub(super) fn numbered(&self, provider: &str) -> String {
        let numbers = 1..=self.accounts.len() + 1;
        let mut ids = numbers.map(|number| format!("{provider}-{number}"));
        ids.find(|id| !self.accounts.contains(id)).unwrap_or_else(|| provider.to_owned())
    }

    /// The name that a combo or an alias gets, which says so where it is not the one that was wished for.
    pub(super) fn name(&mut self, wished: &str, place: &Origin) -> String {
        let base = plain_name(wished).unwrap_or_else(|| "combo".to_owned());
        let name = free(&base, &self.names, LONGEST_NAME);
        self.names.insert(name.clone());
        if name != wished {
            let message = format!("the name {} became `{name}`", shown(wished));
            self.note(place, message, "tell clients the new name");
        }
        name
    }

    /// Adds a combo, which needs steps.
    pub(super) fn combo(&mut self, name: &str, strategy: &str, steps: Vec<JsonValue>, place: &Origin) {
        let what = format!("{strategy}, {} steps", steps.len());
        let mut definition = object(json!({"strategy": strategy}));
        definition.insert("steps".to_owned(), steps.into());
        self.push("combos", name, definition, what, place);
    }

    /// Adds an alias, which needs targets.
    pub(super) fn alias(&mut self, name: &str, targets: &[String], about: Option<&str>, place: &Origin) {
        let what = format!("for {}", targets.iter().map(|one| shown(one)).collect::<Vec<_>>().join(", "));
        let targets: Vec<String> = targets.iter().map(|target| literal(target)).collect();
        let mut definition = object(json!({"targets": targets}));
        if let Some(about) = about {
            definition.insert("description".to_owned(), literal(about).into());
        }
        self.push("aliases", name, definition, what, place);
    }

    /// Adds the price of a model at a provider.
    pub(super) fn price(
        &mut self,
        provider: &str,
        model: &str,
        price: Json<String, JsonValue>,
        place: &Origin,
    ) {
        let id = format!("{provider}/{model}");
        let mut definition = object(json!({"model": literal(model), "provider": provider}));
        definition.insert("price".to_owned(), price.into());
        self.push("prices", &id, definition, "dollars per million tokens".to_owned(), place);
    }

    /// Adds a setting, unless it is there.
    pub(super) fn setting(&mut self, path: &str, value: impl Into<JsonValue>, place: &Origin) {
        if self.documents.iter().any(|document| document.section == SETTINGS && document.id == path) {
            return;
        }
        let value = value.into();
        let secret = path.ends_with("key") || path.ends_with("token");
        let what = match &value {
            JsonValue::String(text) if secret && !super::account::is_reference(text) => {
                "as it is written".to_owned()
            }
            JsonValue::String(text) => text.clone(),
            other => other.to_string(),
        };
        let definition = [("value".to_owned(), value)].into_iter().collect();
        self.push(SETTINGS, path, definition, what, place);
    }

    /// Adds a document of any section.
    pub(super) fn push(
        &mut self,
        section: &'static str,
        id: &str,
        definition: Json<String, JsonValue>,
        what: String,
        place: &Origin,
    ) {
        let (id, place) = (id.to_owned(), place.clone());
        self.documents.push(ImportedDocument { section, id, definition, what, place });
    }
}

fn object(value: JsonValue) -> Json<String, JsonValue> {
    match value {
        JsonValue::Object(fields) => fields,
        _ => Json::new(),
    }
}

/// A text as an id: letters, digits and some signs. `None` if nothing is left, or it looks like a key.
pub(super) fn plain_id(text: &str, signs: &str, longest: usize) -> Option<String> {
    let mut id = String::new();
    for c in text.trim().chars() {
        if c.is_ascii_alphanumeric() || signs.contains(c) {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= longest {
            break;
        }
    }
    let id = id.trim_matches('-');
    (!id.is_empty() && !looks_secret(id)).then(|| id.to_owned())
}

/// A text as the name of a combo. Names of models are long and mixed, and are no keys for that.
pub(super) fn plain_name(text: &str) -> Option<String> {
    let text = text.strip_prefix("combo/").unwrap_or(text);
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    let whole = (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(fits);
    if whole && !looks_issued(text) {
        return Some(text.to_owned());
    }
    plain_id(text, "._-:/", LONGEST_NAME)
}

/// The id, or the first of `id-2`, `id-3` … that nothing has.
fn free(id: &str, taken: &BTreeSet<String>, longest: usize) -> String {
    if !taken.contains(id) {
        return id.to_owned();
    }
    let numbered = (2..=taken.len() + 2).map(|number| {
        let end = format!("-{number}");
        let room = longest.saturating_sub(end.len());
        // Ids are ASCII.
        format!("{}{end}", id.get(..room.min(id.len())).unwrap_or(id))
    });
    numbered.into_iter().find(|id| !taken.contains(id)).unwrap_or_else(|| id.to_owned())
}
