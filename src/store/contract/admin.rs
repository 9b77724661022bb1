//! The operator's password and the sessions.

use std::sync::Arc;

use super::{Borrowed, Either};
use crate::auth::{
    ports::{AdminStore, AdminStoreError, PasswordRecord, SessionRecord},
    test_clock::START,
};

type AdminResult<T> = Result<T, AdminStoreError>;

pass_on! { AdminStore:
    password() -> AdminResult<Option<PasswordRecord>>;
    set_password(password: PasswordRecord) -> AdminResult<()>;
    open_session(session: SessionRecord) -> AdminResult<()>;
    sessions(now: i64) -> AdminResult<Vec<SessionRecord>>;
    close_sessions(ids: Vec<Arc<str>>) -> AdminResult<()>;
    touch_sessions(seen: Vec<(Arc<str>, i64)>) -> AdminResult<()>;
}

fn admin(store: &Either) -> Box<dyn AdminStore + '_> {
    match store {
        Either::Memory(store) => Box::new(Borrowed(store)),
        Either::Sql(store, _) => Box::new(store.admin()),
    }
}

fn session(number: u8) -> SessionRecord {
    SessionRecord {
        id: format!("ses_{number}").into(),
        who: "operator".into(),
        hash: [number; 32],
        address: (number > 1).then(|| "192.0.2.1".into()),
        agent: None,
        created_at: START,
        last_seen_at: START,
        expires_at: START + i64::from(number),
        must_change: number > 1,
    }
}

#[tokio::test]
async fn sessions_are_kept_until_they_end_or_the_password_changes() {
    for store in Either::each().await {
        let admin = admin(&store);
        assert_eq!(admin.password().await.unwrap(), None);
        for number in 1..=3 {
            admin.open_session(session(number)).await.unwrap();
        }
        assert_eq!(admin.sessions(START).await.unwrap(), [session(1), session(2), session(3)]);
        assert_eq!(admin.sessions(START + 1).await.unwrap(), [session(2), session(3)]);
        admin.touch_sessions(vec![("ses_2".into(), START + 1), ("ses_9".into(), START)]).await.unwrap();
        admin.touch_sessions(vec![("ses_2".into(), START)]).await.unwrap();
        assert_eq!(admin.sessions(START).await.unwrap()[0].last_seen_at, START + 1, "never moves back");
        admin.close_sessions(vec!["ses_2".into()]).await.unwrap();
        assert_eq!(admin.sessions(START).await.unwrap(), [session(3)]);
        for (hash, temporary) in [("one", true), ("two", false)] {
            let password = PasswordRecord { hash: hash.to_owned(), temporary, set_at: START };
            admin.set_password(password.clone()).await.unwrap();
            assert_eq!(admin.password().await.unwrap(), Some(password));
            assert_eq!(admin.sessions(START).await.unwrap(), []);
            admin.open_session(session(3)).await.unwrap();
        }
    }
}
