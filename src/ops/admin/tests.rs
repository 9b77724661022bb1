//! From a password to a session and back out.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use futures_core::future::BoxFuture;
use operations::sessions::{ListSessions, RevokeSession};

use super::*;
use crate::{
    auth::{local_caller, test_clock::TestClock},
    store::MemoryStore,
};

const PASSWORD: &str = "a long enough password";

struct Hub {
    admin: Admin,
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

impl Hub {
    async fn new() -> Self {
        let (store, clock) = (Arc::<MemoryStore>::default(), Arc::<TestClock>::default());
        let admin = Admin::load(store.clone(), clock.clone()).await.unwrap();
        Self { admin, store, clock }
    }

    async fn log_in(&self, password: &str) -> Result<LoggedIn, LoginError> {
        self.admin.log_in(Secret::new(password), Origin::default()).await
    }

    fn who(&self, session: &LoggedIn) -> Option<Caller> {
        let visitor = self.admin.sessions().identify(session.token.expose(), None);
        visitor.ok().map(|visitor| visitor.caller)
    }
}

#[tokio::test]
async fn without_a_password_nobody_comes_in_and_a_made_one_must_be_changed() {
    let hub = Hub::new().await;
    assert!(matches!(hub.log_in("").await, Err(LoginError::Wrong)));
    let made = hub.admin.reset_password(&local_caller()).await.unwrap();
    let session = hub.log_in(made.expose()).await.unwrap();
    assert!(session.must_change);
    let caller = hub.who(&session).unwrap();
    let change = |current: &str, new: &str| {
        let (current, new) = (Some(Secret::new(current)), Secret::new(new));
        hub.admin.change_password(&caller, current, new, Origin::default())
    };
    assert!(matches!(change("wrong", PASSWORD).await, Err(LoginError::Wrong)));
    let short = change(made.expose(), "short").await;
    assert!(matches!(short, Err(LoginError::Operation(OpError::Invalid(_)))));
    let next = change(made.expose(), PASSWORD).await.unwrap();
    assert!(!next.must_change);
    assert!(hub.who(&session).is_none(), "sessions of the old password have ended");
    assert!(hub.who(&next).is_some());
    assert!(matches!(hub.log_in(made.expose()).await, Err(LoginError::Wrong)));
    let after = Admin::load(hub.store.clone(), hub.clock.clone()).await.unwrap();
    assert!(after.sessions().identify(next.token.expose(), None).is_ok(), "a restart logs nobody out");
}

#[tokio::test]
async fn guessing_is_stopped() {
    let hub = Hub::new().await;
    hub.admin.set_password(&local_caller(), Secret::new(PASSWORD)).await.unwrap();
    for _ in 0..5 {
        assert!(matches!(hub.log_in("wrong").await, Err(LoginError::Wrong)));
    }
    assert!(matches!(hub.log_in(PASSWORD).await, Err(LoginError::Throttled(_))));
    hub.clock.advance(5 * 60 * 1000);
    hub.log_in(PASSWORD).await.unwrap();
}

#[tokio::test]
async fn sessions_are_listed_and_ended_and_bounded() {
    let hub = Hub::new().await;
    let open = async || hub.admin.open("somebody".into(), Origin::default(), false).await.unwrap();
    let (one, two) = (open().await, open().await);
    let caller = hub.who(&one).unwrap();
    let listed = hub.admin.list(&caller, ListSessions::default()).unwrap().sessions;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed.iter().filter(|session| session.current).count(), 1);
    let other = hub.who(&two).unwrap().id.to_string();
    hub.admin.revoke(&caller, RevokeSession { session: other.clone() }).await.unwrap();
    assert!(hub.who(&two).is_none());
    let again = hub.admin.revoke(&caller, RevokeSession { session: other }).await;
    assert!(matches!(again, Err(OpError::NotFound { .. })));
    hub.clock.advance(1);
    for _ in 0..SESSIONS {
        open().await;
    }
    assert!(hub.who(&one).is_none(), "the one that was least recently used gave way");
    hub.admin.revoke(&caller, RevokeSession { session: "all".to_owned() }).await.unwrap();
    assert!(hub.admin.list(&caller, ListSessions::default()).unwrap().sessions.is_empty());
    assert!(hub.store.sessions(0).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_key_cannot_set_the_password() {
    let hub = Hub::new().await;
    let key = Caller { kind: CallerKind::Key, ..local_caller() };
    assert!(hub.admin.reset_password(&key).await.is_err());
    let nobody = Caller { scopes: operations::Scopes::default(), ..local_caller() };
    assert!(matches!(hub.admin.reset_password(&nobody).await, Err(OpError::Forbidden { .. })));
}

/// A store in which the password is changed right after it was read for the first time.
struct Overtaken {
    store: Arc<MemoryStore>,
    next: std::sync::Mutex<Option<PasswordRecord>>,
}

impl AdminStore for Overtaken {
    fn password(&self) -> BoxFuture<'_, Result<Option<PasswordRecord>, AdminStoreError>> {
        Box::pin(async {
            let read = AdminStore::password(&*self.store).await;
            let next = self.next.lock().unwrap().take();
            if let Some(next) = next {
                AdminStore::set_password(&*self.store, next).await?;
            }
            read
        })
    }

    fn set_password(&self, password: PasswordRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        AdminStore::set_password(&*self.store, password)
    }

    fn open_session(&self, session: SessionRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.store.open_session(session)
    }

    fn sessions(&self, now: i64) -> BoxFuture<'_, Result<Vec<SessionRecord>, AdminStoreError>> {
        AdminStore::sessions(&*self.store, now)
    }

    fn close_sessions(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.store.close_sessions(ids)
    }

    fn touch_sessions(&self, seen: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.store.touch_sessions(seen)
    }
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_opens_nothing() {
    for changes in [false, true] {
        let hub = Hub::new().await;
        let mut records = Vec::new();
        for password in ["another long password", PASSWORD] {
            hub.admin.set_password(&local_caller(), Secret::new(password)).await.unwrap();
            records.push(AdminStore::password(&*hub.store).await.unwrap().unwrap());
        }
        let next = std::sync::Mutex::new(Some(records.remove(0)));
        let store = Arc::new(Overtaken { store: Arc::clone(&hub.store), next });
        let admin = Admin::load(store, hub.clock.clone()).await.unwrap();
        let known = Secret::new(PASSWORD);
        if changes {
            let caller = Caller { kind: CallerKind::Session, ..local_caller() };
            let done =
                admin.change_password(&caller, Some(known), Secret::new("mine for ever"), Origin::default());
            assert!(matches!(done.await, Err(LoginError::Operation(OpError::Conflict(_)))));
        } else {
            assert!(matches!(admin.log_in(known, Origin::default()).await, Err(LoginError::Wrong)));
        }
        assert!(admin.sessions().alive().is_empty());
        let now = Secret::new("another long password");
        admin.log_in(now, Origin::default()).await.unwrap();
    }
}

#[test]
fn a_client_that_hangs_up_leaves_its_place_taken_while_the_work_goes_on() {
    // The only thread for such work is busy, so what a login begins cannot end before it is looked at.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let hub = Hub::new().await;
        hub.admin.set_password(&local_caller(), Secret::new(PASSWORD)).await.unwrap();
        let (free, wait) = std::sync::mpsc::sync_channel::<()>(0);
        let busy = tokio::task::spawn_blocking(move || wait.recv().is_err());
        let free_places = || hub.admin.inner.hashing.available_permits();
        let login = tokio::task::unconstrained(hub.log_in(PASSWORD));
        let mut login = Box::pin(login);
        while free_places() == HASHING {
            assert!(futures_util::poll!(&mut login).is_pending());
        }
        for _ in 0..10 {
            assert!(futures_util::poll!(&mut login).is_pending());
        }
        drop(login);
        assert_eq!(free_places(), HASHING - 1);
        drop(free);
        assert!(busy.await.unwrap());
        while free_places() < HASHING {
            tokio::task::yield_now().await;
        }
    });
}
