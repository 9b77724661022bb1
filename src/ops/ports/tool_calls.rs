//! What the record of tool calls needs of a store.

use std::sync::Arc;

use futures_core::future::BoxFuture;
use operations::{
    audit::AuditVerdict,
    mcp::{CallDetail, CallOutcome, ListToolCalls, ToolCall},
};

use super::LogError;

/// Keeps the record of tool calls.
pub trait ToolCallLog: Send + Sync {
    /// Adds calls in their order, all or none.
    fn append(&self, calls: Arc<[NewCall]>) -> BoxFuture<'_, Result<(), LogError>>;
    /// Calls, newest first: at most `limit` of those below `cursor`, without the first `offset`.
    fn page(&self, wanted: ListToolCalls) -> BoxFuture<'_, Result<Vec<ToolCall>, LogError>>;
    /// The calls since a time (milliseconds since the Unix epoch), added up by tool and outcome.
    fn sums(&self, since: i64) -> BoxFuture<'_, Result<Vec<CallSum>, LogError>>;
    /// Checks the hashes of all rows.
    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, LogError>>;
}

/// A call for the record, without its number. Secrets were masked before it came here.
#[derive(Debug, Clone, PartialEq)]
pub struct NewCall {
    /// When it began, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The caller's id.
    pub caller: Arc<str>,
    /// The caller's name.
    pub caller_name: Arc<str>,
    /// The tool.
    pub tool: String,
    /// How it ended.
    pub outcome: CallOutcome,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The rest.
    pub detail: CallDetail,
}

/// Calls of one tool that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallSum {
    /// The tool.
    pub tool: String,
    /// How they ended.
    pub outcome: CallOutcome,
    /// How many.
    pub calls: u64,
    /// How long all of them took together, in milliseconds.
    pub took_ms: u64,
}
