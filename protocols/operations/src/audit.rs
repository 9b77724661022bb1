//! Operations on the audit log: who changed what, or tried to. Times are milliseconds since the Unix epoch in fields that end
//! in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Entries on a page when nothing was said.
pub const DEFAULT_PAGE: u32 = 50;
/// Most entries on a page.
pub const MAX_PAGE: u32 = 500;
/// Longest text to search for, in bytes.
const MAX_TEXT: usize = 256;

/// Lists the audit log.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Checks that nothing was taken out of the audit log or changed in it.
#[derive(Debug, Clone, Copy)]
pub struct Verify;

/// Takes a change back.
#[derive(Debug, Clone, Copy)]
pub struct Undo;

/// Which entries to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAudit {
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u64>,
    /// Most entries on the page, 1 to 500; 50 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only this operation, such as `put_combo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Only this caller, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Only what was done to this, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Only this outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AuditOutcome>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// It was done.
    Done,
    /// The caller did not hold the scope.
    Denied,
    /// It was refused, or went wrong.
    Failed,
}

impl AuditOutcome {
    /// The outcome as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }
}

/// One entry: an operation that changes something, or one that was denied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEntry {
    /// Its number; grows.
    pub id: u64,
    /// When.
    pub at: i64,
    /// The caller's id.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// Where the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The surface that it came in by: rest, cli, mcp, a2a or dashboard; hub where the hub did it by itself.
    pub surface: String,
    /// The request's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The operation.
    pub operation: String,
    /// The scope that it needs.
    pub scope: String,
    /// How it ended.
    pub outcome: AuditOutcome,
    /// The error's code, where it was not done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it was done to, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The arguments, secrets masked, where the change itself is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// What it was before, secrets masked; absent where there was nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is since, secrets masked; absent where it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether `undo_change` can take it back, as long as nothing was done to the same since.
    pub can_undo: bool,
}

/// Some entries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditPage {
    /// Those of this page, newest first.
    pub entries: Vec<AuditEntry>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<u64>,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyAudit {}

/// Whether the log is whole. Each entry carries a hash of itself and of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuditVerdict {
    /// Whether every hash is right.
    pub whole: bool,
    /// How many entries were looked at.
    pub entries: u64,
    /// The first entry whose hash is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<u64>,
}

/// The change to take back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndoChange {
    /// The number of its entry in the audit log.
    pub change: u64,
}

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    /// The kind of thing, such as `combos`.
    pub section: String,
    /// Its id.
    pub id: String,
    /// Its version now; absent where it is gone again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The number of the new entry, with which this can be taken back in turn.
    pub change: u64,
}

impl Operation for List {
    const NAME: &'static str = "list_audit";
    const TITLE: &'static str = "List the audit log";
    const SUMMARY: &'static str = "Lists who changed what and what was denied, newest first, with the difference, secrets \
         masked.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/audit");
    const COMMAND: (&'static str, &'static str) = ("audit", "list");
    const EXAMPLE: &'static str = r#"{"limit": 20}"#;
    type Args = ListAudit;
    type Result = AuditPage;

    fn check(args: ListAudit) -> Result<ListAudit, Invalid> {
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(Invalid::new("limit", format!("must be between 1 and {MAX_PAGE}")));
        }
        for (field, text) in
            [("operation", &args.operation), ("caller", &args.caller), ("target", &args.target)]
        {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
                return Err(Invalid::new(field, format!("must have at most {MAX_TEXT} bytes")));
            }
        }
        Ok(ListAudit { limit: Some(limit), ..args })
    }
}

impl Operation for Verify {
    const NAME: &'static str = "verify_audit";
    const TITLE: &'static str = "Verify the audit log";
    const SUMMARY: &'static str = "Checks that no entry of the audit log was changed and none taken out between the \
         oldest and the newest: each carries a hash of itself and of the one before.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/audit/verify");
    const COMMAND: (&'static str, &'static str) = ("audit", "verify");
    const EXAMPLE: &'static str = "{}";
    type Args = VerifyAudit;
    type Result = AuditVerdict;

    fn check(args: VerifyAudit) -> Result<VerifyAudit, Invalid> {
        Ok(args)
    }
}

impl Operation for Undo {
    const NAME: &'static str = "undo_change";
    const TITLE: &'static str = "Undo a change";
    const SUMMARY: &'static str = "Takes back a change to a connection, combo, alias, rule of names, budget, price or \
         setting, given by its number in the audit log, if nothing was done to the same since. The caller needs the \
         scope of the change as well.";
    const SCOPE: Scope = Scope::ReadAudit;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/audit/{change}/undo");
    const COMMAND: (&'static str, &'static str) = ("audit", "undo");
    const EXAMPLE: &'static str = r#"{"change": 1}"#;
    type Args = UndoChange;
    type Result = Undone;

    fn check(args: UndoChange) -> Result<UndoChange, Invalid> {
        if args.change == 0 || i64::try_from(args.change).is_err() {
            return Err(Invalid::new("change", "must be the number of an entry of the audit log"));
        }
        Ok(args)
    }
}
