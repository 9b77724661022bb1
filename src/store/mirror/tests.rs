//! A store from one database to the other and back, with all that is in it. Nothing is run where there is no server for tests;
//! `postgres_is_tested_or_said_to_be_skipped` says so.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;

use operations::backups::BackupReason;

use crate::{
    auth::{ports::KeyStore, test_clock::START},
    engine::ports::ReceiptSink,
    ops::ports::{AuditLog, BackupStore, CaptureStore, DocumentStore, ReceiptLog, StoredCapture},
    store::{
        BackupProblem, Store, StoreError, WriterLimits,
        backups::{restore, restore_into},
        contract::{Scene, key, receipt},
        rotation::tests::fill,
    },
};

const RECEIPTS: u64 = 1200;

async fn filled(scene: &Scene) -> Store {
    let limits = WriterLimits { queue: 2000, ..WriterLimits::default() };
    let store = scene.open(limits).await;
    store.keys().insert(key(1, "a")).await.unwrap();
    fill(&store).await;
    for number in 0..RECEIPTS {
        store.writer().record(receipt(&format!("r{number}")));
    }
    store
}

/// Everything is there, can be read, and can be added to.
async fn is_all_there(store: &Store) {
    assert_eq!(store.keys().all().await.unwrap(), [key(1, "a")]);
    assert_eq!(store.receipts().count().await.unwrap(), RECEIPTS);
    let found = store.verify_secret().await.unwrap();
    assert_eq!((found.rows, found.lost_rows()), (76, 0));
    assert!(store.documents().all().await.unwrap()[0].definition.is_some());
    assert!(store.audit().verify().await.unwrap().whole);
    let capture = StoredCapture { request_id: "new".to_owned(), at: START, payload: b"canary".to_vec() };
    store.captures().keep(capture, 1 << 20).await.unwrap();
    store.keys().insert(key(2, "b")).await.unwrap();
}

#[tokio::test]
async fn a_backup_of_a_server_is_whole_and_goes_back_to_a_server_or_a_file() {
    let (Some(scene), Some(other)) = (Scene::postgres().await, Scene::postgres().await) else { return };
    let store = filled(&scene).await;
    let backups = store.backups();
    let view = backups.create(BackupReason::Asked, true).await.unwrap();
    assert_eq!((view.rows["receipts"], view.rows["captures"], view.has_key), (RECEIPTS, 70, true));
    let verdict = backups.verify(view.name.clone()).await.unwrap();
    assert!(verdict.whole, "{:?}", verdict.problems);
    let folder = scene.path().join("backups").join(&view.name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, ["manifest.json", "secret.key", "trivium.db"]);
    store.close().await.unwrap();
    // Both hold the lock of the folder.
    drop((store, backups));

    let from = folder.to_str().unwrap();
    let in_use = restore_into(scene.path(), &scene.secret_url(), from, START).await.unwrap_err();
    assert!(matches!(in_use, StoreError::Backup(BackupProblem::NotEmpty)), "{in_use}");
    restore_into(other.path(), &other.secret_url(), from, START).await.unwrap();
    let store = other.open(WriterLimits::default()).await;
    is_all_there(&store).await;
    store.close().await.unwrap();
    let left = fs::read_dir(other.path()).unwrap().map(|file| file.unwrap().file_name());
    assert!(!left.into_iter().any(|name| name.to_string_lossy().contains("restoring")));

    let here = Scene::file();
    restore(here.path(), from, START).await.unwrap();
    let store = here.open(WriterLimits::default()).await;
    is_all_there(&store).await;
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_backup_of_a_file_moves_a_hub_to_a_server_and_another_key_is_kept_aside() {
    let Some(scene) = Scene::postgres().await else { return };
    let here = Scene::file();
    let store = filled(&here).await;
    let view = store.backups().create(BackupReason::Asked, true).await.unwrap();
    store.close().await.unwrap();
    fs::create_dir_all(scene.path()).unwrap();
    fs::write(scene.path().join("secret.key"), [7; 32]).unwrap();
    let folder = here.path().join("backups").join(&view.name);
    let from = folder.to_str().unwrap();
    let done = restore_into(scene.path(), &scene.secret_url(), from, START).await.unwrap();
    assert_eq!(fs::read(done.aside.unwrap().join("secret.key")).unwrap(), [7; 32]);
    let store = scene.open(WriterLimits::default()).await;
    is_all_there(&store).await;
    store.close().await.unwrap();
}
