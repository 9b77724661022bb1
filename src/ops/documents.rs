//! Operations on what the configuration is made of. A change is checked together with everything else, as the file would
//! be; then it is committed with its entry in the audit log, and then it is in force. Nothing of that is done by halves:
//! one change at a time, and reloads of the file take turns with them.

mod bundle;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use operations::{
    Invalid,
    audit::{UndoChange, Undone},
    documents::{
        DEFAULT_PAGE, DeleteDocument, Deleted, DocumentPage, DocumentView, ListDocuments, NOUNS,
        NameDocument, Noun, Owner, PutDocument, UpdateDocument,
    },
};
use serde_json::Value;

use super::{
    OpError,
    error::require,
    ports::{Change, Configuration, DeclaredItem, Definition, Document, DocumentStore, DocumentStoreError},
    registry::Asked,
};
use crate::engine::ports::Clock;

/// Documents of all sections together. All of them are in memory and checked at every change.
const MAX_DOCUMENTS: usize = 10_000;

type Place = (Arc<str>, Arc<str>);

/// Executes the operations on documents.
pub struct Documents {
    store: Arc<dyn DocumentStore>,
    configuration: Arc<dyn Configuration>,
    clock: Arc<dyn Clock>,
    known: Mutex<BTreeMap<Place, Document>>,
    bundles: bundle::Bundles,
}

impl Documents {
    /// The operations on these documents, which are all that the store has.
    #[must_use]
    pub fn new(
        store: Arc<dyn DocumentStore>,
        configuration: Arc<dyn Configuration>,
        clock: Arc<dyn Clock>,
        documents: Vec<Document>,
    ) -> Self {
        let by_place = |document: Document| ((document.section.clone(), document.id.clone()), document);
        let known = documents.into_iter().map(by_place).collect();
        Self { store, configuration, clock, known: Mutex::new(known), bundles: bundle::Bundles::default() }
    }

    /// Lists those of the file and those of the store together, by id.
    #[must_use]
    pub fn list(&self, noun: &'static Noun, args: &ListDocuments) -> DocumentPage {
        self.list_those(noun, args, |_| true)
    }

    /// The same of those that `shown` lets through.
    #[must_use]
    pub fn list_those(
        &self,
        noun: &'static Noun,
        args: &ListDocuments,
        shown: impl Fn(&DocumentView) -> bool,
    ) -> DocumentPage {
        let limit = usize::try_from(args.limit.unwrap_or(DEFAULT_PAGE)).unwrap_or(usize::MAX);
        let after = args.cursor.as_deref().unwrap_or_default();
        let mut items: Vec<DocumentView> =
            self.views(noun).filter(|view| view.id.as_str() > after && shown(view)).collect();
        items.sort_by(|a, b| a.id.cmp(&b.id));
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items.last().filter(|_| more).map(|last| last.id.clone());
        DocumentPage { items, next_cursor }
    }

    /// Shows one.
    ///
    /// # Errors
    /// When there is none of that id.
    pub fn get(&self, noun: &'static Noun, args: NameDocument) -> Result<DocumentView, OpError> {
        if let Some(declared) = self.declared(noun, &args.id) {
            return Ok(of_file(&declared));
        }
        let document = self.at(noun, &args.id).filter(|document| document.definition.is_some());
        document.map(|document| self.view(&document)).ok_or_else(|| missing(noun, args.id))
    }

    /// Makes one, or puts it in place of what is there.
    ///
    /// # Errors
    /// When the file declares it, the version is stale, or the definition does not fit.
    pub async fn put(
        &self,
        noun: &'static Noun,
        asked: &Asked,
        args: PutDocument,
    ) -> Result<DocumentView, OpError> {
        let PutDocument { id, definition, version } = args;
        let edit = |old: Option<&Definition>| {
            let nothing = Definition::new();
            let old = old.unwrap_or(&nothing);
            let new = self.configuration.with_kept_secrets(definition.clone(), old);
            let kept = self.configuration.check_kept(noun.section, &definition, old, &new);
            kept.map_err(|wrong| Invalid::new("definition", wrong))?;
            Ok(Some(new))
        };
        let (document, warnings, _) = self.change(noun, asked, id, version, edit).await?;
        Ok(DocumentView { warnings, ..self.view(&document) })
    }

    /// Changes a part of one.
    ///
    /// # Errors
    /// When there is none of that id, and as for [`Self::put`].
    pub async fn update(
        &self,
        noun: &'static Noun,
        asked: &Asked,
        args: UpdateDocument,
    ) -> Result<DocumentView, OpError> {
        self.update_if(noun, asked, args, || false).await
    }

    /// The same; secrets stay even where they are sent to another place if `vouched` says so. It is asked when nobody else can
    /// change anything.
    ///
    /// # Errors
    /// As for [`Self::update`].
    pub(super) async fn update_if(
        &self,
        noun: &'static Noun,
        asked: &Asked,
        args: UpdateDocument,
        vouched: impl FnOnce() -> bool,
    ) -> Result<DocumentView, OpError> {
        let UpdateDocument { id, changes, version } = args;
        let name = id.clone();
        let edit = |old: Option<&Definition>| {
            let old = old.ok_or_else(|| missing(noun, name))?;
            let mut new = old.clone();
            merge(&mut new, changes.clone());
            let new = self.configuration.with_kept_secrets(new.clone(), &shared(old, &new));
            let kept = self.configuration.check_kept(noun.section, &changes, old, &new);
            if let (Err(wrong), false) = (kept, vouched()) {
                return Err(Invalid::new("changes", wrong).into());
            }
            Ok(Some(new))
        };
        let (document, warnings, _) = self.change(noun, asked, id, version, edit).await?;
        Ok(DocumentView { warnings, ..self.view(&document) })
    }

    /// Deletes one.
    ///
    /// # Errors
    /// When there is none of that id, something needs it, and as for [`Self::put`].
    pub async fn delete(
        &self,
        noun: &'static Noun,
        asked: &Asked,
        args: DeleteDocument,
    ) -> Result<Deleted, OpError> {
        let DeleteDocument { id, version } = args;
        let name = id.clone();
        let edit = |old: Option<&Definition>| old.map(|_| None).ok_or_else(|| missing(noun, name));
        let (document, _, change) = self.change(noun, asked, id, version, edit).await?;
        Ok(Deleted { id: document.id.to_string(), change })
    }

    /// Takes a change back, if nothing was done to the same since.
    ///
    /// # Errors
    /// When there is no such change, it is not the last one, and as for [`Self::put`].
    pub async fn undo(&self, asked: &Asked, args: UndoChange) -> Result<Undone, OpError> {
        let kept = self.store.change(args.change).await.map_err(|error| failed(error, "change", ""))?;
        let kept = kept.ok_or_else(|| OpError::NotFound {
            noun: "change that can be taken back",
            name: args.change.to_string(),
        })?;
        let noun = NOUNS
            .iter()
            .find(|noun| noun.section == &*kept.section)
            .ok_or_else(|| OpError::Conflict(format!("this program knows no section `{}`", kept.section)))?;
        let [.., put, _, _] = noun.operations;
        require(&asked.caller, put.scope)?;
        let edit = |_: Option<&Definition>| Ok(kept.before);
        let done = self.change(noun, asked, kept.id.to_string(), Some(kept.version), edit).await;
        let (document, _, change) = done.map_err(|error| match error {
            OpError::Stale { noun, name, .. } => OpError::Conflict(format!(
                "the {noun} `{name}` was changed again since: take the later change back first"
            )),
            other => other,
        })?;
        let version = document.definition.is_some().then_some(document.version);
        Ok(Undone { section: kept.section.to_string(), id: kept.id.to_string(), version, change })
    }

    /// Every document that exists, for whoever puts the configuration together.
    #[must_use]
    pub fn living(&self) -> Vec<Document> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|document| document.definition.is_some()).cloned().collect()
    }

    /// One change: checks, commits, applies. Answers the document, warnings and the entry's number.
    async fn change(
        &self,
        noun: &'static Noun,
        asked: &Asked,
        id: String,
        seen: Option<u64>,
        edit: impl FnOnce(Option<&Definition>) -> Result<Option<Definition>, OpError>,
    ) -> Result<(Document, Vec<String>, u64), OpError> {
        let turn = self.configuration.turn().await;
        if let Some(declared) = self.declared(noun, &id) {
            return Err(OpError::Conflict(format!(
                "the {} `{id}` is declared in {}: change it there",
                noun.one, declared.place
            )));
        }
        let old = self.at(noun, &id);
        let (version, before) = old.map_or((0, None), |document| (document.version, document.definition));
        let visible = if before.is_some() { version } else { 0 };
        // A deletion is a version of its own, which only its undoing names.
        if seen.is_some_and(|seen| seen != visible && seen != version) {
            return Err(OpError::Stale { noun: noun.one, name: id, version: visible });
        }
        let after = edit(before.as_ref())?;
        if before.is_none() && after.is_some() && self.count() >= MAX_DOCUMENTS {
            return Err(OpError::Conflict(format!("the hub keeps at most {MAX_DOCUMENTS} definitions")));
        }
        // One time for both, so that the store tells of it as this does.
        let now = self.clock.now();
        let document = Document {
            section: noun.section.into(),
            id: id.as_str().into(),
            version: version + 1,
            definition: after.clone(),
            updated_at: now,
        };
        let checked = self.configuration.check(self.with(&document)).await.map_err(|wrong| {
            OpError::Conflict(format!("the configuration would not be valid: {}", wrong.join(". ")))
        })?;
        let (shown_before, shown_after) = (self.shown(before.as_ref()), self.shown(after.as_ref()));
        let entry = asked.changed(now, &id, shown_before, shown_after);
        let change = Change {
            section: Arc::clone(&document.section),
            id: document.id.clone(),
            from: version,
            before,
            after,
        };
        // To its end even if the caller leaves: what is committed must be in force.
        let number = self.store.commit(change, entry).await.map_err(|error| failed(error, noun.one, &id))?;
        asked.noted();
        let warnings = checked.warnings.clone();
        self.keep(document.clone());
        self.configuration.apply(checked);
        drop(turn);
        Ok((document, warnings, number))
    }

    fn shown(&self, definition: Option<&Definition>) -> Option<Value> {
        definition.map(|definition| Value::Object(self.configuration.masked(definition)))
    }

    /// All that exist, with this one in its place.
    fn with(&self, document: &Document) -> Vec<Document> {
        let mut all = self.living();
        all.retain(|one| one.section != document.section || one.id != document.id);
        if document.definition.is_some() {
            all.push(document.clone());
        }
        all
    }

    fn keep(&self, document: Document) {
        let place = (Arc::clone(&document.section), Arc::clone(&document.id));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(place, document);
    }

    fn count(&self) -> usize {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.values().filter(|document| document.definition.is_some()).count()
    }

    fn at(&self, noun: &Noun, id: &str) -> Option<Document> {
        let place = (Arc::from(noun.section), Arc::from(id));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&place).cloned()
    }

    fn declared(&self, noun: &Noun, id: &str) -> Option<DeclaredItem> {
        let declared = self.configuration.declared();
        declared.iter().find(|item| item.section == noun.section && item.id == id).cloned()
    }

    fn views<'a>(&'a self, noun: &'static Noun) -> impl Iterator<Item = DocumentView> + 'a {
        let declared = self.configuration.declared();
        let of_file: Vec<_> =
            declared.iter().filter(|item| item.section == noun.section).map(of_file).collect();
        let made = self.living().into_iter().filter(|document| &*document.section == noun.section);
        of_file.into_iter().chain(made.map(|document| self.view(&document)))
    }

    fn view(&self, document: &Document) -> DocumentView {
        let set_aside = self.configuration.set_aside();
        let reason = set_aside
            .iter()
            .find(|one| one.section == document.section && one.id == document.id)
            .map(|one| one.reason.clone());
        let nothing = Definition::new();
        DocumentView {
            id: document.id.to_string(),
            owner: Owner::Api,
            version: document.version,
            definition: self.configuration.masked(document.definition.as_ref().unwrap_or(&nothing)),
            place: None,
            updated_at: Some(document.updated_at),
            set_aside: reason,
            warnings: Vec::new(),
        }
    }
}

fn of_file(declared: &DeclaredItem) -> DocumentView {
    DocumentView {
        id: declared.id.clone(),
        owner: Owner::File,
        version: 0,
        definition: declared.definition.clone(),
        place: Some(declared.place.clone()),
        updated_at: None,
        set_aside: None,
        warnings: Vec::new(),
    }
}

/// A JSON merge patch (RFC 7396).
fn merge(target: &mut Definition, changes: Definition) {
    for (name, change) in changes {
        match (target.get_mut(&name), change) {
            (_, Value::Null) => {
                target.shift_remove(&name);
            }
            (Some(Value::Object(inner)), Value::Object(changes)) => merge(inner, changes),
            (_, change) => {
                target.insert(name, change);
            }
        }
    }
}

/// Those parts of `old` that `new` still has: what a change took away stays away.
fn shared(old: &Definition, new: &Definition) -> Definition {
    let kept = old.iter().filter(|(name, _)| new.contains_key(*name));
    kept.map(|(name, value)| {
        let value = match (value, new.get(name)) {
            (Value::Object(old), Some(Value::Object(new))) => Value::Object(shared(old, new)),
            _ => value.clone(),
        };
        (name.clone(), value)
    })
    .collect()
}

fn missing(noun: &Noun, name: String) -> OpError {
    OpError::NotFound { noun: noun.one, name }
}

fn failed(error: DocumentStoreError, noun: &'static str, name: &str) -> OpError {
    match error {
        DocumentStoreError::Stale => OpError::Conflict(format!(
            "the {noun} `{name}` was changed in the store by somebody else; restart the hub"
        )),
        error @ DocumentStoreError::Failed(_) => OpError::Store(Box::new(error)),
    }
}

#[cfg(test)]
mod tests;
