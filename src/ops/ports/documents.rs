//! What the management of the configuration needs: a store of documents with the log of their changes, and the
//! configuration that they become a part of.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use operations::audit::{AuditEntry, AuditOutcome, AuditVerdict, ListAudit};
use serde_json::{Map, Value};

use crate::engine::settings::Settings;

/// A definition: what the configuration file would say, as JSON.
pub type Definition = Map<String, Value>;

/// Keeps documents and the audit log. Every method that changes something has made it durable when its future is done.
pub trait DocumentStore: Send + Sync {
    /// All documents, those included that were deleted. One that cannot be decrypted is reported to the
    /// log, and counts as deleted.
    fn all(&self) -> BoxFuture<'_, Result<Vec<Document>, DocumentStoreError>>;
    /// Changes a document and notes it in the audit log, both or neither. Answers the number of the entry.
    fn commit(&self, change: Change, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>>;
    /// The change of that number in the audit log, if it was one to a document.
    fn change(&self, number: u64) -> BoxFuture<'_, Result<Option<KeptChange>, DocumentStoreError>>;
}

/// Keeps the audit log.
pub trait AuditLog: Send + Sync {
    /// Adds an entry; answers its number.
    fn append(&self, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>>;
    /// Entries, newest first: at most `limit` of those below `cursor`.
    fn page(&self, wanted: ListAudit) -> BoxFuture<'_, Result<Vec<AuditEntry>, DocumentStoreError>>;
    /// Checks the hashes of all entries.
    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, DocumentStoreError>>;
}

/// A definition that was made over the API.
#[derive(Clone, PartialEq)]
pub struct Document {
    /// The section that it belongs to, or `settings`.
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// Grows with every change.
    pub version: u64,
    /// What it says; `None` where it was deleted.
    pub definition: Option<Definition>,
    /// When it was last changed, in milliseconds since the Unix epoch.
    pub updated_at: i64,
}

/// A change to a document.
#[derive(Clone)]
pub struct Change {
    /// The section that it belongs to.
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// The version that it must have; 0 where there never was one.
    pub from: u64,
    /// What it said.
    pub before: Option<Definition>,
    /// What it says from now on; `None` deletes it.
    pub after: Option<Definition>,
}

/// A change to a document that was made.
#[derive(Clone, PartialEq)]
pub struct KeptChange {
    /// The section that it belongs to.
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// What it said before; `None` where there was none.
    pub before: Option<Definition>,
    /// The version that the change made.
    pub version: u64,
}

/// An entry for the audit log, without its number.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEntry {
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The caller's id.
    pub caller: Arc<str>,
    /// The caller's name.
    pub caller_name: Arc<str>,
    /// The operation.
    pub operation: &'static str,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// What it was done to.
    pub target: Option<String>,
    /// The rest.
    pub detail: EntryDetail,
}

/// The parts of an entry that are shown and not searched. Secrets are masked before they come here.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct EntryDetail {
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The surface that it came in by.
    pub surface: String,
    /// The request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The scope that the operation needs.
    pub scope: String,
    /// The error's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// What it was before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether it can be taken back.
    pub can_undo: bool,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum DocumentStoreError {
    /// The document has another version by now.
    #[error("the document was changed since")]
    Stale,
    /// The store failed. Was logged.
    #[error("the documents could not be read or written")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The configuration that is in force: what the file, the environment and flags say, and the documents behind them.
pub trait Configuration: Send + Sync {
    /// Waits until nobody else changes the configuration. What is checked is to be applied within the same turn.
    fn turn(&self) -> BoxFuture<'_, Turn>;
    /// What the file, the environment and flags declare.
    fn declared(&self) -> Arc<[DeclaredItem]>;
    /// Documents that are not in force.
    fn set_aside(&self) -> Arc<[OutOfForce]>;
    /// Checks the whole configuration with these documents.
    ///
    /// # Errors
    /// What is wrong, one sentence each.
    fn check(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<Checked, Vec<String>>>;
    /// Puts what was checked in force.
    fn apply(&self, checked: Checked);
    /// The definition without what people must not see.
    fn masked(&self, definition: &Definition) -> Definition;
    /// The new definition, with secrets of the old one where the new one leaves them out or names them as they were shown.
    fn with_kept_secrets(&self, new: Definition, old: &Definition) -> Definition;
    /// Whether secrets of the old definition may stay in the new one of that section, of which `given` was asked for.
    ///
    /// # Errors
    /// What is wrong, in words that follow the name of an argument.
    fn check_kept(
        &self,
        section: &str,
        given: &Definition,
        old: &Definition,
        new: &Definition,
    ) -> Result<(), String>;
}

/// The right to change the configuration; ends when it is dropped.
pub struct Turn(pub tokio::sync::OwnedMutexGuard<()>);

/// A configuration that was found good and is not in force yet.
pub struct Checked {
    /// What it comes to.
    pub settings: Settings,
    /// What it was made of.
    pub documents: Vec<Document>,
    /// Those of them that are not in force.
    pub set_aside: Vec<OutOfForce>,
    /// What is worth knowing about it.
    pub warnings: Vec<String>,
}

/// A document that contradicts the file by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfForce {
    /// The section that it belongs to.
    pub section: Arc<str>,
    /// Its id.
    pub id: Arc<str>,
    /// Why.
    pub reason: String,
}

/// What the file, the environment or a flag declares.
#[derive(Clone, PartialEq)]
pub struct DeclaredItem {
    /// The section that it belongs to, or `settings`.
    pub section: &'static str,
    /// Its id.
    pub id: String,
    /// What it says; secrets are masked.
    pub definition: Definition,
    /// The same with variables filled in and secrets as they are. Not to be shown.
    pub whole: Definition,
    /// Where it says so.
    pub place: String,
}
