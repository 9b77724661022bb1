//! Operations on sessions that belong to a target.

use operations::affinity::{ForgetSession, ListSessions, Session, SessionForgotten, SessionPage};

use super::{OpError, page::page};
use crate::engine::Engine;

/// Lists sessions.
#[must_use]
pub fn list(engine: &Engine, args: &ListSessions) -> SessionPage {
    let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    let rows = engine.sessions().into_iter().filter_map(|(number, belonging)| {
        let wanted = fits(&args.caller, &belonging.caller) && fits(&args.connection, &belonging.connection);
        let id = format!("{number:016x}");
        wanted.then(|| {
            let session = Session {
                id: id.clone(),
                caller: belonging.caller.to_string(),
                connection: belonging.connection.to_string(),
                model: belonging.model.to_string(),
                until_at: belonging.until,
            };
            (id, session)
        })
    });
    let (sessions, next_cursor) = page(rows.collect(), args.cursor.as_deref(), args.limit);
    SessionPage { sessions, next_cursor }
}

/// Lets a session choose anew.
///
/// # Errors
/// When it is not remembered.
pub fn forget(engine: &Engine, args: ForgetSession) -> Result<SessionForgotten, OpError> {
    let known = u64::from_str_radix(&args.id, 16).ok().and_then(|number| engine.forget_session(number));
    match known {
        Some(belonging) => Ok(SessionForgotten { id: args.id, connection: belonging.connection.to_string() }),
        None => Err(OpError::NotFound { noun: "session", name: args.id }),
    }
}
