//! Tests of the writer: gathering, a full queue, a failing database, an orderly stop. In real time, because SQLite's
//! threads do not stop with a paused clock.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{
    auth::test_clock::START,
    engine::ports::{CooldownSink, ReceiptSink, WindowRecord, WindowSink},
    ops::ports::ReceiptLog,
    store::{
        Store, StoreError, WriterLimits,
        contract::{Scene, cooldown, receipt},
        sql,
    },
};

async fn sql(store: &Store, text: &'static str) {
    sql::query(text).execute(&store.pools.managing).await.unwrap();
}

async fn until_written(store: &Store, count: u64) {
    let written = async {
        while store.receipts().count().await.unwrap() < count {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), written).await.unwrap();
}

#[tokio::test]
async fn receipts_gather_and_are_written_unasked_and_in_order() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        // Not a multiple of any number of rows per statement.
        for number in 0..1500 {
            store.writer().record(receipt(&format!("{number:04}")));
        }
        until_written(&store, 1500).await;
        let ids: Vec<_> =
            store.receipts().recent(2000).await.unwrap().into_iter().map(|row| row.id).collect();
        assert!(ids.is_sorted_by(|newer, older| newer > older));
    }
}

#[tokio::test]
async fn an_idle_writer_writes_soon() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        sleep(Duration::from_millis(120)).await;
        let began = Instant::now();
        store.writer().record(receipt("r"));
        until_written(&store, 1).await;
        // 100 ms are promised; a busy machine with other tests gets some more.
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_full_queue_drops_receipts_and_counts_them_but_no_cooldown() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits { queue: 16, ..WriterLimits::default() }).await;
        let writer = store.writer();
        // On this single thread the writer does not get a turn in between.
        for number in 0..20 {
            writer.record(receipt(&number.to_string()));
            writer.cooled(cooldown(&number.to_string(), None, START + 5));
        }
        assert_eq!(writer.dropped(), 4);
        writer.flush().await.unwrap();
        assert_eq!(store.receipts().count().await.unwrap(), 16);
        assert_eq!(store.load_cooldowns(START).await.unwrap().len(), 20);
    }
}

#[tokio::test]
async fn a_failing_database_is_tried_again_and_nothing_is_lost_that_had_room() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let writer = store.writer();
        sql(&store, "ALTER TABLE receipts RENAME TO away").await;
        for number in 0..600 {
            writer.record(receipt(&number.to_string()));
        }
        writer.cooled(cooldown("a", None, START + 5));
        let failed = writer.flush().await;
        assert!(
            matches!(failed, Err(StoreError::NotWritten { receipts: 600, cooldowns: 1, .. })),
            "{failed:?}"
        );
        writer.cooled(cooldown("a", None, START + 9));
        sleep(Duration::from_millis(150)).await;
        sql(&store, "ALTER TABLE away RENAME TO receipts").await;
        until_written(&store, 600).await;
        writer.flush().await.unwrap();
        assert_eq!(
            store.load_cooldowns(START).await.unwrap(),
            [cooldown("a", None, START + 9)],
            "the later one won"
        );
        assert_eq!(writer.dropped(), 0);
    }
}

#[tokio::test]
async fn an_orderly_stop_loses_nothing_and_what_comes_later_is_counted() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let writer = store.writer();
        for number in 0..5000 {
            writer.record(receipt(&number.to_string()));
        }
        writer.cooled(cooldown("a", None, START + 5));
        store.close().await.unwrap();
        writer.record(receipt("late"));
        assert_eq!(writer.dropped(), 1);
        writer.flush().await.unwrap();
        drop(store);
        let store = scene.open(WriterLimits::default()).await;
        assert_eq!(store.receipts().count().await.unwrap(), 5000);
        assert_eq!(store.load_cooldowns(START).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_stop_while_the_database_fails_ends_and_tells() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        sql(&store, "DROP TABLE receipts").await;
        store.writer().record(receipt("r"));
        let closed = timeout(Duration::from_secs(20), store.close()).await.unwrap();
        assert!(matches!(closed, Err(StoreError::NotWritten { receipts: 1, .. })), "{closed:?}");
    }
}

#[tokio::test]
async fn what_the_database_refuses_takes_nothing_else_along() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let writer = store.writer();
        // Nothing can be said of windows any more, and all the rest is as it was.
        sql(&store, "ALTER TABLE quota_windows RENAME TO away").await;
        for number in 0..3 {
            writer.record(receipt(&number.to_string()));
        }
        writer.cooled(cooldown("a", None, START + 5));
        writer.window(window());
        let mut tries = 0;
        while writer.flush().await.is_err() {
            tries += 1;
            assert!(tries <= 24, "it is given up");
        }
        assert_eq!(store.receipts().count().await.unwrap(), 3);
        assert_eq!(writer.dropped(), 0);
        // An empty set of windows is no reason to ask for their table, and nothing waits any longer.
        writer.record(receipt("later"));
        writer.flush().await.unwrap();
        assert_eq!(store.receipts().count().await.unwrap(), 4);
        sql(&store, "ALTER TABLE away RENAME TO quota_windows").await;
        assert_eq!(store.load_cooldowns(START).await.unwrap(), [cooldown("a", None, START + 5)]);
        assert!(store.load_windows(START).await.unwrap().is_empty());
        writer.window(window());
        writer.flush().await.unwrap();
        assert_eq!(store.load_windows(START).await.unwrap().len(), 1);
    }
}

fn window() -> WindowRecord {
    WindowRecord {
        connection: "a".into(),
        name: "5h".into(),
        model: None,
        fingerprint: 1,
        limit: Some(10),
        used: 1,
        as_of: START,
        resets_at: START + 100,
        state: String::new(),
    }
}
