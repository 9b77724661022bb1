//! Backups of a real file: whole while others write, noticed when they are damaged, and put back.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{fs, sync::Arc};

use operations::{audit::AuditOutcome, backups::BackupReason};
use tempfile::TempDir;

use super::{
    super::{
        Store, WriterLimits,
        contract::{key, open, receipt},
    },
    *,
};
use crate::{
    auth::{
        ports::KeyStore,
        test_clock::{START, TestClock},
    },
    engine::ports::ReceiptSink,
    ops::ports::{Change, Definition, DocumentStore, EntryDetail, NewEntry, ReceiptLog},
};

async fn document(store: &Store, id: &str) {
    let definition: Definition = [("api_key".to_owned(), "canary".into())].into_iter().collect();
    let change =
        Change { section: "providers".into(), id: id.into(), from: 0, before: None, after: Some(definition) };
    let entry = NewEntry {
        at: START,
        caller: "local".into(),
        caller_name: "local".into(),
        operation: "put_connection",
        outcome: AuditOutcome::Done,
        target: Some(id.to_owned()),
        detail: EntryDetail::default(),
    };
    store.documents().commit(change, entry).await.unwrap();
}

/// A store with a key, a receipt that may still be queued, and an encrypted document.
async fn filled(dir: &TempDir) -> Store {
    let store = open(dir, WriterLimits::default()).await;
    store.keys().insert(key(1, "a")).await.unwrap();
    document(&store, "one").await;
    store.writer().record(receipt("r1"));
    store
}

fn path(dir: &TempDir, name: &str) -> PathBuf {
    files::folder(dir.path()).join(name)
}

#[tokio::test]
async fn a_backup_holds_what_was_recorded_before_it_and_can_be_verified() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let backups = store.backups();
    let view = backups.create(BackupReason::Asked, true).await.unwrap();
    assert_eq!(view.name, "20010909T014640Z");
    assert_eq!((view.schema, view.has_key), (sqlite::latest(), true));
    let rows = |table: &str| view.rows.get(table).copied();
    assert_eq!([rows("api_keys"), rows("documents"), rows("receipts")], [Some(1); 3]);
    let second = backups.create(BackupReason::Schedule, true).await.unwrap();
    assert_eq!(second.name, "20010909T014640Z-2");
    let names: Vec<_> = backups.list().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, [second.name.as_str(), view.name.as_str()]);
    let verdict = backups.verify(view.name.clone()).await.unwrap();
    assert!(verdict.whole, "{:?}", verdict.problems);
    assert_eq!(verdict.rows, view.rows);
    backups.delete(second.name.clone()).await.unwrap();
    assert!(matches!(backups.delete(second.name).await, Err(BackupStoreError::NotFound)));
    assert_eq!(backups.list().await.unwrap(), [view]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn damage_a_foreign_key_and_a_missing_row_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let backups = store.backups();
    let name = backups.create(BackupReason::Asked, true).await.unwrap().name;
    let problem = async |expected: &str| {
        let verdict = backups.verify(name.clone()).await.unwrap();
        assert!(!verdict.whole);
        assert!(verdict.problems.iter().any(|one| one.contains(expected)), "{:?}", verdict.problems);
    };
    let key = path(&dir, &name).join(seal::FILE);
    let right = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    problem("cannot be read with the key beside it").await;
    fs::remove_file(&key).unwrap();
    problem("is gone").await;
    fs::write(&key, right).unwrap();

    let database = path(&dir, &name).join(DATABASE);
    let whole = fs::read(&database).unwrap();
    let mut damaged = whole.clone();
    // Behind the first page, so that it still opens.
    let half = damaged.len() / 2;
    damaged[half..half + 4096].fill(0xff);
    fs::write(&database, &damaged).unwrap();
    problem("changed or damaged since").await;
    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    problem("changed or damaged since").await;

    let manifest = path(&dir, &name).join("manifest.json");
    fs::write(&database, &whole).unwrap();
    let said = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, said.replace("\"receipts\": 1", "\"receipts\": 2")).unwrap();
    problem("not the rows").await;
    fs::write(&manifest, said.replace("\"layout\": 1", "\"layout\": 2")).unwrap();
    let refused = backups.verify(name.clone()).await.unwrap_err().to_string();
    assert!(refused.contains("newer Trivium"), "{refused}");
    assert!(backups.list().await.unwrap().is_empty());
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_is_put_back_is_what_was_there_and_what_was_there_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let name = store.backups().create(BackupReason::Asked, true).await.unwrap().name;
    document(&store, "two").await;
    let in_use = restore(dir.path(), &name, START).await.unwrap_err();
    assert!(matches!(in_use, StoreError::InUse { .. }), "{in_use}");
    store.close().await.unwrap();
    drop(store);

    let done = restore(dir.path(), &name, START).await.unwrap();
    let aside = done.aside.unwrap();
    assert!(aside.join(DATABASE).exists() && aside.join(seal::FILE).exists());
    let store = open(&dir, WriterLimits::default()).await;
    let documents = store.documents().all().await.unwrap();
    let [one] = documents.as_slice() else { unreachable!("{}", documents.len()) };
    assert_eq!((&*one.id, one.definition.is_some()), ("one", true));
    assert_eq!(store.receipts().count().await.unwrap(), 1);
    store.close().await.unwrap();
    drop(store);

    // The way back.
    for file in [DATABASE, seal::FILE] {
        fs::rename(aside.join(file), dir.path().join(file)).unwrap();
    }
    let store = open(&dir, WriterLimits::default()).await;
    assert_eq!(store.documents().all().await.unwrap().len(), 2);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_backup_goes_to_an_empty_folder_and_one_without_its_key_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let with = store.backups().create(BackupReason::Asked, true).await.unwrap().name;
    let without = store.backups().create(BackupReason::Asked, false).await.unwrap();
    assert!(!without.has_key && !path(&dir, &without.name).join(seal::FILE).exists());
    let whole = store.backups().verify(without.name.clone()).await.unwrap().whole;
    assert!(whole, "the key is in the data directory");
    store.close().await.unwrap();

    let empty = tempfile::tempdir().unwrap();
    let from = |name: &str| path(&dir, name).display().to_string();
    let refused = restore(empty.path(), &from(&without.name), START).await.unwrap_err().to_string();
    assert!(refused.contains("without the key") && refused.contains("Nothing was changed"), "{refused}");
    assert!(!empty.path().join(DATABASE).exists());
    let done = restore(empty.path(), &from(&with), START).await.unwrap();
    assert_eq!(done.aside, None);
    let store = open(&empty, WriterLimits::default()).await;
    assert_eq!(store.keys().all().await.unwrap(), [key(1, "a")]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn an_older_schema_is_copied_before_it_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let data_dir = DataDir::lock(dir.path()).unwrap();
        sqlite::open_at_step(&data_dir.database(), 1).await;
    }
    let store = open(&dir, WriterLimits::default()).await;
    let all = store.backups().list().await.unwrap();
    let [made] = all.as_slice() else { unreachable!("{all:?}") };
    assert_eq!((made.reason, made.schema), (BackupReason::Upgrade, 1));
    assert!(store.backups().verify(made.name.clone()).await.unwrap().whole);
    store.close().await.unwrap();
    drop(store);
    let store = open(&dir, WriterLimits::default()).await;
    assert_eq!(store.backups().list().await.unwrap().len(), 1, "nothing to change, nothing to copy");
    store.close().await.unwrap();
}

#[tokio::test]
async fn the_oldest_of_the_schedule_give_way() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(TestClock::default());
    let data_dir = DataDir::lock(dir.path()).unwrap();
    let store =
        Store::open(&data_dir, WriterLimits::default(), Arc::<TestClock>::clone(&clock)).await.unwrap();
    let backups = crate::ops::backups::Backups::new(Arc::new(store.backups()));
    let asked = store.backups().create(BackupReason::Asked, true).await.unwrap().name;
    let mut names = Vec::new();
    for _ in 0..4 {
        clock.advance(1000);
        names.push(backups.make_scheduled(2).await.unwrap().name);
    }
    let left: Vec<_> = backups.list().await.unwrap().backups.into_iter().map(|one| one.name).collect();
    assert_eq!(left, [&*names[3], &*names[2], &*asked]);
    assert_eq!(backups.last_scheduled(START + 4000).await.unwrap(), Some(START + 4000));
    // As if the clock had been ahead when the last two were made.
    assert_eq!(backups.last_scheduled(START + 3500).await.unwrap(), Some(START + 3000));
    assert_eq!(backups.last_scheduled(START).await.unwrap(), None);
    store.close().await.unwrap();
}

#[tokio::test]
async fn one_at_a_time_and_nothing_is_left_of_one_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let backups = store.backups();
    let (one, other) =
        tokio::join!(backups.create(BackupReason::Asked, true), backups.create(BackupReason::Asked, true));
    assert!(one.is_ok());
    let refused = other.unwrap_err().to_string();
    assert!(refused.contains("another backup is being made"), "{refused}");
    // A key that cannot be copied: the copy of the database was made by then.
    let key = dir.path().join(seal::FILE);
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    assert!(backups.create(BackupReason::Asked, true).await.is_err());
    assert!(!files::folder(dir.path()).join(DRAFT).exists());
    assert_eq!(backups.list().await.unwrap().len(), 1);
    store.close().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_a_backup() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let name = store.backups().create(BackupReason::Asked, true).await.unwrap().name;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = path(&dir, &name);
    assert_eq!((mode(&folder), mode(&files::folder(dir.path()))), (0o700, 0o700));
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn nothing_starts_on_a_restore_that_was_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(&dir).await;
    let name = store.backups().create(BackupReason::Asked, true).await.unwrap().name;
    store.close().await.unwrap();
    drop(store);
    // As after a power cut behind each step: both drafts are there, the old files are aside, one is in its place.
    for (moved, left) in
        [(false, vec![DATABASE, seal::FILE]), (true, vec![DATABASE, seal::FILE]), (true, vec![seal::FILE])]
    {
        let aside = dir.path().join("replaced").join("before");
        fs::create_dir_all(&aside).unwrap();
        for file in [DATABASE, seal::FILE] {
            fs::copy(path(&dir, &name).join(file), dir.path().join(format!("{file}.restoring"))).unwrap();
            if moved {
                fs::rename(dir.path().join(file), aside.join(file)).unwrap();
            }
            if !left.contains(&file) {
                fs::rename(dir.path().join(format!("{file}.restoring")), dir.path().join(file)).unwrap();
            }
        }
        let locked = DataDir::lock(dir.path()).unwrap();
        let refused = Store::open(&locked, WriterLimits::default(), Arc::<TestClock>::default()).await;
        let Err(StoreError::Backup(refused @ BackupProblem::Interrupted { .. })) = refused else {
            unreachable!("it started")
        };
        assert!(refused.to_string().contains("trivium backups restore"), "{refused}");
        drop(locked);
        assert!(
            !moved || left.len() == 1 || !dir.path().join(DATABASE).exists(),
            "no empty database was made"
        );
        restore(dir.path(), &name, START).await.unwrap();
        let store = open(&dir, WriterLimits::default()).await;
        assert_eq!(store.documents().all().await.unwrap().len(), 1);
        store.close().await.unwrap();
    }
}
