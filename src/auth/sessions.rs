//! The sessions of people who have logged in with a browser. A session's token is 256 random bits in a cookie; its hash is
//! what is kept, so that the database opens no session. What proves that a page of the hub asks (against CSRF) follows from
//! the token, and so needs no place of its own.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use operations::Scopes;
use sha2::{Digest, Sha256};

use super::{
    AuthError,
    ports::{SessionRecord, TokenHash},
    token::hash,
};
use crate::engine::{
    caller::{Caller, CallerKind},
    ports::Clock,
};

/// A session that is not used for so long has ended: an hour, in milliseconds.
const IDLE_MS: i64 = 60 * 60 * 1000;
/// However much it is used, it ends after twelve hours.
pub const ABSOLUTE_MS: i64 = 12 * IDLE_MS;

/// Every session by the hash of its token.
pub struct SessionIndex {
    entries: ArcSwap<HashMap<TokenHash, Arc<Entry>>>,
    clock: Arc<dyn Clock>,
}

struct Entry {
    record: SessionRecord,
    last_seen_at: AtomicI64,
}

/// Somebody's session.
pub struct Visitor {
    /// Who it is; holds every scope.
    pub caller: Caller,
    /// When it ends at the latest, in milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// Whether the password is one that must be changed first.
    pub must_change: bool,
}

impl SessionIndex {
    /// An index that knows no session yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { entries: ArcSwap::default(), clock }
    }

    /// Takes sessions in.
    pub fn put(&self, records: &[SessionRecord]) {
        self.entries.rcu(|entries| {
            let mut entries = HashMap::clone(entries);
            for record in records {
                let last_seen_at = AtomicI64::new(record.last_seen_at);
                entries.insert(record.hash, Arc::new(Entry { record: record.clone(), last_seen_at }));
            }
            entries
        });
    }

    /// Forgets the sessions that `is_meant` is true of.
    pub fn remove(&self, is_meant: impl Fn(&SessionRecord) -> bool) {
        self.entries.rcu(|entries| {
            let mut entries = HashMap::clone(entries);
            entries.retain(|_, entry| !is_meant(&entry.record));
            entries
        });
    }

    /// Whose session `token` opens.
    ///
    /// # Errors
    /// [`AuthError::Unknown`] when it opens none, [`AuthError::Expired`] when that has ended.
    pub fn identify(&self, token: &str, address: Option<IpAddr>) -> Result<Visitor, AuthError> {
        let entries = self.entries.load();
        let entry = entries.get(&hash(token)).ok_or(AuthError::Unknown)?;
        let now = self.clock.now();
        if entry.has_ended(now) {
            return Err(AuthError::Expired);
        }
        entry.last_seen_at.store(now, Ordering::Relaxed);
        let caller = Caller {
            id: Arc::clone(&entry.record.id),
            name: Arc::clone(&entry.record.who),
            kind: CallerKind::Session,
            scopes: Scopes::all(),
            address,
            policy: None,
        };
        Ok(Visitor { caller, expires_at: entry.record.expires_at, must_change: entry.record.must_change })
    }

    /// The sessions that are alive, with the times of their last use.
    #[must_use]
    pub fn alive(&self) -> Vec<SessionRecord> {
        let now = self.clock.now();
        let entries = self.entries.load();
        let alive = entries.values().filter(|entry| !entry.has_ended(now));
        alive.map(|entry| entry.now()).collect()
    }

    /// Those that were used at or after `since` (milliseconds since the Unix epoch), for writing that down.
    #[must_use]
    pub fn seen_since(&self, since: i64) -> Vec<(Arc<str>, i64)> {
        let entries = self.entries.load();
        let seen = entries.values().map(|entry| entry.now()).filter(|record| record.last_seen_at >= since);
        seen.map(|record| (record.id, record.last_seen_at)).collect()
    }
}

impl Entry {
    fn now(&self) -> SessionRecord {
        let last_seen_at = self.last_seen_at.load(Ordering::Relaxed);
        SessionRecord { last_seen_at, ..self.record.clone() }
    }

    fn has_ended(&self, now: i64) -> bool {
        let seen = self.last_seen_at.load(Ordering::Relaxed);
        now >= self.record.expires_at || now.saturating_sub(seen) >= IDLE_MS
    }
}

/// What a page of the hub sends along with a change, and no other page can know.
#[must_use]
pub fn csrf_of(token: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"csrf:");
    hash.update(token.as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::auth::test_clock::{START, TestClock};

    fn session(token: &str) -> SessionRecord {
        SessionRecord {
            id: "ses_1".into(),
            who: "operator".into(),
            hash: hash(token),
            address: None,
            agent: None,
            created_at: START,
            last_seen_at: START,
            expires_at: START + ABSOLUTE_MS,
            must_change: false,
        }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_at_its_time() {
        let clock = Arc::new(TestClock::default());
        let index = SessionIndex::new(clock.clone());
        index.put(&[session("t")]);
        assert!(index.identify("x", None).is_err());
        for _ in 0..11 {
            clock.advance(IDLE_MS - 1);
            assert!(index.identify("t", None).is_ok(), "used in time");
        }
        clock.advance(IDLE_MS);
        assert_eq!(index.identify("t", None).err(), Some(AuthError::Expired));
        index.put(&[SessionRecord { last_seen_at: START + ABSOLUTE_MS, ..session("t") }]);
        clock.advance(IDLE_MS);
        assert_eq!(index.identify("t", None).err(), Some(AuthError::Expired), "however much it was used");
        assert!(index.alive().is_empty());
    }

    #[test]
    fn the_proof_belongs_to_the_session() {
        assert_eq!(csrf_of("t"), csrf_of("t"));
        assert_ne!(csrf_of("t"), csrf_of("u"));
        assert_eq!(csrf_of("t").len(), 64);
        let index = SessionIndex::new(Arc::new(TestClock::default()));
        index.put(&[session("t")]);
        assert_eq!(
            index.identify("t", None).map(|visitor| visitor.caller.kind).unwrap(),
            CallerKind::Session
        );
        index.remove(|record| &*record.id == "ses_1");
        assert_eq!(index.identify("t", None).err(), Some(AuthError::Unknown));
    }
}
