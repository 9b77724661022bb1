//! A change of the key on either database, stopped at every step; and that a wrong key changes nothing.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;

use operations::audit::AuditOutcome;

use super::*;
use crate::{
    auth::test_clock::START,
    engine::settings::Secret,
    ops::ports::{
        CaptureStore, Change, Claim, ClaimEnding, ClaimPlace, ClaimStore, Definition, DocumentStore,
        EntryDetail, NewEntry, ResponseStore, StoredCapture, StoredResponse,
        oauth::{Credential, CredentialState, OAuthStore, PendingLogin},
    },
    store::{WriterLimits, contract::Scene},
};

/// More than are held at a time.
const CAPTURES: u64 = 70;
/// Beside them: a document, its change, a credential, a login, a response and an answer.
const ALL: u64 = CAPTURES + 6;
const LATE: i64 = START + 1_000_000;

/// Something of every kind that is encrypted.
pub(in crate::store) async fn fill(store: &Store) {
    let definition: Definition = [("api_key".to_owned(), "canary".into())].into_iter().collect();
    let change = Change {
        section: "providers".into(),
        id: "a".into(),
        from: 0,
        before: Some(definition.clone()),
        after: Some(definition),
    };
    let entry = NewEntry {
        at: START,
        caller: "local".into(),
        caller_name: "local".into(),
        operation: "put_connection",
        outcome: AuditOutcome::Done,
        target: None,
        detail: EntryDetail::default(),
    };
    store.documents().commit(change, entry).await.unwrap();
    let credential = Credential {
        connection: "a".into(),
        binding: 1,
        state: CredentialState::Ready,
        access: Some(Secret::new("canary")),
        refresh: None,
        scopes: None,
        identity: None,
        issued_at: START,
        expires_at: None,
        error: None,
        updated_at: START,
    };
    store.oauth().put_credential(credential).await.unwrap();
    let login = PendingLogin {
        state: [1; 32],
        login: "login_1".into(),
        connection: "a".into(),
        binding: 1,
        verifier: Secret::new("canary"),
        nonce: Secret::new("canary"),
        redirect_url: "http://localhost/".to_owned(),
        expires_at: LATE,
    };
    store.oauth().begin_login(login, START, 9).await.unwrap();
    let (owner, id) = ("key_1".into(), "resp_1".into());
    let response =
        StoredResponse { owner, id, created_at: START, expires_at: LATE, payload: b"canary".to_vec() };
    store.responses().keep(response, 1 << 20).await.unwrap();
    let place = ClaimPlace { owner: "key_1".into(), id: "claim_1".into() };
    let claim = Claim { place: place.clone(), request: [2; 32], created_at: START, expires_at: LATE };
    store.claims().claim(claim, 9).await.unwrap();
    store.claims().finish(place, ClaimEnding::Answered(b"canary".to_vec()), 1 << 20).await.unwrap();
    for number in 0..CAPTURES {
        let capture =
            StoredCapture { request_id: format!("r{number}"), at: START, payload: b"canary".to_vec() };
        store.captures().keep(capture, 1 << 20).await.unwrap();
    }
}

async fn open(scene: &Scene) -> Store {
    scene.open(WriterLimits::default()).await
}

/// A store that holds something of every kind, as it would be found again after a kill.
async fn scenes() -> Vec<Scene> {
    let scenes = Scene::each().await;
    for scene in &scenes {
        let store = open(scene).await;
        fill(&store).await;
        store.close().await.unwrap();
    }
    scenes
}

async fn all_readable(store: &Store) {
    let found = store.verify_secret().await.unwrap();
    assert_eq!((found.rows, found.lost_rows()), (ALL, 0), "{}", found.lost_places());
    assert!(store.documents().all().await.unwrap()[0].definition.is_some());
    assert!(store.oauth().credentials().await.unwrap()[0].access.is_some());
    assert_eq!(store.captures().of_request("r69".to_owned()).await.unwrap().unwrap(), b"canary");
}

#[tokio::test]
async fn everything_is_sealed_with_a_new_key_and_the_old_one_is_gone() {
    for scene in scenes().await {
        let file = scene.path().join("secret.key");
        let old = fs::read(&file).unwrap();
        let store = open(&scene).await;
        let done = store.rotate_secret(false).await.unwrap();
        assert_eq!((done.found.rows, done.resumed), (ALL, false));
        all_readable(&store).await;
        store.close().await.unwrap();
        drop(store);
        let new = fs::read(&file).unwrap();
        assert!(new.len() == 32 && new != old);
        all_readable(&open(&scene).await).await;
        fs::write(&file, old).unwrap();
        let found = open(&scene).await.verify_secret().await.unwrap();
        assert_eq!((found.rows, found.lost_rows()), (0, ALL), "the old key opens nothing any more");
    }
}

#[tokio::test]
async fn a_change_that_was_stopped_at_any_step_is_readable_and_goes_on() {
    for step in 0..3 {
        for scene in scenes().await {
            let store = open(&scene).await;
            store.sealer.begin_change().unwrap();
            if step == 1 {
                let mut transaction = store.pools.managing.begin().await.unwrap();
                sealed::seal_anew(&mut transaction, &store.sealer).await.unwrap();
                drop(transaction);
            }
            if step == 2 {
                store.seal_anew().await.unwrap();
            }
            store.close().await.unwrap();
            drop(store);
            let file = scene.path().join("secret.key");
            let both = fs::read(&file).unwrap();
            let store = open(&scene).await;
            all_readable(&store).await;
            let done = store.rotate_secret(false).await.unwrap();
            assert_eq!((done.found.rows, done.resumed), (ALL, true), "step {step}");
            assert_eq!(fs::read(&file).unwrap(), both[..32], "the key of the change that was stopped");
            all_readable(&store).await;
            store.close().await.unwrap();
            drop(store);
            all_readable(&open(&scene).await).await;
        }
    }
}

#[tokio::test]
async fn with_a_wrong_key_or_none_nothing_is_changed() {
    for scene in scenes().await {
        let file = scene.path().join("secret.key");
        let right = fs::read(&file).unwrap();
        fs::write(&file, [7; 32]).unwrap();
        let store = open(&scene).await;
        let refused = store.rotate_secret(false).await.unwrap_err().to_string();
        assert!(refused.contains(&format!("{ALL} rows")) && refused.contains("captures: 70"), "{refused}");
        assert_eq!(fs::read(&file).unwrap(), [7; 32]);
        store.close().await.unwrap();
        drop(store);
        fs::remove_file(&file).unwrap();
        let store = open(&scene).await;
        assert!(matches!(store.rotate_secret(false).await, Err(StoreError::Unreadable { .. })));
        assert!(!file.exists());
        store.close().await.unwrap();
        drop(store);
        fs::write(&file, right).unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let store = open(&scene).await;
        all_readable(&store).await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_lost_stays_as_it_is_where_somebody_says_so() {
    for scene in scenes().await {
        let file = scene.path().join("secret.key");
        let right = fs::read(&file).unwrap();
        fs::write(&file, [7; 32]).unwrap();
        let store = open(&scene).await;
        let done = store.rotate_secret(true).await.unwrap();
        assert_eq!((done.found.rows, done.found.lost_rows()), (0, ALL));
        store.close().await.unwrap();
        drop(store);
        fs::write(&file, right).unwrap();
        let store = open(&scene).await;
        all_readable(&store).await;
        store.close().await.unwrap();
    }
}
