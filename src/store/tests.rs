//! Tests of what is particular to files: opening, reopening, damage, and how fast receipts are written.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;

use super::{
    DataDir, Store, StoreError, WriterLimits,
    contract::{Scene, cooldown, key, open, receipt},
    sql,
};
use crate::{
    auth::{
        ports::KeyStore,
        test_clock::{START, TestClock},
    },
    engine::{
        ports::{CooldownSink, ReceiptSink},
        receipt::Receipt,
    },
    ops::ports::{Inspector, ReceiptLog},
};

#[tokio::test]
async fn a_database_in_use_is_looked_at_and_put_in_order() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        for number in 0..500 {
            store.writer().record(receipt(&number.to_string()));
        }
        store.writer().flush().await.unwrap();
        for repair in [false, true] {
            let found = store.inspector().inspect(repair).await.unwrap();
            assert!(["sqlite", "postgres"].contains(&found.kind), "{found:?}");
            assert!(found.damage.is_empty() && found.bytes > Some(0), "{found:?}");
            assert!(found.schema > 0 && found.schema == found.latest, "{found:?}");
        }
        let after = store.inspector().inspect(false).await.unwrap();
        assert!(
            after.kind != "sqlite" || after.log_bytes == Some(0),
            "the log was written into the file: {after:?}"
        );
        assert_eq!(store.receipts().count().await.unwrap(), 500);
    }
}

async fn refused(dir: &TempDir) -> StoreError {
    let data_dir = DataDir::lock(dir.path()).unwrap();
    let opened = Store::open(&data_dir, WriterLimits::default(), Arc::new(TestClock::default())).await;
    opened.err().unwrap()
}

#[tokio::test]
async fn opens_an_empty_directory_and_then_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let store = open(&dir, WriterLimits::default()).await;
        store.keys().insert(key(round, &round.to_string())).await.unwrap();
        store.writer().record(receipt("r"));
        store.close().await.unwrap();
        store.close().await.unwrap();
        let wal = dir.path().join("trivium.db-wal");
        assert!(!wal.exists() || wal.metadata().unwrap().len() == 0, "the file alone is a whole backup");
    }
    let store = open(&dir, WriterLimits::default()).await;
    assert_eq!(store.keys().all().await.unwrap().len(), 3);
    assert_eq!(store.receipts().count().await.unwrap(), 3);
}

#[test]
fn a_kill_costs_nothing_that_was_acknowledged_or_is_older_than_the_gathering() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async {
        let store = open(&dir, WriterLimits::default()).await;
        store.keys().insert(key(1, "a")).await.unwrap();
        store.writer().cooled(cooldown("a", None, START + 5));
        store.writer().record(receipt("r1"));
        // Nobody asks for a flush: the writer does it by itself.
        while store.receipts().count().await.unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        store
    });
    // What a killed process would leave: the database with its log, copied while it is open.
    let left = tempfile::tempdir().unwrap();
    for file in ["trivium.db", "trivium.db-wal"] {
        std::fs::copy(dir.path().join(file), left.path().join(file)).unwrap();
    }
    runtime.shutdown_background();
    drop(store);
    for dir in [dir, left] {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let store = open(&dir, WriterLimits::default()).await;
            assert_eq!(store.keys().all().await.unwrap(), [key(1, "a")]);
            assert_eq!(store.load_cooldowns(START).await.unwrap(), [cooldown("a", None, START + 5)]);
            assert_eq!(store.receipts().count().await.unwrap(), 1);
        });
    }
}

#[tokio::test]
async fn a_damaged_file_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("trivium.db"), "this is a shopping list".repeat(1000)).unwrap();
    let error = refused(&dir).await;
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("trivium.db is damaged") && text.contains("Restore it from a backup"), "{text}");
}

#[tokio::test]
async fn a_file_of_a_newer_program_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    sql::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .execute(&store.pools.managing)
    .await
    .unwrap();
    store.close().await.unwrap();
    drop(store);
    let error = refused(&dir).await;
    assert!(matches!(error, StoreError::Newer { version: 9999, .. }), "{error:?}");
    assert!(error.to_string().contains("newer Trivium"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_made_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("trivium.db")).unwrap();
    let error = refused(&dir).await;
    assert!(matches!(error, StoreError::Directory { .. }), "{error:?}");
}

#[tokio::test]
async fn two_hubs_do_not_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    assert!(matches!(DataDir::lock(dir.path()), Err(StoreError::InUse { .. })));
    drop(store);
    DataDir::lock(dir.path()).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_else_may_read_the_database() {
    use std::os::unix::fs::PermissionsExt;

    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    store.keys().insert(key(1, "a")).await.unwrap();
    for file in ["trivium.db", "trivium.db-wal", "trivium.db-shm"] {
        let mode = dir.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn only_so_many_receipts_are_kept() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        for number in 0..2500 {
            store.writer().record(receipt(&number.to_string()));
        }
        store.close().await.unwrap();
        assert_eq!(store.writer().dropped(), 0);
        drop(store);
        // The bound was lowered: the surplus goes away without new traffic, in small steps.
        let store = scene.open(WriterLimits { keep_receipts: 100, ..WriterLimits::default() }).await;
        while store.receipts().count().await.unwrap() > 100 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let kept = store.receipts().recent(1000).await.unwrap();
        assert_eq!((kept.len(), kept[0].id.as_str(), kept[99].id.as_str()), (100, "2499", "2400"));
    }
}

/// Not a test of correctness: prints what a receipt costs. `cargo test --release --lib store::tests::cost -- --ignored
/// --nocapture`. The figure is the CPU time of the whole process, the making of the receipts apart.
#[cfg(target_os = "linux")]
#[ignore = "a measurement, for release builds"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cost() {
    let plain = |id: &str| {
        let mut receipt = receipt(id);
        receipt.attempts.remove(0);
        receipt.skipped.clear();
        receipt.client_request_id = None;
        receipt
    };
    measure("one attempt", 1_000_000, plain).await;
    measure("two attempts, one skipped", 1_000_000, receipt).await;
    measure("one attempt, trimming", 20_000, plain).await;
}

#[cfg(target_os = "linux")]
async fn measure(what: &str, keep_receipts: u64, make: impl Fn(&str) -> Receipt) {
    const COUNT: u64 = 150_000;
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits { keep_receipts, ..WriterLimits::default() }).await;
    let writer = store.writer();
    let ids: Vec<_> = (0..COUNT).map(|_| uuid::Uuid::now_v7().to_string()).collect();
    let before = cpu_us();
    ids.iter().for_each(|id| drop(std::hint::black_box(make(id))));
    let making = cpu_us();
    for (number, id) in ids.iter().enumerate() {
        writer.record(make(id));
        if number % 150 == 149 {
            tokio::time::sleep(Duration::from_millis(9)).await;
        }
    }
    writer.flush().await.unwrap();
    let done = cpu_us();
    let each = |from: (u64, u64), to: (u64, u64)| {
        ((to.0 - from.0) as f64 / COUNT as f64, (to.1 - from.1) as f64 / COUNT as f64)
    };
    let ((made, _), (user, system)) = (each(before, making), each(making, done));
    store.close().await.unwrap();
    let size = dir.path().join("trivium.db").metadata().unwrap().len();
    println!(
        "{what}: {:.2} us user + {system:.2} us system per receipt, {} dropped, {} bytes per row kept",
        user - made,
        writer.dropped(),
        size / COUNT.min(keep_receipts),
    );
}

/// User and system time of this process in microseconds.
#[cfg(target_os = "linux")]
fn cpu_us() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let mut ticks = stat.split_whitespace().skip(13).map(|field| field.parse::<u64>().unwrap() * 10_000);
    (ticks.next().unwrap(), ticks.next().unwrap())
}
