//! The index of every token that the hub knows: one SHA-256 and one look-up per request, no lock and no
//! database. It mirrors the store; `ops` changes the store first and the index right after.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use arc_swap::ArcSwap;
use operations::{Scope, Scopes};

use super::{
    AuthError, policy,
    ports::{KeyRecord, TokenHash},
    token::hash,
};
use crate::engine::{
    caller::{Caller, CallerKind, Policy},
    ports::Clock,
    settings::Secret,
};

const ENVIRONMENT_ID: &str = "env";
const LOCAL_ID: &str = "local";
const LOCAL_NAME: &str = "local command";

/// The caller that a command on this machine is when it works on the store itself because no hub runs: whoever
/// may write the data directory may do everything.
#[must_use]
pub fn local_caller() -> Caller {
    Caller {
        id: LOCAL_ID.into(),
        name: LOCAL_NAME.into(),
        kind: CallerKind::Local,
        scopes: Scopes::all(),
        address: None,
        policy: None,
    }
}

/// The caller that whoever presents this key would be, from nowhere.
#[must_use]
pub fn caller_of(record: &KeyRecord) -> Caller {
    Caller {
        id: Arc::clone(&record.id),
        name: Arc::clone(&record.name),
        kind: CallerKind::Key,
        scopes: record.scopes,
        address: None,
        policy: policy::of(record),
    }
}

/// Every known token by its hash.
pub struct KeyIndex {
    // Replaced whole at each change: changes are made by people, look-ups by every request.
    entries: ArcSwap<HashMap<TokenHash, Arc<Entry>>>,
    clock: Arc<dyn Clock>,
}

/// What is known of one token.
struct Entry {
    id: Arc<str>,
    name: Arc<str>,
    kind: CallerKind,
    scopes: Scopes,
    expires_at: Option<i64>,
    revoked: bool,
    policy: Option<Arc<Policy>>,
    /// Milliseconds since the Unix epoch; 0: never. Shared by the entries that follow each other for one token.
    last_used_at: Arc<AtomicI64>,
}

impl KeyIndex {
    /// An index that knows no token yet. The clock decides when a key has expired.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { entries: ArcSwap::default(), clock }
    }

    /// Accepts the key that the operator gave in `API_KEY`, with every scope.
    pub fn accept_environment(&self, key: &Secret) {
        self.accept_built_in(key, ENVIRONMENT_ID, "API_KEY", CallerKind::Environment, Scopes::all());
    }

    /// Accepts the token that the operator gave in `ADMIN_TOKEN`: for management, and not to ask models.
    pub fn accept_admin(&self, token: &Secret) {
        let scopes = Scope::ALL.into_iter().filter(|scope| *scope != Scope::ExecuteCompletions).collect();
        self.accept_built_in(token, "admin", "ADMIN_TOKEN", CallerKind::Environment, scopes);
    }

    /// Accepts the secret of the hub's runtime file, with every scope.
    pub fn accept_local(&self, secret: &Secret) {
        self.accept_built_in(secret, LOCAL_ID, LOCAL_NAME, CallerKind::Local, Scopes::all());
    }

    /// Takes keys in, each in place of an earlier state of the same key.
    pub fn put(&self, records: &[KeyRecord]) {
        self.entries.rcu(|entries| {
            let mut entries = HashMap::clone(entries);
            for record in records {
                let last_used_at = entries.get(&record.hash).map_or_else(
                    || Arc::new(AtomicI64::new(record.last_used_at.unwrap_or_default())),
                    |earlier| Arc::clone(&earlier.last_used_at),
                );
                entries.insert(record.hash, Arc::new(Entry::of(record, last_used_at)));
            }
            entries
        });
    }

    /// Who presents `token`, from `address` when it comes over a network.
    ///
    /// # Errors
    /// [`AuthError`], anything but [`AuthError::Throttled`].
    pub fn identify(&self, token: Option<&str>, address: Option<IpAddr>) -> Result<Caller, AuthError> {
        let token = token.filter(|token| !token.is_empty()).ok_or(AuthError::Missing)?;
        let hash = hash(token);
        let entries = self.entries.load();
        let entry = entries.get(&hash).ok_or(AuthError::Unknown)?;
        if entry.revoked {
            return Err(AuthError::Revoked);
        }
        let now = self.clock.now();
        if entry.is_expired(now) {
            return Err(AuthError::Expired);
        }
        entry.last_used_at.store(now, Ordering::Relaxed);
        Ok(entry.caller(address))
    }

    /// The caller of this id, where its key still lives: for work that goes on without it. Looks at every key.
    #[must_use]
    pub fn caller(&self, id: &str) -> Option<Caller> {
        let now = self.clock.now();
        let entries = self.entries.load();
        let mut found = entries.values().filter(|entry| *entry.id == *id);
        found.find(|entry| !entry.revoked && !entry.is_expired(now)).map(|entry| entry.caller(None))
    }

    /// The policy of the living key of this name, which may have none; `None` where there is no such key.
    #[must_use]
    pub fn policy_of(&self, name: &str) -> Option<Option<Arc<Policy>>> {
        let now = self.clock.now();
        let entries = self.entries.load();
        let is_it = |entry: &&Arc<Entry>| {
            entry.kind == CallerKind::Key && *entry.name == *name && !entry.revoked && !entry.is_expired(now)
        };
        entries.values().find(is_it).map(|entry| entry.policy.clone())
    }

    /// Whether the operator gave an `API_KEY`.
    #[must_use]
    pub fn has_environment_key(&self) -> bool {
        self.entries.load().values().any(|entry| &*entry.id == ENVIRONMENT_ID)
    }

    /// When the key was last accepted, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn last_used_at(&self, hash: &TokenHash) -> Option<i64> {
        self.entries.load().get(hash).and_then(|entry| entry.last_used())
    }

    /// The issued keys that were accepted at or after `since`, with the time of the last use
    /// (milliseconds since the Unix epoch).
    #[must_use]
    pub fn used_since(&self, since: i64) -> Vec<(Arc<str>, i64)> {
        let entries = self.entries.load();
        let issued = entries.values().filter(|entry| entry.kind == CallerKind::Key);
        issued
            .filter_map(|entry| Some((Arc::clone(&entry.id), entry.last_used()?)))
            .filter(|(_, used)| *used >= since)
            .collect()
    }

    fn accept_built_in(&self, secret: &Secret, id: &str, name: &str, kind: CallerKind, scopes: Scopes) {
        if secret.expose().is_empty() {
            return;
        }
        let entry = Arc::new(Entry {
            id: id.into(),
            name: name.into(),
            kind,
            scopes,
            expires_at: None,
            revoked: false,
            policy: None,
            last_used_at: Arc::default(),
        });
        let hash = hash(secret.expose());
        self.entries.rcu(|entries| {
            let mut entries = HashMap::clone(entries);
            entries.insert(hash, Arc::clone(&entry));
            entries
        });
    }
}

impl Entry {
    fn of(record: &KeyRecord, last_used_at: Arc<AtomicI64>) -> Self {
        Self {
            id: Arc::clone(&record.id),
            name: Arc::clone(&record.name),
            kind: CallerKind::Key,
            scopes: record.scopes,
            expires_at: record.expires_at,
            revoked: record.revoked_at.is_some(),
            policy: policy::of(record),
            last_used_at,
        }
    }

    fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    fn caller(&self, address: Option<IpAddr>) -> Caller {
        Caller {
            id: Arc::clone(&self.id),
            name: Arc::clone(&self.name),
            kind: self.kind,
            scopes: self.scopes,
            address,
            policy: self.policy.clone(),
        }
    }

    fn last_used(&self) -> Option<i64> {
        Some(self.last_used_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::auth::test_clock::{START, TestClock};

    fn index() -> (KeyIndex, Arc<TestClock>) {
        let clock = Arc::new(TestClock::default());
        (KeyIndex::new(clock.clone()), clock)
    }

    fn record(token: &str) -> KeyRecord {
        KeyRecord {
            id: "key_1".into(),
            name: "laptop".into(),
            prefix: "tvm_".into(),
            hash: hash(token),
            scopes: Scopes::client(),
            created_at: START,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            version: 1,
            disabled: None,
            policy: Arc::default(),
        }
    }

    #[test]
    fn a_known_token_is_a_caller() {
        let (index, clock) = index();
        index.put(&[record("tvm_a")]);
        clock.advance(5);
        let address = Some(IpAddr::from([127, 0, 0, 1]));
        let caller = index.identify(Some("tvm_a"), address).unwrap();
        assert_eq!((&*caller.id, caller.kind, caller.address), ("key_1", CallerKind::Key, address));
        assert_eq!(caller.scopes, Scopes::client());
        assert_eq!(index.last_used_at(&hash("tvm_a")), Some(START + 5));
        assert_eq!(index.used_since(START + 5), [("key_1".into(), START + 5)]);
        assert!(index.used_since(START + 6).is_empty());
    }

    #[test]
    fn the_admin_token_manages_and_asks_no_models() {
        let (index, _) = index();
        index.accept_admin(&Secret::new("admin"));
        let caller = index.identify(Some("admin"), None).unwrap();
        assert!(!caller.may(Scope::ExecuteCompletions) && caller.may(Scope::WriteKeys), "{caller:?}");
        assert_eq!(caller.kind, CallerKind::Environment, "guesses at it are slowed down as those at API_KEY");
        assert!(!index.has_environment_key(), "a first key for clients is still made");
    }

    #[test]
    fn others_are_refused_with_the_reason() {
        let (index, clock) = index();
        index.put(&[KeyRecord { expires_at: Some(START + 10), ..record("tvm_a") }]);
        let why = |token| index.identify(token, None).err();
        assert_eq!(why(None), Some(AuthError::Missing));
        assert_eq!(why(Some("")), Some(AuthError::Missing));
        assert_eq!(why(Some("tvm_b")), Some(AuthError::Unknown));
        assert_eq!(why(Some("tvm_a")), None);
        clock.advance(10);
        assert_eq!(why(Some("tvm_a")), Some(AuthError::Expired));
        index.put(&[KeyRecord { revoked_at: Some(START), ..record("tvm_a") }]);
        assert_eq!(why(Some("tvm_a")), Some(AuthError::Revoked));
    }

    #[test]
    fn a_change_keeps_the_last_use() {
        let (index, _) = index();
        index.put(&[record("tvm_a")]);
        index.identify(Some("tvm_a"), None).unwrap();
        index.put(&[KeyRecord { revoked_at: Some(START), ..record("tvm_a") }]);
        assert_eq!(index.last_used_at(&hash("tvm_a")), Some(START));
    }

    #[test]
    fn built_in_identities_have_every_scope() {
        let (index, _) = index();
        assert!(!index.has_environment_key());
        index.accept_environment(&Secret::new(""));
        assert!(!index.has_environment_key(), "an empty API_KEY is none");
        index.accept_environment(&Secret::new("operator"));
        index.accept_local(&Secret::new("tvm_local"));
        assert!(index.has_environment_key());
        for (token, kind) in [("operator", CallerKind::Environment), ("tvm_local", CallerKind::Local)] {
            let caller = index.identify(Some(token), None).unwrap();
            assert_eq!((caller.kind, caller.scopes), (kind, Scopes::all()));
        }
        assert!(index.used_since(0).is_empty(), "only issued keys are written down");
    }
}
