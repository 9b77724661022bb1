//! Which target a session belongs to: the one that answered it last, so that the provider's prompt cache, and whatever
//! else it keeps, is of use. A session is what the client calls one; it goes elsewhere the moment its target cannot be used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::ports::Target;

/// How long a session that is silent is remembered, in milliseconds: an hour, the longest that providers keep a prompt.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// Sessions that are remembered. When more are, those that have been silent longest are forgotten.
const SESSIONS: usize = 10_000;

/// Sessions and their targets.
#[derive(Debug, Default)]
pub struct Affinity {
    sessions: Mutex<HashMap<u64, Belonging>>,
}

/// What a session belongs to.
#[derive(Debug, Clone)]
pub struct Belonging {
    /// The connection's id.
    pub connection: Arc<str>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    until: i64,
}

impl Affinity {
    /// What a session belongs to.
    #[must_use]
    pub fn of(&self, session: u64, now: i64) -> Option<Belonging> {
        self.sessions().get(&session).filter(|belonging| belonging.until > now).cloned()
    }

    /// Notes who answered a session.
    pub fn remember(&self, session: u64, target: &Target, now: i64) {
        let mut sessions = self.sessions();
        if sessions.len() >= SESSIONS && !sessions.contains_key(&session) {
            forget_the_oldest(&mut sessions, now);
        }
        let until = now.saturating_add(REMEMBERED_MS);
        let (connection, model) = (Arc::clone(&target.connection.id), Arc::clone(&target.model));
        sessions.insert(session, Belonging { connection, model, until });
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Belonging>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes room for a tenth of what may be remembered, so that this is seldom done.
fn forget_the_oldest(sessions: &mut HashMap<u64, Belonging>, now: i64) {
    sessions.retain(|_, belonging| belonging.until > now);
    let mut ends: Vec<i64> = sessions.values().map(|belonging| belonging.until).collect();
    let spare = SESSIONS / 10;
    if ends.len() > SESSIONS - spare {
        let (_, &mut last, _) = ends.select_nth_unstable(spare.min(sessions.len() - 1));
        let mut left = spare;
        sessions.retain(|_, belonging| {
            let goes = belonging.until <= last && left > 0;
            left -= usize::from(goes);
            !goes
        });
    }
}
