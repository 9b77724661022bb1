//! Operations on the sessions of people who have logged in with a browser. Times are milliseconds since the Unix epoch.
//! Logging in and out is no operation: it is how a caller of the REST surface becomes one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// What every session's id starts with.
pub const SESSION_ID_PREFIX: &str = "ses_";

/// Lists sessions.
#[derive(Debug, Clone, Copy)]
pub struct List;

/// Ends a session.
#[derive(Debug, Clone, Copy)]
pub struct Revoke;

/// Nothing is asked: there are few.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSessions {}

/// The session to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RevokeSession {
    /// Its id, or `all`.
    pub session: String,
}

/// A session as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionView {
    /// Its id.
    pub id: String,
    /// Who logged in.
    pub who: String,
    /// From where, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What the browser calls itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// When it began.
    pub created_at: i64,
    /// When it was last used.
    pub last_seen_at: i64,
    /// When it ends however much it is used; earlier when it is not.
    pub expires_at: i64,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// The sessions that are alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SessionList {
    /// The newest first.
    pub sessions: Vec<SessionView>,
}

/// What was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevokedSessions {
    /// The ids.
    pub sessions: Vec<String>,
}

impl Operation for List {
    const NAME: &'static str = "list_sessions";
    const TITLE: &'static str = "List sessions";
    const SUMMARY: &'static str = "Lists the sessions of people who are logged in with a browser: since when, from \
         where, and when they were last used.";
    const SCOPE: Scope = Scope::ReadKeys;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/sessions");
    const COMMAND: (&'static str, &'static str) = ("sessions", "list");
    const EXAMPLE: &'static str = r#"{}"#;
    type Args = ListSessions;
    type Result = SessionList;

    fn check(args: ListSessions) -> Result<ListSessions, Invalid> {
        Ok(args)
    }
}

impl Operation for Revoke {
    const NAME: &'static str = "revoke_session";
    const TITLE: &'static str = "End a session";
    const SUMMARY: &'static str =
        "Ends a session, given by id, or all of them: whoever used it has to log in again.";
    const SCOPE: Scope = Scope::WriteKeys;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Delete, "/api/sessions/{session}");
    const COMMAND: (&'static str, &'static str) = ("sessions", "revoke");
    const EXAMPLE: &'static str = r#"{"session": "all"}"#;
    type Args = RevokeSession;
    type Result = RevokedSessions;

    fn check(args: RevokeSession) -> Result<RevokeSession, Invalid> {
        let session = args.session.trim().to_owned();
        if session != "all" && !session.starts_with(SESSION_ID_PREFIX) {
            return Err(Invalid::new("session", "must be a session's id, or `all`"));
        }
        Ok(RevokeSession { session })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_named_by_its_id() {
        let revoke = |session: &str| Revoke::check(RevokeSession { session: session.to_owned() });
        assert!(revoke(" ses_1 ").is_ok() && revoke("all").is_ok());
        assert_eq!(revoke("key_1").map_err(|invalid| invalid.field), Err("session"));
    }
}
