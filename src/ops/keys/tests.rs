//! The life of keys, from the operation to the caller who presents them.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::sync::Arc;

use operations::keys::PolicyField;

use super::*;
use crate::{
    auth::{AuthError, local_caller, test_clock::TestClock},
    engine::{caller::CallerKind, settings::Secret},
    store::{DataDir, MemoryStore, Store, WriterLimits},
};

struct Hub {
    keys: Keys,
    index: Arc<KeyIndex>,
    store: Arc<MemoryStore>,
    clock: Arc<TestClock>,
}

impl Hub {
    async fn start(store: Arc<MemoryStore>, clock: Arc<TestClock>) -> Self {
        let index = Arc::new(KeyIndex::new(clock.clone()));
        let keys = Keys::load(store.clone(), Arc::clone(&index), clock.clone()).await.unwrap();
        Self { keys, index, store, clock }
    }

    async fn new() -> Self {
        Self::start(Arc::default(), Arc::default()).await
    }

    async fn restart(&self) -> Self {
        Self::start(self.store.clone(), self.clock.clone()).await
    }

    async fn create(&self, name: &str) -> CreatedKey {
        self.keys.create(&operator(), args(name)).await.unwrap()
    }

    fn refusal(&self, secret: &str) -> Option<AuthError> {
        self.index.identify(Some(secret), None).err()
    }
}

fn operator() -> Caller {
    local_caller()
}

fn caller(scopes: Scopes) -> Caller {
    Caller { id: "x".into(), name: "x".into(), kind: CallerKind::Key, scopes, address: None, policy: None }
}

fn args(name: &str) -> CreateKey {
    CreateKey {
        name: name.to_owned(),
        scopes: Scopes::client().iter().collect(),
        expires_in_seconds: None,
        policy: KeyPolicy::default(),
    }
}

fn rotate(key: &str, grace_seconds: u64) -> RotateKey {
    RotateKey { key: key.to_owned(), grace_seconds }
}

fn code<T>(result: Result<T, OpError>) -> &'static str {
    result.err().map_or("ok", |error| error.code())
}

#[tokio::test]
async fn a_created_key_identifies_its_holder_also_after_a_restart() {
    let hub = Hub::new().await;
    let made = hub.create(" laptop ").await;
    assert_eq!(made.key.name, "laptop");
    assert!(made.secret.starts_with(&made.key.prefix));
    for hub in [&hub, &hub.restart().await] {
        let caller = hub.index.identify(Some(&made.secret), None).unwrap();
        assert_eq!((&*caller.id, &*caller.name), (made.key.id.as_str(), "laptop"));
        assert_eq!(caller.scopes, Scopes::client());
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let hub = Hub::new().await;
    let (one, two) = (hub.create("one").await, hub.create("two").await);
    for (made, key) in [(&one, "one"), (&two, two.key.id.as_str())] {
        assert_eq!(hub.refusal(&made.secret), None);
        let revoked = hub.keys.revoke(&operator(), RevokeKey { key: key.to_owned() }).await.unwrap();
        assert_eq!(hub.refusal(&made.secret), Some(AuthError::Revoked));
        assert!(revoked.keys[0].revoked_at.is_some());
    }
    assert_eq!(hub.restart().await.refusal(&one.secret), Some(AuthError::Revoked));
    assert_eq!(code(hub.keys.revoke(&operator(), RevokeKey { key: "one".to_owned() }).await), "not_found");
    let again = hub.keys.revoke(&operator(), RevokeKey { key: one.key.id }).await;
    assert_eq!(code(again), "ok", "by id it may be asked twice");
}

#[tokio::test]
async fn a_revocation_is_finished_even_if_the_client_hangs_up() {
    // On SQLite, where the work is suspended until another thread has committed.
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let locked = DataDir::lock(dir.path()).unwrap();
    let store = Store::open(&locked, WriterLimits::default(), clock.clone()).await.unwrap();
    let index = Arc::new(KeyIndex::new(clock.clone()));
    let keys = Keys::load(Arc::new(store.keys()), Arc::clone(&index), clock).await.unwrap();
    let (operator, revoke) = (operator(), RevokeKey { key: "one".to_owned() });
    let made = keys.create(&operator, args("one")).await.unwrap();
    // Polled once, which starts it, and then dropped.
    let revoking = keys.revoke(&operator, revoke);
    tokio::select! {
        biased;
        _ = revoking => unreachable!("it takes longer than that"),
        () = std::future::ready(()) => {}
    }
    let refused = async {
        while index.identify(Some(&made.secret), None).is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), refused).await.unwrap();
}

#[tokio::test]
async fn a_rotation_ends_the_old_text_at_once_or_after_its_grace() {
    let hub = Hub::new().await;
    let first = hub.create("ci").await;
    let second = hub.keys.rotate(&operator(), rotate("ci", 0)).await.unwrap();
    assert_eq!(hub.refusal(&first.secret), Some(AuthError::Revoked));
    assert_eq!(hub.refusal(&second.secret), None);
    assert_eq!((&second.key.name, &second.key.scopes), (&first.key.name, &first.key.scopes));

    let third = hub.keys.rotate(&operator(), rotate(&second.key.id, 10)).await.unwrap();
    hub.clock.advance(9_999);
    assert_eq!((hub.refusal(&second.secret), hub.refusal(&third.secret)), (None, None));
    hub.clock.advance(1);
    assert_eq!((hub.refusal(&second.secret), hub.refusal(&third.secret)), (Some(AuthError::Expired), None));
    assert_eq!(code(hub.keys.rotate(&operator(), rotate(&second.key.id, 0)).await), "conflict");
}

#[tokio::test]
async fn revoking_a_name_ends_also_what_is_in_its_grace() {
    let hub = Hub::new().await;
    let old = hub.create("ci").await;
    let new = hub.keys.rotate(&operator(), rotate("ci", 3600)).await.unwrap();
    let twice = hub.keys.rotate(&operator(), rotate(&old.key.id, 0)).await;
    assert_eq!(code(twice), "conflict", "a rotated key has a successor already");
    let revoked = hub.keys.revoke(&operator(), RevokeKey { key: "ci".to_owned() }).await.unwrap();
    assert_eq!(revoked.keys.iter().map(|key| &key.id).collect::<Vec<_>>(), [&new.key.id, &old.key.id]);
    for made in [old, new] {
        assert_eq!(hub.refusal(&made.secret), Some(AuthError::Revoked));
    }
}

#[tokio::test]
async fn a_lifetime_is_kept_by_rotation_and_never_prolonged_by_grace() {
    let hub = Hub::new().await;
    let made = hub
        .keys
        .create(&operator(), CreateKey { expires_in_seconds: Some(100), ..args("ci") })
        .await
        .unwrap();
    hub.clock.advance(60_000);
    let next = hub.keys.rotate(&operator(), rotate("ci", 3600)).await.unwrap();
    assert_eq!(next.key.expires_at, Some(next.key.created_at + 100_000));
    hub.clock.advance(40_000);
    assert_eq!(hub.refusal(&made.secret), Some(AuthError::Expired));
    assert_eq!(hub.refusal(&next.secret), None);
    hub.clock.advance(60_000);
    assert_eq!(hub.refusal(&next.secret), Some(AuthError::Expired));
    hub.create("ci").await;
}

#[tokio::test]
async fn names_are_unique_among_the_living() {
    let hub = Hub::new().await;
    hub.create("ci").await;
    assert_eq!(code(hub.keys.create(&operator(), args("ci")).await), "conflict");
    hub.keys.revoke(&operator(), RevokeKey { key: "ci".to_owned() }).await.unwrap();
    hub.create("ci").await;
    assert_eq!(code(hub.keys.create(&operator(), args(" ")).await), "invalid_argument");
    assert_eq!(code(hub.keys.rotate(&operator(), rotate("nobody", 0)).await), "not_found");
}

#[tokio::test]
async fn scopes_are_judged_and_never_gained() {
    let hub = Hub::new().await;
    hub.keys.create(&operator(), CreateKey { scopes: Scope::ALL.to_vec(), ..args("strong") }).await.unwrap();
    let reader = caller(Scopes::client());
    assert_eq!(code(hub.keys.create(&reader, args("a")).await), "forbidden");
    assert_eq!(code(hub.keys.list(&reader, ListKeys::default()).await), "forbidden");
    assert_eq!(code(hub.keys.revoke(&reader, RevokeKey { key: "strong".to_owned() }).await), "forbidden");
    assert_eq!(code(hub.keys.rotate(&reader, rotate("strong", 0)).await), "forbidden");

    let writer = caller([Scope::WriteKeys].into_iter().collect());
    let denied = hub.keys.create(&writer, args("a")).await;
    assert!(matches!(denied, Err(OpError::Forbidden { scope: Scope::ExecuteCompletions })));
    let rotated = hub.keys.rotate(&writer, rotate("strong", 0)).await;
    assert_eq!(code(rotated), "forbidden", "the new text would have scopes that the caller does not hold");
    hub.keys.create(&writer, CreateKey { scopes: vec![Scope::WriteKeys], ..args("a") }).await.unwrap();
}

#[tokio::test]
async fn keys_are_listed_in_pages_without_their_text() {
    let hub = Hub::new().await;
    let mut made = Vec::new();
    for number in 0..5 {
        made.push(hub.create(&number.to_string()).await);
    }
    let mut names = Vec::new();
    let mut cursor = None;
    loop {
        let page = hub.keys.list(&operator(), ListKeys { cursor, limit: Some(2) }).await.unwrap();
        names.extend(page.keys.into_iter().map(|key| key.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["0", "1", "2", "3", "4"]);
}

#[tokio::test]
async fn the_last_use_is_shown_at_once_and_written_down_later() {
    let hub = Hub::new().await;
    let made = hub.create("ci").await;
    hub.clock.advance(5);
    hub.index.identify(Some(&made.secret), None).unwrap();
    let shown = hub.keys.list(&operator(), ListKeys::default()).await.unwrap().keys[0].last_used_at;
    assert_eq!(shown, Some(hub.clock.now()));
    assert_eq!(hub.store.all().await.unwrap()[0].last_used_at, None);
    hub.keys.save_last_used().await.unwrap();
    assert_eq!(hub.store.all().await.unwrap()[0].last_used_at, shown);
    let listed = hub.restart().await.keys.list(&operator(), ListKeys::default()).await.unwrap();
    assert_eq!(listed.keys[0].last_used_at, shown);
}

#[tokio::test]
async fn the_first_start_makes_a_key_and_no_other_start_does() {
    let hub = Hub::new().await;
    let first = hub.keys.first_key().await.unwrap().unwrap();
    assert_eq!((first.key.name.as_str(), first.key.scopes.as_slice()), ("first", Scope::ALL.as_slice()));
    assert_eq!(hub.refusal(&first.secret), None);
    assert!(hub.keys.first_key().await.unwrap().is_none());
    hub.keys.revoke(&operator(), RevokeKey { key: "first".to_owned() }).await.unwrap();
    hub.clock.advance(100 * 24 * 3600 * 1000);
    assert!(hub.restart().await.keys.first_key().await.unwrap().is_none(), "revoked on purpose");

    let hub = Hub::new().await;
    hub.index.accept_environment(&Secret::new("operator"));
    assert!(hub.keys.first_key().await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_is_in_force_at_once_survives_a_restart_and_wants_the_version_that_it_names() {
    let hub = Hub::new().await;
    let made = hub.create("ci").await;
    let change = |version, policy, clear: &[PolicyField]| UpdateKey {
        key: "ci".to_owned(),
        version,
        policy: Some(policy),
        clear: clear.to_vec(),
        ..UpdateKey::default()
    };
    let limits = KeyPolicy {
        requests_per_minute: Some(5),
        deny_models: Some(vec!["gpt-*".to_owned()]),
        ..KeyPolicy::default()
    };
    let view = hub.keys.update(&operator(), change(Some(1), limits.clone(), &[])).await.unwrap();
    assert_eq!((view.version, &view.policy), (2, &limits));
    let stale = hub.keys.update(&operator(), change(Some(1), KeyPolicy::default(), &[])).await;
    assert!(matches!(stale, Err(OpError::Stale { version: 2, .. })), "{stale:?}");
    let more = KeyPolicy { concurrent: Some(2), ..KeyPolicy::default() };
    hub.keys.update(&operator(), change(None, more, &[PolicyField::DenyModels])).await.unwrap();

    let after = hub.restart().await;
    let caller = after.index.identify(Some(&made.secret), None).unwrap();
    let policy = caller.policy.unwrap();
    assert_eq!((policy.limits.windows[0], policy.limits.concurrent), (Some(5), Some(2)));
    assert!(!policy.chooses(), "what was cleared is gone");
    let shown = after.keys.get(&operator(), GetKey { key: "ci".to_owned() }).await.unwrap();
    assert_eq!((shown.version, shown.policy.requests_per_minute), (3, Some(5)));
    let everything = change(None, KeyPolicy::default(), PolicyField::ALL);
    after.keys.update(&operator(), everything).await.unwrap();
    assert!(after.index.identify(Some(&made.secret), None).unwrap().policy.is_none(), "costs nothing again");
}

#[tokio::test]
async fn a_disabled_key_says_why_and_can_be_enabled_again() {
    let hub = Hub::new().await;
    let made = hub.create("ci").await;
    let set = |enabled, reason: Option<&str>| UpdateKey {
        key: "ci".to_owned(),
        enabled: Some(enabled),
        reason: reason.map(str::to_owned),
        ..UpdateKey::default()
    };
    let view = hub.keys.update(&operator(), set(false, Some("laptop lost"))).await.unwrap();
    assert_eq!((view.enabled, view.reason.as_deref()), (false, Some("laptop lost")));
    let caller = hub.index.identify(Some(&made.secret), None).unwrap();
    assert_eq!(caller.policy.unwrap().disabled.as_deref(), Some("laptop lost"));
    let rotated =
        hub.keys.rotate(&operator(), RotateKey { key: "ci".to_owned(), grace_seconds: 0 }).await.unwrap();
    assert!(!rotated.key.enabled, "a new text is no way around it");
    hub.keys.update(&operator(), set(true, None)).await.unwrap();
    assert!(hub.index.identify(Some(&rotated.secret), None).unwrap().policy.is_none());
}

#[tokio::test]
async fn who_changes_a_key_needs_the_right_to_and_the_scopes_that_it_gives() {
    let hub = Hub::new().await;
    hub.create("ci").await;
    let change = || UpdateKey {
        key: "ci".to_owned(),
        scopes: Some(vec![Scope::WriteBackups]),
        ..UpdateKey::default()
    };
    let reader = caller([Scope::ReadKeys].into_iter().collect());
    assert!(matches!(hub.keys.update(&reader, change()).await, Err(OpError::Forbidden { .. })));
    let writer = caller([Scope::WriteKeys].into_iter().collect());
    let refused = hub.keys.update(&writer, change()).await;
    assert!(matches!(refused, Err(OpError::Forbidden { scope: Scope::WriteBackups })), "{refused:?}");
    let zone = KeyPolicy {
        schedule: Some(operations::keys::Schedule {
            from: "09:00".into(),
            until: "17:00".into(),
            days: vec![],
            zone: "Nowhere".into(),
        }),
        ..KeyPolicy::default()
    };
    let wrong = UpdateKey { key: "ci".to_owned(), policy: Some(zone), ..UpdateKey::default() };
    assert!(matches!(hub.keys.update(&writer, wrong).await, Err(OpError::Invalid(_))));
    assert!(matches!(
        hub.keys.get(&writer, GetKey { key: "ci".to_owned() }).await,
        Err(OpError::Forbidden { scope: Scope::ReadKeys })
    ));
}
