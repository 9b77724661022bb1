//! What the operations need of a store beyond keys (which are `auth`'s), as traits.

use futures_core::future::BoxFuture;

/// Receipts that were written down, for reading.
pub trait ReceiptLog: Send + Sync {
    /// The last `limit` receipts, newest first.
    fn recent(&self, limit: u32) -> BoxFuture<'_, Result<Vec<ReceiptRow>, LogError>>;
    /// The receipt of one request, by the hub's request id.
    fn by_id(&self, id: String) -> BoxFuture<'_, Result<Option<ReceiptRow>, LogError>>;
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
    /// The strategy that ordered the targets.
    pub strategy: String,
    /// The client's own request id; clipped when it was very long.
    pub client_request_id: Option<String>,
    /// Public error code, when the client got an error.
    pub error: Option<String>,
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
