//! What the operations need of a store beyond keys (which are `auth`'s), as traits.

mod backups;
mod captures;
mod claims;
mod documents;
mod inspector;
mod mcp;
pub mod oauth;
mod post;
mod prices;
mod prober;
mod progress;
mod signing;
mod speech;
mod suggestions;
pub mod tasks;
mod tool_calls;
pub mod usage;

use std::sync::Arc;

use futures_core::future::BoxFuture;

use crate::engine::settings::Usd;
pub use backups::{BackupStore, BackupStoreError};
pub use captures::{CaptureStore, CaptureStoreError, StoredCapture};
pub use claims::{Claim, ClaimEnding, ClaimPlace, ClaimStore, ClaimStoreError, Claimed};
pub use documents::{
    AuditLog, Change, Checked, Configuration, DeclaredItem, Definition, Document, DocumentStore,
    DocumentStoreError, EntryDetail, KeptChange, NewEntry, OutOfForce, Turn,
};
pub use inspector::{InspectError, Inspected, Inspector};
pub use mcp::{McpProcess, McpProcesses, McpSession, McpSessionError, McpSessionStore};
pub use post::{Hook, Post, PostError};
pub use prices::{Download, DownloadError, FetchedList, PriceListError, PriceListStore};
pub use prober::{Missed, ProbeAnswer, ProbeStep, Prober, Way};
pub use progress::Progress;
pub use signing::{SigningKeyStore, SigningKeyStoreError};
pub use speech::{Cited, Said, Speech, Uttered};
pub use suggestions::{Suggestion, SuggestionStore, SuggestionStoreError};
pub use tool_calls::{CallSum, NewCall, ToolCallLog};

/// The queue in which receipts wait to be written.
pub trait ReceiptQueue: Send + Sync {
    /// How it stands.
    fn state(&self) -> QueueState;
}

/// How a queue stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueState {
    /// What waits.
    pub waiting: usize,
    /// What can wait.
    pub capacity: usize,
    /// What found no room since the start.
    pub dropped: u64,
}

/// Receipts that were written down, for reading.
pub trait ReceiptLog: Send + Sync {
    /// The last `limit` receipts, newest first.
    fn recent(&self, limit: u32) -> BoxFuture<'_, Result<Vec<ReceiptRow>, LogError>>;
    /// The receipt of one request, by the hub's request id.
    fn by_id(&self, id: String) -> BoxFuture<'_, Result<Option<ReceiptRow>, LogError>>;
    /// How the plan of one request was made, as [`crate::engine::plan::Made`] is written; `None` where there was
    /// nothing to decide.
    fn plan_of(&self, id: String) -> BoxFuture<'_, Result<Option<String>, LogError>>;
    /// How many receipts are kept.
    fn count(&self) -> BoxFuture<'_, Result<u64, LogError>>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("the receipts could not be read")]
pub struct LogError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// A receipt as it was written down: [`crate::engine::receipt::Receipt`] with words in place of types, because
/// the program that reads it may be older or newer than the one that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptRow {
    /// The hub's request id.
    pub id: String,
    /// When the request arrived, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The caller's id.
    pub caller: String,
    /// The model as the client named it; clipped when it was very long.
    pub model: String,
    /// The connection that served the answer, if one did.
    pub connection: Option<String>,
    /// HTTP status that the client got.
    pub status: u16,
    /// How it ended: `completed`, `failed`, `interrupted` or `client_left`.
    pub outcome: String,
    /// Prompt tokens, where known.
    pub input_tokens: Option<u64>,
    /// Answer tokens, where known.
    pub output_tokens: Option<u64>,
    /// Milliseconds from arrival to the end.
    pub total_ms: u32,
    /// What the answer cost, where known.
    pub cost: Option<Usd>,
    /// Whether that is by estimated tokens.
    pub cost_estimated: bool,
    /// What the client calls the session that it belongs to; clipped when that was very long.
    pub session: Option<String>,
    /// Everything else.
    pub detail: ReceiptDetail,
}

/// The parts of a receipt that are shown and not searched. Absent parts are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct ReceiptDetail {
    /// The dialect in which the client spoke.
    pub dialect: String,
    /// Whether the client asked for a stream.
    pub stream: bool,
    /// The trace that its client named, in 32 digits.
    pub trace: Option<String>,
    /// The strategy that ordered the targets.
    pub strategy: String,
    /// The client's own request id; clipped when it was very long.
    pub client_request_id: Option<String>,
    /// Public error code, when the client got an error.
    pub error: Option<String>,
    /// How the request came by an answer that was made for another: `cached`, `joined` or `replayed`.
    pub reused: Option<String>,
    /// What was done to the request before it was planned.
    pub shaped: Vec<String>,
    /// The part of the prompt tokens that was read from a cache.
    pub cached_input: u64,
    /// The part of the answer tokens that was spent on reasoning.
    pub reasoning: u64,
    /// Changes made to the passed-through body for the last attempt.
    pub edits: Vec<String>,
    /// What the translation for the last attempt lost: a name where it was dropped, `~name` where it was changed.
    pub losses: Vec<String>,
    /// Milliseconds from arrival to the first content, if any came.
    pub first_content_ms: Option<u32>,
    /// Bytes of answer given to the client.
    pub bytes_out: u64,
    /// What was tried, in order.
    pub attempts: Vec<AttemptRow>,
    /// What was left out of the plan, and why.
    pub skipped: Vec<SkipRow>,
    /// Further attempts and skipped targets that were not written down because there were too many.
    pub omitted: usize,
}

/// One try at one target.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct AttemptRow {
    /// The connection's id.
    pub connection: String,
    /// The provider's id.
    pub provider: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Milliseconds from the request's arrival to the start of this attempt.
    pub started_ms: u32,
    /// Milliseconds that the attempt took.
    pub took_ms: u32,
    /// What went wrong, as [`crate::engine::fault::FaultKind::as_str`] words it; `None`: it served the answer.
    pub fault: Option<String>,
    /// The provider's HTTP status, when there was one.
    pub status: Option<u16>,
    /// What went wrong in words.
    pub message: Option<String>,
}

/// A target that the planner left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub struct SkipRow {
    /// The connection's id.
    pub connection: String,
    /// The model as the provider knows it.
    pub model: String,
    /// Why, in words for people.
    pub reason: String,
    /// When it becomes eligible again, in milliseconds since the Unix epoch, where that is known.
    pub until: Option<i64>,
}

/// Responses that the hub keeps for callers, and which connections keep others. What belongs to one owner is never
/// found, replaced or deleted in the name of another; the same id may belong to several.
pub trait ResponseStore: Send + Sync {
    /// Keeps a response, in place of an earlier one of the same owner and id. Deletes some of what has ended,
    /// and the oldest until all that are kept take no more than `max_bytes`. When it is done it is durable.
    fn keep(&self, response: StoredResponse, max_bytes: u64)
    -> BoxFuture<'_, Result<(), ResponseStoreError>>;
    /// Where a response is, if it has not ended by `now` (milliseconds since the Unix epoch). One that cannot be
    /// decrypted is reported to the log and not found.
    fn find(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<Whereabouts>, ResponseStoreError>>;
    /// Notes which connection keeps a response; found at once and written soon. Never blocks: it drops and counts when
    /// too many wait. A `kill -9` may cost those of the last 100 ms. The oldest give way to new ones.
    fn locate(&self, location: ResponseLocation);
    /// Deletes a response, or forgets where it is; says whether there was one. When it is done it is durable.
    fn delete(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<bool, ResponseStoreError>>;
    /// Deletes everything that has ended by `now`, and the oldest responses until they take no more than `max_bytes`.
    /// Answers how many rows those were.
    fn sweep(&self, now: i64, max_bytes: u64) -> BoxFuture<'_, Result<u64, ResponseStoreError>>;
}

/// A response for the store. Not to be printed: the payload is what people said.
#[derive(Clone)]
pub struct StoredResponse {
    /// The caller's id.
    pub owner: Arc<str>,
    /// The response's id.
    pub id: Arc<str>,
    /// When it was made, in milliseconds since the Unix epoch.
    pub created_at: i64,
    /// When it ends, likewise.
    pub expires_at: i64,
    /// What is kept, in a form that the store does not know. It encrypts it.
    pub payload: Vec<u8>,
}

/// Which connection keeps a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseLocation {
    /// The caller's id.
    pub owner: Arc<str>,
    /// The response's id.
    pub id: Arc<str>,
    /// The connection's id.
    pub connection: Arc<str>,
    /// [`crate::engine::settings::Connection::fingerprint`] at that time: another account does not have it.
    pub fingerprint: u64,
    /// When this is forgotten, in milliseconds since the Unix epoch.
    pub expires_at: i64,
}

/// Where a response is.
pub enum Whereabouts {
    /// In this store; the payload as it was given.
    Here(Vec<u8>),
    /// At a connection's provider.
    There(ResponseLocation),
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ResponseStoreError {
    /// It alone takes more than all may.
    #[error("the response is larger than what may be kept")]
    TooLarge,
    /// The store failed. Was logged.
    #[error("the kept responses could not be read or written")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}
