//! Which target a session belongs to: the one that answered it last, so that the provider's prompt cache, and whatever
//! else it keeps, is of use. A session is what the client calls one; it goes elsewhere the moment its target cannot be used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{pipeline::Engine, ports::Target};

/// How long a session that is silent is remembered, in milliseconds: an hour, the longest that providers keep a prompt.
const REMEMBERED_MS: i64 = 60 * 60 * 1000;

/// Sessions that are remembered. When more are, the caller with the most of them loses those that have been silent longest,
/// so that one who makes up sessions pushes out none of another's.
const SESSIONS: usize = 10_000;

/// Sessions and their targets.
#[derive(Debug, Default)]
pub struct Affinity {
    sessions: Mutex<HashMap<u64, Belonging>>,
}

/// What a session belongs to.
#[derive(Debug, Clone)]
pub struct Belonging {
    /// Whose session it is: the caller's id.
    pub caller: Arc<str>,
    /// The connection's id.
    pub connection: Arc<str>,
    /// The model as the provider knows it.
    pub model: Arc<str>,
    /// When it is forgotten, in milliseconds since the Unix epoch.
    pub until: i64,
}

impl Affinity {
    /// What a session belongs to.
    #[must_use]
    pub fn of(&self, session: u64, now: i64) -> Option<Belonging> {
        self.sessions().get(&session).filter(|belonging| belonging.until > now).cloned()
    }

    /// Notes who answered a session.
    pub fn remember(&self, session: u64, caller: &Arc<str>, target: &Target, now: i64) {
        let until = now.saturating_add(REMEMBERED_MS);
        let (connection, model) = (Arc::clone(&target.connection.id), Arc::clone(&target.model));
        self.keep(session, Belonging { caller: Arc::clone(caller), connection, model, until }, now);
    }

    fn keep(&self, session: u64, belonging: Belonging, now: i64) {
        let mut sessions = self.sessions();
        if sessions.len() >= SESSIONS && !sessions.contains_key(&session) {
            forget_the_oldest(&mut sessions, now);
        }
        sessions.insert(session, belonging);
    }

    /// Every session that is remembered, with its number.
    #[must_use]
    pub fn all(&self, now: i64) -> Vec<(u64, Belonging)> {
        let sessions = self.sessions();
        let living = sessions.iter().filter(|(_, belonging)| belonging.until > now);
        living.map(|(session, belonging)| (*session, belonging.clone())).collect()
    }

    /// Forgets a session; gives what it belonged to.
    pub fn forget(&self, session: u64) -> Option<Belonging> {
        self.sessions().remove(&session)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<u64, Belonging>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Every session that belongs to a target, with its number.
    #[must_use]
    pub fn sessions(&self) -> Vec<(u64, Belonging)> {
        self.knowledge().affinity.all(self.clock().now())
    }

    /// Forgets which target a session belongs to; gives what it was.
    pub fn forget_session(&self, session: u64) -> Option<Belonging> {
        self.knowledge().affinity.forget(session)
    }
}

/// Makes room for a tenth of what may be remembered, so that this is seldom done.
fn forget_the_oldest(sessions: &mut HashMap<u64, Belonging>, now: i64) {
    sessions.retain(|_, belonging| belonging.until > now);
    if sessions.len() < SESSIONS {
        return;
    }
    let mut held: HashMap<&Arc<str>, Vec<i64>> = HashMap::new();
    for belonging in sessions.values() {
        held.entry(&belonging.caller).or_default().push(belonging.until);
    }
    let Some((caller, mut ends)) = held.into_iter().max_by_key(|(_, ends)| ends.len()) else { return };
    let caller = Arc::clone(caller);
    let mut left = (SESSIONS / 10).min(ends.len());
    let (_, &mut last, _) = ends.select_nth_unstable(left - 1);
    sessions.retain(|_, belonging| {
        let goes = belonging.caller == caller && belonging.until <= last && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(caller: &str, until: i64) -> Belonging {
        Belonging { caller: caller.into(), connection: "a".into(), model: "m".into(), until }
    }

    #[test]
    fn one_who_makes_up_sessions_pushes_out_only_its_own() {
        let affinity = Affinity::default();
        affinity.keep(u64::MAX, of("quiet", 10), 0);
        for (session, until) in (0..25_000).zip(100..) {
            affinity.keep(session, of("loud", until), 0);
        }
        assert!(affinity.all(2).len() <= SESSIONS);
        assert!(affinity.of(u64::MAX, 2).is_some(), "the other caller's is still known");
        assert!(affinity.of(24_999, 2).is_some(), "the newest is known");
        assert!(affinity.of(0, 2).is_none(), "the oldest is not");
    }

    #[test]
    fn a_session_is_forgotten_by_hand_and_by_time() {
        let affinity = Affinity::default();
        affinity.keep(7, of("c", 10), 0);
        assert_eq!((affinity.all(9).len(), affinity.all(10).len()), (1, 0));
        assert!(affinity.forget(7).is_some() && affinity.forget(7).is_none());
    }
}
