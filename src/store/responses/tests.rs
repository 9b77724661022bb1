//! What is particular to responses in files: nothing readable on the disk, restarts, damage, and a missing key.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::{
    auth::test_clock::START,
    engine::ports::ReceiptSink,
    ops::ports::ReceiptLog,
    store::{
        Store, WriterLimits,
        contract::{
            Scene, open, receipt,
            responses::{here, location, response, there},
        },
    },
};

const PLENTY: u64 = 100_000_000;
const CANARY: &[u8] = b"the parrot knows the safe's number";

async fn fresh() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    (dir, store)
}

async fn sql(store: &Store, text: &'static str) {
    sql::query(text).execute(&store.pools.managing).await.unwrap();
}

async fn count(store: &Store, text: &'static str) -> i64 {
    sql::query(text).fetch_one(&store.pools.managing).await.unwrap().try_get(0).unwrap()
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file() && path.extension().is_some_and(|end| end != "lock"));
    files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

#[tokio::test]
async fn no_file_shows_what_was_kept() {
    let (dir, store) = fresh().await;
    let mut long = vec![b'.'; 3 * AT_ONCE];
    long.extend_from_slice(CANARY);
    store.responses().keep(response("key_1", "resp_short", CANARY), PLENTY).await.unwrap();
    store.responses().keep(response("key_1", "resp_long", &long), PLENTY).await.unwrap();
    for closed in [false, true] {
        if closed {
            store.close().await.unwrap();
        }
        let files = files(dir.path());
        let seen = |what| files.iter().filter(|(_, bytes)| contains(bytes, what)).count();
        assert!(seen(b"resp_long") > 0, "the search finds what is there in clear");
        assert_eq!(seen(CANARY), 0);
        let key = std::fs::read(dir.path().join("secret.key")).unwrap();
        assert_eq!(seen(&key), 1, "the key is in its own file and nowhere else");
    }
}

#[tokio::test]
async fn all_is_there_after_a_restart_and_counted() {
    let (dir, store) = fresh().await;
    store.responses().keep(response("a", "r", CANARY), PLENTY).await.unwrap();
    store.responses().locate(location("a", "l"));
    store.close().await.unwrap();
    drop(store);
    let store = open(&dir, WriterLimits::default()).await;
    let responses = store.responses();
    assert_eq!(here(&responses, "a", "r", START).await.unwrap(), CANARY);
    assert_eq!(there(&responses, "a", "l", START).await.unwrap(), location("a", "l"));
    // What was there before counts.
    responses.keep(response("a", "r2", CANARY), cost(CANARY.len())).await.unwrap();
    assert_eq!(here(&responses, "a", "r", START).await, None);
}

#[test]
fn a_kill_costs_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let store = open(&dir, WriterLimits::default()).await;
        store.responses().keep(response("a", "r", CANARY), PLENTY).await.unwrap();
        store.responses().keep(response("a", "gone", CANARY), PLENTY).await.unwrap();
        assert!(store.responses().delete("a".into(), "gone".into(), START).await.unwrap());
        store.responses().locate(location("a", "forgotten"));
        store.writer().flush().await.unwrap();
        assert!(store.responses().delete("a".into(), "forgotten".into(), START).await.unwrap());
        store.responses().locate(location("a", "l"));
        // Nobody asks for a flush: the writer does it by itself.
        while count(&store, "SELECT COUNT(*) FROM response_locations").await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        store
    });
    let left = tempfile::tempdir().unwrap();
    for file in ["trivium.db", "trivium.db-wal", "secret.key"] {
        // With its rights.
        std::fs::copy(dir.path().join(file), left.path().join(file)).unwrap();
    }
    runtime.shutdown_background();
    drop(store);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = open(&left, WriterLimits::default()).await;
        let responses = store.responses();
        assert_eq!(here(&responses, "a", "r", START).await.unwrap(), CANARY);
        assert_eq!(here(&responses, "a", "gone", START).await, None);
        assert!(there(&responses, "a", "l", START).await.is_some());
        assert!(there(&responses, "a", "forgotten", START).await.is_none());
    });
}

#[tokio::test]
async fn a_changed_or_moved_row_is_gone_and_the_others_are_not() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let responses = store.responses();
        for id in ["changed", "cut", "moved", "whole"] {
            responses.keep(response("a", id, CANARY), PLENTY).await.unwrap();
        }
        for (id, sealed) in [("changed", vec![0; CANARY.len() + seal::OVERHEAD]), ("cut", Vec::new())] {
            let query = sql::query("UPDATE responses SET sealed = $2 WHERE id = $1").bind(id).bind(sealed);
            query.execute(&store.pools.managing).await.unwrap();
        }
        sql(&store, "UPDATE responses SET owner = 'b' WHERE id = 'moved'").await;
        for (owner, id) in [("a", "changed"), ("a", "cut"), ("b", "moved")] {
            assert_eq!(here(&responses, owner, id, START).await, None, "{id}");
        }
        assert!(here(&responses, "a", "whole", START).await.is_some());
        assert!(
            responses.delete("a".into(), "changed".into(), START).await.unwrap(),
            "it can still be deleted"
        );
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_and_nothing_is_lost() {
    let (dir, store) = fresh().await;
    store.responses().keep(response("a", "r", CANARY), PLENTY).await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let file = dir.path().join("secret.key");
    let key = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"short").unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    assert!(matches!(store.prepare_secret(), Err(StoreError::SecretKey { .. })));
    let refused = store.responses().find("a".into(), "r".into(), START).await.err().unwrap();
    assert!(matches!(refused, ResponseStoreError::Failed(_)), "not gone: the operator can mend it");
    assert!(store.responses().keep(response("a", "r2", CANARY), PLENTY).await.is_err());
    std::fs::write(&file, key).unwrap();
    assert_eq!(here(&store.responses(), "a", "r", START).await.unwrap(), CANARY);
}

#[tokio::test]
async fn a_change_that_was_dropped_leaves_the_count_right() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let responses = store.responses();
        responses.keep(response("a", "1", CANARY), PLENTY).await.unwrap();
        for _ in 0..5 {
            let keep = responses.keep(response("a", "2", CANARY), PLENTY);
            drop(tokio::time::timeout(std::time::Duration::from_micros(50), keep).await);
        }
        responses.keep(response("a", "2", CANARY), PLENTY).await.unwrap();
        let rows = count(&store, "SELECT CAST(SUM(bytes) AS BIGINT) FROM responses").await;
        assert_eq!(*responses.held.lock().await, Some(rows.unsigned_abs()));
        assert_eq!(rows.unsigned_abs(), 2 * cost(CANARY.len()));
    }
}

#[tokio::test]
async fn many_at_once_stay_within_the_bound() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let most = 10 * cost(100);
        let keeps = (0..200).map(|number| {
            let responses = store.responses();
            tokio::spawn(async move {
                let id = number.to_string();
                responses.keep(response("a", &id, &[0; 100]), most).await.unwrap();
            })
        });
        for keep in keeps.collect::<Vec<_>>() {
            keep.await.unwrap();
        }
        assert_eq!(count(&store, "SELECT COUNT(*) FROM responses").await, 10);
        assert_eq!(
            count(&store, "SELECT CAST(SUM(bytes) AS BIGINT) FROM responses").await.unsigned_abs(),
            most
        );
    }
}

#[tokio::test]
async fn only_so_many_locations_are_kept() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits { keep_locations: 100, ..WriterLimits::default() }).await;
        for number in 0..2500 {
            store.responses().locate(location("a", &format!("{number}")));
            store.writer().record(receipt("beside"));
        }
        store.writer().flush().await.unwrap();
        assert!(count(&store, "SELECT COUNT(*) FROM response_locations").await < 100 + 1000);
        assert!(there(&store.responses(), "a", "2499", START).await.is_some());
        assert!(there(&store.responses(), "a", "0", START).await.is_none());
        assert_eq!(store.receipts().count().await.unwrap(), 2500);
    }
}

#[tokio::test]
async fn locations_wait_for_a_database_that_fails() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        sql(&store, "ALTER TABLE response_locations RENAME TO away").await;
        store.responses().locate(location("a", "l"));
        let failed = store.writer().flush().await;
        assert!(
            matches!(failed, Err(StoreError::NotWritten { receipts: 0, locations: 1, .. })),
            "{failed:?}"
        );
        assert_eq!(
            store.writer().waiting_location(&("a".into(), "l".into())),
            Some(Some(location("a", "l")))
        );
        sql(&store, "ALTER TABLE away RENAME TO response_locations").await;
        store.writer().flush().await.unwrap();
        assert_eq!(store.writer().waiting_location(&("a".into(), "l".into())), None);
        assert!(there(&store.responses(), "a", "l", START).await.is_some());
    }
}
