//! Windows of quotas, on both stores; and that an account's count goes on over a restart and a kill.

use std::sync::Arc;

use super::{Either, START, Scene};
use crate::{
    engine::ports::{WindowRecord, WindowSink},
    store::{WriterLimits, sql},
};

fn window(connection: &str, name: &str, model: Option<&str>, used: u64, resets_at: i64) -> WindowRecord {
    WindowRecord {
        connection: connection.into(),
        name: name.into(),
        model: model.map(Arc::from),
        // Above what a signed integer holds.
        fingerprint: u64::MAX - 1,
        limit: (used > 1).then_some(u64::MAX),
        used,
        as_of: START - 1,
        resets_at,
        state: format!("counted 1:{used}"),
    }
}

impl Either {
    fn keep(&self, record: WindowRecord) {
        match self {
            Self::Memory(store) => store.window(record),
            Self::Sql(store, _) => store.writer().window(record),
        }
    }

    async fn load_windows(&self, now: i64) -> Vec<WindowRecord> {
        match self {
            Self::Memory(store) => store.load_windows(now),
            Self::Sql(store, _) => store.load_windows(now).await.unwrap(),
        }
    }
}

#[tokio::test]
async fn windows_are_kept_whole_replaced_and_end() {
    for store in Either::each().await {
        store.keep(window("a", "requests per day", None, 1, START + 10));
        store.keep(window("a", "requests per day", Some("m"), 2, START + 10));
        store.keep(window("b", "5h", None, 3, START + 5));
        store.flush().await;
        store.keep(window("a", "requests per day", None, 9, START + 20));
        store.flush().await;
        let a = [
            window("a", "requests per day", None, 9, START + 20),
            window("a", "requests per day", Some("m"), 2, START + 10),
        ];
        let all = store.load_windows(START).await;
        assert_eq!((&all[..2], all.len()), (&a[..], 3));
        assert_eq!(all[2], window("b", "5h", None, 3, START + 5));
        assert_eq!(store.load_windows(START + 5).await, a);
        assert_eq!(store.load_windows(START).await.len(), 2, "the ended one was deleted");
    }
}

#[tokio::test]
async fn a_failing_database_keeps_the_last_word_of_each_window() {
    for scene in Scene::each().await {
        let store = scene.open(WriterLimits::default()).await;
        let writer = store.writer();
        sql::query("ALTER TABLE quota_windows RENAME TO away").execute(&store.pools.managing).await.unwrap();
        writer.window(window("a", "5h", None, 1, START + 9));
        assert!(writer.flush().await.is_err());
        writer.window(window("a", "5h", None, 2, START + 9));
        sql::query("ALTER TABLE away RENAME TO quota_windows").execute(&store.pools.managing).await.unwrap();
        // The writer pauses after a failure; an orderly stop does not wait for it.
        store.close().await.unwrap();
        drop((writer, store));
        let store = scene.open(WriterLimits::default()).await;
        assert_eq!(store.load_windows(START).await.unwrap(), [window("a", "5h", None, 2, START + 9)]);
    }
}
