//! From a password to a session and back out.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

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
