//! The operator's login: a password, or a provider that vouches, and the sessions of those who proved who they are. Sessions are changed in the store first
//! and in the index right after. How a token becomes a caller is `auth`'s; cookies are the surface's.

mod provider;
mod sessions;
#[cfg(test)]
mod tests;

pub use provider::ProviderLogin;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use operations::{Invalid, Scope};
use tokio::sync::{Mutex, MutexGuard, OwnedSemaphorePermit, Semaphore};

use super::{OpError, error::require};
use crate::{
    auth::{
        ABSOLUTE_MS, FailureThrottle, OidcError, PasswordError, SessionIndex, ThrottleLimits, Token,
        generated, hashed, is_right,
        ports::{AdminStore, AdminStoreError, PasswordRecord, SessionRecord},
    },
    engine::{
        caller::{Caller, CallerKind},
        ports::Clock,
        settings::Secret,
    },
};

/// Who logs in with the password.
const OPERATOR: &str = "operator";
/// Passwords that are hashed at a time: each takes 19 MiB and a processor for a while.
const HASHING: usize = 2;
/// Wrong passwords of one address before it is refused, and for how long they are held against it. A person mistypes less
/// often; in a year it is half a million guesses, of which a password of twelve characters has no fear.
const THROTTLE: ThrottleLimits =
    ThrottleLimits { failures: 5, window: Duration::from_secs(5 * 60), addresses: 4096 };
/// Sessions at a time; one more ends the one that was used least recently.
const SESSIONS: usize = 64;
/// What is kept of what a browser calls itself, in characters.
const AGENT_CHARS: usize = 160;

/// Logs operators in and out.
#[derive(Clone)]
pub struct Admin {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn AdminStore>,
    sessions: Arc<SessionIndex>,
    clock: Arc<dyn Clock>,
    throttle: FailureThrottle,
    hashing: Arc<Semaphore>,
    /// One change at a time, so that store and index see them in the same order.
    changing: Mutex<()>,
    /// Uses of sessions before this time were written down.
    saved_until: AtomicI64,
}

/// From where somebody logs in.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The address, where there is one.
    pub address: Option<IpAddr>,
    /// What the browser calls itself.
    pub agent: Option<String>,
}

/// A session that has just begun. Not to be printed: the token is what opens it.
pub struct LoggedIn {
    /// What goes into the cookie.
    pub token: Secret,
    /// Who it is.
    pub who: Arc<str>,
    /// When it ends at the latest, in milliseconds since the Unix epoch.
    pub expires_at: i64,
    /// Whether the password must be changed first.
    pub must_change: bool,
}

/// Why somebody was not logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The password is wrong, or there is none.
    #[error("the password is wrong, or none has been set")]
    Wrong,
    /// Too many failed logins came from this address.
    #[error("too many failed logins came from this address")]
    Throttled(Duration),
    /// Others are logging in.
    #[error("too many are logging in at the moment")]
    Busy,
    /// The provider did not prove who it is.
    #[error(transparent)]
    Provider(OidcError),
    /// It is somebody, but nobody who may manage this hub.
    #[error("`{0}` is not among those who may manage this hub")]
    NotAdmitted(Arc<str>),
    /// The store failed, or the machine.
    #[error(transparent)]
    Operation(#[from] OpError),
}

impl Admin {
    /// Reads the sessions from the store.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn load(store: Arc<dyn AdminStore>, clock: Arc<dyn Clock>) -> Result<Self, OpError> {
        let now = clock.now();
        let sessions = Arc::new(SessionIndex::new(Arc::clone(&clock)));
        sessions.put(&store.sessions(now).await.map_err(failed)?);
        let inner = Inner {
            store,
            sessions,
            clock,
            throttle: FailureThrottle::new(THROTTLE),
            hashing: Arc::new(Semaphore::new(HASHING)),
            changing: Mutex::new(()),
            saved_until: AtomicI64::new(now),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The sessions, for whoever identifies callers.
    #[must_use]
    pub fn sessions(&self) -> &Arc<SessionIndex> {
        &self.inner.sessions
    }

    /// Begins a session, if the password is right.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn log_in(&self, password: Secret, origin: Origin) -> Result<LoggedIn, LoginError> {
        let proof = self.proved(password, &origin).await?;
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let one_at_a_time = inner.changing.lock().await;
            // Who knew a password that was changed meanwhile is one of those whose sessions that ended.
            if !inner.holds(&proof).await? {
                return Err(LoginError::Wrong);
            }
            Ok(inner.begin(&one_at_a_time, OPERATOR.into(), origin, proof.temporary).await?)
        })
        .await
    }

    /// The record of the password that somebody knows.
    async fn proved(&self, password: Secret, origin: &Origin) -> Result<PasswordRecord, LoginError> {
        let inner = &self.inner;
        // Who comes over no network is one address of its own.
        let address = origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let now = inner.clock.now();
        if let Some(wait) = inner.throttle.refused(address, now) {
            return Err(LoginError::Throttled(wait));
        }
        let turn = Arc::clone(&inner.hashing).try_acquire_owned().map_err(|_| LoginError::Busy)?;
        // Counted before it is looked at, so that guesses at the same time are counted too.
        inner.throttle.failed(address, now);
        let kept = inner.store.password().await.map_err(failed)?.ok_or(LoginError::Wrong)?;
        let hash = kept.hash.clone();
        if !hashing(turn, move || is_right(&password, &hash)).await? {
            return Err(LoginError::Wrong);
        }
        inner.throttle.succeeded(address);
        Ok(kept)
    }

    /// Begins a session for somebody who has proved in another way who they are.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn open(&self, who: Arc<str>, origin: Origin, must_change: bool) -> Result<LoggedIn, OpError> {
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let one_at_a_time = inner.changing.lock().await;
            inner.begin(&one_at_a_time, who, origin, must_change).await
        })
        .await
    }

    /// Sets the password in place of `current`, and begins a new session for who did it: all others have ended. Commands
    /// of the hub's own machine need not know the current one.
    ///
    /// # Errors
    /// [`LoginError::Wrong`] when the current one is wrong; [`OpError::Invalid`] when the new one is too short.
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: Option<Secret>,
        new: Secret,
        origin: Origin,
    ) -> Result<LoggedIn, LoginError> {
        let proof = if caller.kind == CallerKind::Local {
            None
        } else {
            // Checked as a login is, so that a session that was left open is no way to guess.
            Some(self.proved(current.ok_or(LoginError::Wrong)?, &origin).await?)
        };
        self.set(caller, new, false, proof).await?;
        Ok(self.open(Arc::clone(&caller.name), origin, false).await?)
    }

    /// Sets a password that the hub makes, which has to be changed at the first login; answers it. For commands of the hub's
    /// own machine alone.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn reset_password(&self, caller: &Caller) -> Result<Secret, OpError> {
        let password = generated()?;
        self.set(caller, password.clone(), true, None).await?;
        Ok(password)
    }

    /// Sets the password that somebody on the hub's own machine has thought of.
    ///
    /// # Errors
    /// [`OpError::Invalid`] when it is too short.
    pub async fn set_password(&self, caller: &Caller, new: Secret) -> Result<(), OpError> {
        self.set(caller, new, false, None).await
    }

    /// Sets the password, if the one that was proved is still the one that is there.
    async fn set(
        &self,
        caller: &Caller,
        new: Secret,
        temporary: bool,
        proof: Option<PasswordRecord>,
    ) -> Result<(), OpError> {
        if !matches!(caller.kind, CallerKind::Local | CallerKind::Session) {
            // A key that leaks must not become a password that stays.
            return Err(OpError::Conflict(
                "the password is set with `trivium admin password`, or by who has logged in with it"
                    .to_owned(),
            ));
        }
        require(caller, Scope::WriteKeys)?;
        // It never closes, and whoever sets a password can wait for those who log in.
        let turn = Arc::clone(&self.inner.hashing).acquire_owned().await.map_err(|_| OpError::Interrupted)?;
        let hash = hashing(turn, move || hashed(&new)).await?.map_err(|error| match error {
            PasswordError::Length => OpError::from(Invalid::new("new", error.to_string())),
            PasswordError::NoEntropy(error) => OpError::NoEntropy(error),
            PasswordError::Hash(_) => OpError::Store(Box::new(error)),
        })?;
        let inner = Arc::clone(&self.inner);
        to_the_end(async move {
            let _one_at_a_time = inner.changing.lock().await;
            if let Some(proof) = proof
                && !inner.holds(&proof).await?
            {
                return Err(OpError::Conflict("somebody else has changed the password meanwhile".to_owned()));
            }
            let record = PasswordRecord { hash, temporary, set_at: inner.clock.now() };
            inner.store.set_password(record).await.map_err(failed)?;
            inner.sessions.remove(|_| true);
            Ok(())
        })
        .await
    }

    /// Writes down when sessions were last used. For the app to call now and then.
    ///
    /// # Errors
    /// [`OpError::Store`]; the next call tries again.
    pub async fn save_last_seen(&self) -> Result<(), OpError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let seen = inner.sessions.seen_since(inner.saved_until.load(Ordering::Relaxed));
        if !seen.is_empty() {
            inner.store.touch_sessions(seen).await.map_err(failed)?;
        }
        inner.saved_until.store(now, Ordering::Relaxed);
        Ok(())
    }
}

impl Inner {
    /// Whether a password that was looked at is still the one that opens. To be asked in one's turn.
    async fn holds(&self, seen: &PasswordRecord) -> Result<bool, OpError> {
        let now = self.store.password().await.map_err(failed)?;
        Ok(now.is_some_and(|now| now.hash == seen.hash))
    }

    async fn begin(
        &self,
        _one_at_a_time: &MutexGuard<'_, ()>,
        who: Arc<str>,
        origin: Origin,
        must_change: bool,
    ) -> Result<LoggedIn, OpError> {
        self.make_room().await?;
        let token = Token::generate()?;
        let now = self.clock.now();
        let agent = origin.agent.map(|agent| agent.chars().take(AGENT_CHARS).collect::<String>());
        let session = SessionRecord {
            id: format!("{}{}", operations::sessions::SESSION_ID_PREFIX, uuid::Uuid::now_v7().simple())
                .into(),
            who: Arc::clone(&who),
            hash: token.hash,
            address: origin.address.map(|address| address.to_string().into()),
            agent: agent.map(Arc::from),
            created_at: now,
            last_seen_at: now,
            expires_at: now.saturating_add(ABSOLUTE_MS),
            must_change,
        };
        self.store.open_session(session.clone()).await.map_err(failed)?;
        self.sessions.put(std::slice::from_ref(&session));
        Ok(LoggedIn { token: token.secret, who, expires_at: session.expires_at, must_change })
    }

    /// Ends what has ended, and who was least recently here if there are too many.
    async fn make_room(&self) -> Result<(), OpError> {
        let mut alive = self.sessions.alive();
        alive.sort_by_key(|session| session.last_seen_at);
        let over = alive.len().saturating_sub(SESSIONS - 1);
        let ending: Vec<Arc<str>> = alive.iter().take(over).map(|session| Arc::clone(&session.id)).collect();
        if !ending.is_empty() {
            self.store.close_sessions(ending.clone()).await.map_err(failed)?;
        }
        let kept: Vec<Arc<str>> = alive.into_iter().skip(over).map(|session| session.id).collect();
        self.sessions.remove(|session| !kept.contains(&session.id));
        Ok(())
    }
}

/// Runs a change on a task of its own: a client that hangs up must not leave store and index apart.
async fn to_the_end<T: Send + 'static, E: From<OpError> + Send + 'static>(
    change: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E> {
    tokio::spawn(change).await.unwrap_or_else(|_| Err(OpError::Interrupted.into()))
}

/// Hashes where no other task waits for the processor. The turn lasts as long as the work does, which nobody stops by hanging
/// up.
async fn hashing<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpError> {
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| OpError::Interrupted)
}

fn failed(error: AdminStoreError) -> OpError {
    OpError::Store(Box::new(error))
}
