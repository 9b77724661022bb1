//! Operations on sessions that belong to a target.

use operations::affinity::{ForgetSession, ListSessions, Session, SessionForgotten, SessionPage};

use super::{OpError, own, page::page};
use crate::engine::{Engine, caller::Caller};

/// Lists sessions that the caller sees.
///
/// # Errors
/// When it asks for those of another, and may not see them.
pub fn list(engine: &Engine, caller: &Caller, args: ListSessions) -> Result<SessionPage, OpError> {
    let args = ListSessions { caller: own::only(caller, args.caller)?, ..args };
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
    Ok(SessionPage { sessions, next_cursor })
}

/// Lets a session choose anew.
///
/// # Errors
/// When it is not remembered, or is another's that the caller does not see.
pub fn forget(engine: &Engine, caller: &Caller, args: ForgetSession) -> Result<SessionForgotten, OpError> {
    let number = u64::from_str_radix(&args.id, 16).ok();
    let is_seen = |number: &u64| {
        caller.sees_others()
            || engine.sessions().iter().any(|(one, of)| one == number && own::sees(caller, &of.caller))
    };
    let known = number.filter(is_seen).and_then(|number| engine.forget_session(number));
    match known {
        Some(belonging) => Ok(SessionForgotten { id: args.id, connection: belonging.connection.to_string() }),
        None => Err(OpError::NotFound { noun: "session", name: args.id }),
    }
}
