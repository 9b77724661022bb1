//! Operations on keys. The store is changed first and the index right after, so that an acknowledged change is
//! durable and in force; tokens are made and hashed in `auth`, rows are kept by the store. What a change makes of a key is
//! in `change`.

mod change;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use operations::{
    Operation, Scope, Scopes,
    keys::{
        Create, CreateKey, CreatedKey, DEFAULT_PAGE, Get, GetKey, KEY_ID_PREFIX, KeyPage, KeyPolicy, KeyView,
        List, ListKeys, Revoke, RevokeKey, RevokedKeys, Rotate, RotateKey, Update, UpdateKey,
    },
};
use tokio::sync::Mutex;

use super::{OpError, error::require};
use crate::{
    auth::{
        KeyIndex, Token, caller_of, compiled,
        ports::{Ending, KeyRecord, KeyStore, KeyStoreError},
    },
    engine::{caller::Caller, ports::Clock},
};

/// How long an ended key is still listed and its holder told that it ended: 90 days, in milliseconds.
const REMEMBER_ENDED_MS: i64 = 90 * 24 * 60 * 60 * 1000;
/// Keys in the store, ended ones included. All of them are in memory; a hub with more clients than this
/// wants another kind of credential.
const MAX_KEYS: usize = 50_000;
/// The name of the key that the first start makes.
const FIRST_KEY: &str = "first";

/// Executes the operations on keys.
#[derive(Clone)]
pub struct Keys {
    inner: Arc<Inner>,
}

/// What a new key is made of.
struct Made {
    name: Arc<str>,
    scopes: Scopes,
    /// Milliseconds until it ends by itself.
    lifetime: Option<i64>,
    policy: Arc<KeyPolicy>,
    disabled: Option<Arc<str>>,
}

struct Inner {
    store: Arc<dyn KeyStore>,
    index: Arc<KeyIndex>,
    clock: Arc<dyn Clock>,
    /// One change at a time, so that store and index see them in the same order: a rotation must not put
    /// a key back into the index that was revoked meanwhile. Holds the number of keys.
    changing: Mutex<usize>,
    /// Uses before this time were written down.
    saved_until: AtomicI64,
}

impl Keys {
    /// Reads the keys from the store into the index. Keys that ended long ago are deleted.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn load(
        store: Arc<dyn KeyStore>,
        index: Arc<KeyIndex>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpError> {
        let now = clock.now();
        store.forget_ended(now.saturating_sub(REMEMBER_ENDED_MS)).await.map_err(failed)?;
        let records = store.all().await.map_err(failed)?;
        index.put(&records);
        let changing = Mutex::new(records.len());
        let inner = Inner { store, index, clock, changing, saved_until: AtomicI64::new(now) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a key with the scopes that were asked for, all of which the caller must hold.
    ///
    /// # Errors
    /// [`OpError`]; a conflict when a living key has the name.
    pub async fn create(&self, caller: &Caller, args: CreateKey) -> Result<CreatedKey, OpError> {
        require(caller, Create::SCOPE)?;
        let args = Create::check(args)?;
        let scopes: Scopes = args.scopes.into_iter().collect();
        require_all(caller, scopes)?;
        compiled(&args.policy)?;
        let made = Made {
            name: args.name.into(),
            scopes,
            lifetime: args.expires_in_seconds.map(milliseconds),
            policy: Arc::new(args.policy),
            disabled: None,
        };
        self.to_the_end(move |inner| async move { inner.create(made).await }).await
    }

    /// Lists keys, oldest first.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn list(&self, caller: &Caller, args: ListKeys) -> Result<KeyPage, OpError> {
        require(caller, List::SCOPE)?;
        let args = List::check(args)?;
        let limit = args.limit.unwrap_or(DEFAULT_PAGE);
        // One more than asked for tells whether there is a next page.
        let mut records =
            self.inner.store.page(args.cursor, limit.saturating_add(1)).await.map_err(failed)?;
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = records.len() > wanted;
        records.truncate(wanted);
        let keys: Vec<_> = records.iter().map(|record| self.inner.view(record)).collect();
        let next_cursor = keys.last().filter(|_| more).map(|key| key.id.clone());
        Ok(KeyPage { keys, next_cursor })
    }

    /// Shows a key.
    ///
    /// # Errors
    /// [`OpError`]; not found when no living key has the name, and no key at all the id.
    pub async fn get(&self, caller: &Caller, args: GetKey) -> Result<KeyView, OpError> {
        require(caller, Get::SCOPE)?;
        let key = Get::check(args)?.key;
        let found = self.inner.find(key.clone()).await?;
        found.first().map(|record| self.inner.view(record)).ok_or_else(|| missing(key))
    }

    /// Who would come in with a key, and why nobody would if it has ended. Whoever asks has checked that it may.
    pub(super) async fn as_caller(&self, key: String) -> Result<(Caller, Option<String>), OpError> {
        let found = self.inner.find(key.clone()).await?;
        let record = found.first().ok_or_else(|| missing(key))?;
        let ended = record.has_ended(self.inner.clock.now());
        Ok((caller_of(record), ended.then(|| "the key was revoked or has expired".to_owned())))
    }

    /// Changes a key: what is in force from the moment of the answer. The caller must hold the scopes that it gives.
    ///
    /// # Errors
    /// [`OpError`]; stale when the key is not of the version that the caller names.
    pub async fn update(&self, caller: &Caller, args: UpdateKey) -> Result<KeyView, OpError> {
        require(caller, Update::SCOPE)?;
        let args = Update::check(args)?;
        require_all(caller, args.scopes.iter().flatten().copied().collect())?;
        self.to_the_end(move |inner| async move { inner.update(args).await }).await
    }

    /// Ends a key. It is refused from the moment of the answer.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn revoke(&self, caller: &Caller, args: RevokeKey) -> Result<RevokedKeys, OpError> {
        require(caller, Revoke::SCOPE)?;
        let key = Revoke::check(args)?.key;
        self.to_the_end(move |inner| async move { inner.revoke(key).await }).await
    }

    /// Gives a key a new text. The caller must hold the key's scopes: it learns a text that has them.
    ///
    /// # Errors
    /// [`OpError`]; a conflict when the key has ended or was rotated before.
    pub async fn rotate(&self, caller: &Caller, args: RotateKey) -> Result<CreatedKey, OpError> {
        require(caller, Rotate::SCOPE)?;
        let args = Rotate::check(args)?;
        let held = caller.scopes;
        self.to_the_end(move |inner| async move { inner.rotate(args, held).await }).await
    }

    /// On the first start, when there is no key and no `API_KEY`: a key with every scope, without which nobody
    /// could use the hub. `None` at every other start.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn first_key(&self) -> Result<Option<CreatedKey>, OpError> {
        if self.inner.index.has_environment_key() || *self.inner.changing.lock().await > 0 {
            return Ok(None);
        }
        let made = Made {
            name: FIRST_KEY.into(),
            scopes: Scopes::all(),
            lifetime: None,
            policy: Arc::default(),
            disabled: None,
        };
        self.to_the_end(|inner| async move { inner.create(made).await }).await.map(Some)
    }

    /// Writes down when keys were last used, if any was. For the app to call now and then, and before it stops.
    ///
    /// # Errors
    /// [`OpError::Store`]; the next call tries again.
    pub async fn save_last_used(&self) -> Result<(), OpError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let used = inner.index.used_since(inner.saved_until.load(Ordering::Relaxed));
        if !used.is_empty() {
            inner.store.touch_last_used(used).await.map_err(failed)?;
        }
        inner.saved_until.store(now, Ordering::Relaxed);
        Ok(())
    }

    /// Runs a change on a task of its own: a client that hangs up between the commit and the change of
    /// the index must not leave a revoked key in use.
    async fn to_the_end<T, F, W>(&self, change: W) -> Result<T, OpError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, OpError>> + Send + 'static,
        W: FnOnce(Arc<Inner>) -> F,
    {
        tokio::spawn(change(Arc::clone(&self.inner))).await.unwrap_or(Err(OpError::Interrupted))
    }
}

impl Inner {
    async fn create(&self, made: Made) -> Result<CreatedKey, OpError> {
        let mut count = self.changing.lock().await;
        self.room(*count)?;
        let (record, token) = self.make(made)?;
        self.store.insert(record.clone()).await.map_err(|error| conflict(error, &record.name))?;
        *count += 1;
        self.index.put(std::slice::from_ref(&record));
        Ok(self.created(&record, &token))
    }

    async fn revoke(&self, key: String) -> Result<RevokedKeys, OpError> {
        let _one_at_a_time = self.changing.lock().await;
        let found = self.find(key).await?;
        let ids = found.iter().map(|record| Arc::clone(&record.id)).collect();
        let revoked = self.store.revoke(ids, self.clock.now()).await.map_err(failed)?;
        self.index.put(&revoked);
        Ok(RevokedKeys { keys: revoked.iter().map(|record| self.view(record)).collect() })
    }

    async fn rotate(&self, args: RotateKey, held: Scopes) -> Result<CreatedKey, OpError> {
        let mut count = self.changing.lock().await;
        self.room(*count)?;
        let found = self.find(args.key.clone()).await?;
        let Some(old) = found.first() else { return Err(missing(args.key)) };
        if let Some(scope) = old.scopes.iter().find(|scope| !held.contains(*scope)) {
            return Err(OpError::Forbidden { scope });
        }
        let now = self.clock.now();
        if old.has_ended(now) {
            return Err(OpError::Conflict(format!("the key `{}` has ended; create a new one", old.name)));
        }
        let lifetime = old.expires_at.map(|end| end.saturating_sub(old.created_at));
        let (successor, token) = self.make(Made {
            name: Arc::clone(&old.name),
            scopes: old.scopes,
            lifetime,
            policy: Arc::clone(&old.policy),
            disabled: old.disabled.clone(),
        })?;
        let ending = ending(old, now, milliseconds(args.grace_seconds));
        let id = Arc::clone(&old.id);
        let old = self
            .store
            .rotate(id, ending, successor.clone())
            .await
            .map_err(|error| conflict(error, &old.name))?;
        *count += 1;
        let created = self.created(&successor, &token);
        self.index.put(&[old, successor]);
        Ok(created)
    }

    async fn find(&self, key: String) -> Result<Vec<KeyRecord>, OpError> {
        let found = self.store.find(key.clone(), self.clock.now()).await.map_err(failed)?;
        if found.is_empty() { Err(missing(key)) } else { Ok(found) }
    }

    fn make(&self, made: Made) -> Result<(KeyRecord, Token), OpError> {
        let token = Token::generate()?;
        let created_at = self.clock.now();
        let record = KeyRecord {
            id: format!("{KEY_ID_PREFIX}{}", uuid::Uuid::now_v7().simple()).into(),
            name: made.name,
            prefix: token.prefix.as_str().into(),
            hash: token.hash,
            scopes: made.scopes,
            created_at,
            expires_at: made.lifetime.map(|lifetime| created_at.saturating_add(lifetime)),
            revoked_at: None,
            last_used_at: None,
            version: 1,
            disabled: made.disabled,
            policy: made.policy,
        };
        Ok((record, token))
    }

    fn room(&self, count: usize) -> Result<(), OpError> {
        if count < MAX_KEYS {
            return Ok(());
        }
        Err(OpError::Conflict(format!(
            "the hub keeps at most {MAX_KEYS} keys; ended ones are deleted after 90 days, at a restart"
        )))
    }

    fn created(&self, record: &KeyRecord, token: &Token) -> CreatedKey {
        CreatedKey { key: self.view(record), secret: token.secret.expose().to_owned() }
    }

    fn view(&self, record: &KeyRecord) -> KeyView {
        KeyView {
            id: record.id.to_string(),
            name: record.name.to_string(),
            prefix: record.prefix.to_string(),
            scopes: record.scopes.iter().collect(),
            created_at: record.created_at,
            expires_at: record.expires_at,
            revoked_at: record.revoked_at,
            // The index knows uses that were not written down yet.
            last_used_at: self.index.last_used_at(&record.hash).max(record.last_used_at),
            version: record.version,
            enabled: record.disabled.is_none(),
            reason: record.disabled.as_deref().filter(|reason| !reason.is_empty()).map(str::to_owned),
            policy: KeyPolicy::clone(&record.policy),
        }
    }
}

/// A rotated key ends at once, or after the grace, but never later than it would have anyway.
fn ending(old: &KeyRecord, now: i64, grace: i64) -> Ending {
    if grace == 0 {
        return Ending::Revoked(now);
    }
    let end = now.saturating_add(grace);
    Ending::Expires(old.expires_at.map_or(end, |own| own.min(end)))
}

fn require_all(caller: &Caller, scopes: Scopes) -> Result<(), OpError> {
    scopes.iter().try_for_each(|scope: Scope| require(caller, scope))
}

/// `check` has bounded the seconds far below what could overflow.
fn milliseconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000)
}

fn missing(name: String) -> OpError {
    OpError::NotFound { noun: "living key", name }
}

fn failed(error: KeyStoreError) -> OpError {
    OpError::Store(Box::new(error))
}

fn conflict(error: KeyStoreError, name: &str) -> OpError {
    match error {
        KeyStoreError::NameTaken => OpError::Conflict(format!("a living key is already named `{name}`")),
        KeyStoreError::NotCurrent => {
            OpError::Conflict(format!("this key `{name}` was rotated before; name its successor"))
        }
        error @ (KeyStoreError::Stale | KeyStoreError::Failed(_)) => failed(error),
    }
}

#[cfg(test)]
mod tests;
