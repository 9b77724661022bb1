//! Operations on sessions that belong to a target. Times are milliseconds since the Unix epoch in fields that end in `_at`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope, page};

/// Lists sessions.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Lets a session choose anew.
#[derive(Debug, Clone, Copy)]
pub struct Forget;

/// Which sessions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {
    /// Only those of this caller, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Only those that belong to this connection, by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `next_cursor` of the page before; without it the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most sessions on the page, 1 to 500; 100 when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Some sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionPage {
    /// Those of this page, by id.
    pub sessions: Vec<Session>,
    /// For the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A session: requests of one caller that stay with the target that answered them last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// The hub's number for it. The client's own word is not kept.
    pub id: String,
    /// The caller's id.
    pub caller: String,
    /// The connection that it belongs to.
    pub connection: String,
    /// The model there.
    pub model: String,
    /// When it is forgotten, unless it is heard of again.
    pub until_at: i64,
}

/// The session to forget.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgetSession {
    /// Its id, as `list_affinity` gives it.
    pub id: String,
}

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionForgotten {
    /// Its id.
    pub id: String,
    /// The connection that it belonged to.
    pub connection: String,
}

impl Operation for List {
    const NAME: &'static str = "list_affinity";
    const TITLE: &'static str = "List sessions";
    const SUMMARY: &'static str = "Lists the sessions that stay with one target for the sake of its prompt cache: whose \
         they are, where they go, and until when that is remembered.";
    const SCOPE: Scope = Scope::ReadHealth;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/affinity");
    const COMMAND: (&'static str, &'static str) = ("affinity", "list");
    const EXAMPLE: &'static str = r#"{"connection": "groq-2"}"#;
    type Args = ListSessions;
    type Result = SessionPage;

    fn check(args: ListSessions) -> Result<ListSessions, Invalid> {
        let limit = page::check(args.cursor.as_ref(), args.limit)?;
        let caller = page::check_name("caller", args.caller.as_ref())?;
        let connection = page::check_name("connection", args.connection.as_ref())?;
        Ok(ListSessions { caller, connection, limit: Some(limit), ..args })
    }
}

impl Operation for Forget {
    const NAME: &'static str = "forget_affinity";
    const TITLE: &'static str = "Let a session choose anew";
    const SUMMARY: &'static str = "Forgets which target a session belongs to. Its next request goes where the strategy \
         sends it, and stays there.";
    const SCOPE: Scope = Scope::WriteResilience;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Delete, "/api/affinity/{id}");
    const COMMAND: (&'static str, &'static str) = ("affinity", "forget");
    const EXAMPLE: &'static str = r#"{"id": "00000000000000ff"}"#;
    type Args = ForgetSession;
    type Result = SessionForgotten;

    fn check(args: ForgetSession) -> Result<ForgetSession, Invalid> {
        Ok(ForgetSession { id: page::check_required("id", &args.id)? })
    }
}
