//! What every store of captured messages must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{CaptureStore, CaptureStoreError, StoredCapture};

const PLENTY: u64 = 1_000_000_000;

type Done<T> = Result<T, CaptureStoreError>;

pass_on! { CaptureStore:
    keep(capture: StoredCapture, max_bytes: u64) -> Done<()>;
    of_request(id: String) -> Done<Option<Vec<u8>>>;
    sweep(before: i64) -> Done<bool>;
}

impl Either {
    fn captures(&self) -> Box<dyn CaptureStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.captures()),
        }
    }
}

fn capture(nth: i64, bytes: usize) -> StoredCapture {
    StoredCapture { request_id: format!("req_{nth}"), at: START + nth, payload: vec![b'x'; bytes] }
}

async fn kept(store: &dyn CaptureStore, of: std::ops::Range<i64>) -> Vec<i64> {
    let mut kept = Vec::new();
    for nth in of {
        if store.of_request(format!("req_{nth}")).await.unwrap().is_some() {
            kept.push(nth);
        }
    }
    kept
}

#[tokio::test]
async fn messages_come_back_as_they_were_given() {
    for either in Either::each().await {
        let store = either.captures();
        store.keep(capture(1, 200_000), PLENTY).await.unwrap();
        store.keep(capture(2, 3), PLENTY).await.unwrap();
        assert_eq!(store.of_request("req_1".into()).await.unwrap().unwrap(), vec![b'x'; 200_000]);
        assert_eq!(store.of_request("req_2".into()).await.unwrap().unwrap(), b"xxx");
        assert_eq!(store.of_request("req_3".into()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_oldest_give_way_to_bytes_and_age() {
    for either in Either::each().await {
        let store = either.captures();
        for nth in 0..10 {
            store.keep(capture(nth, 10_000), 45_000).await.unwrap();
        }
        assert_eq!(kept(&*store, 0..10).await, [6, 7, 8, 9]);
        store.keep(capture(10, 50_000), 45_000).await.unwrap();
        assert_eq!(kept(&*store, 0..11).await, Vec::<i64>::new(), "too large alone");
        for nth in 11..60 {
            store.keep(capture(nth, 10), PLENTY).await.unwrap();
        }
        while store.sweep(START + 50).await.unwrap() {}
        assert_eq!(kept(&*store, 0..60).await, (50..60).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn what_is_written_shows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir, WriterLimits::default()).await;
    let payload = b"a word like quixotry".to_vec();
    let capture = StoredCapture { request_id: "req_1".to_owned(), at: START, payload };
    store.captures().keep(capture, PLENTY).await.unwrap();
    store.close().await.unwrap();
    let mut looked = 0;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(path).unwrap();
            assert!(!bytes.windows(8).any(|window| window == b"quixotry"));
            looked += usize::from(bytes.windows(5).any(|window| window == b"req_1"));
        }
    }
    assert!(looked > 0, "the row is there");
}
