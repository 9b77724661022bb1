//! What every store of responses must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{ResponseLocation, ResponseStore, ResponseStoreError, StoredResponse, Whereabouts};

/// What one row counts beside its payload; the tests only need it to be the same everywhere.
const BESIDE: u64 = 512 + 29;
const PLENTY: u64 = 1_000_000;

type Done<T> = Result<T, ResponseStoreError>;

pass_on! { ResponseStore:
    keep(response: StoredResponse, max_bytes: u64) -> Done<()>;
    find(owner: Arc<str>, id: Arc<str>, now: i64) -> Done<Option<Whereabouts>>;
    delete(owner: Arc<str>, id: Arc<str>, now: i64) -> Done<bool>;
    sweep(now: i64, max_bytes: u64) -> Done<u64>;
    => locate(location: ResponseLocation);
}

impl Either {
    fn responses(&self) -> Box<dyn ResponseStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.responses()),
        }
    }
}

pub(in crate::store) fn response(owner: &str, id: &str, payload: &[u8]) -> StoredResponse {
    StoredResponse {
        owner: owner.into(),
        id: id.into(),
        created_at: START,
        expires_at: START + 1000,
        payload: payload.to_vec(),
    }
}

pub(in crate::store) fn location(owner: &str, id: &str) -> ResponseLocation {
    ResponseLocation {
        owner: owner.into(),
        id: id.into(),
        connection: "groq-1".into(),
        // Above what a signed integer holds.
        fingerprint: u64::MAX - 1,
        expires_at: START + 1000,
    }
}

/// The payload of a response that is here.
pub(in crate::store) async fn here(
    store: &dyn ResponseStore,
    owner: &str,
    id: &str,
    now: i64,
) -> Option<Vec<u8>> {
    match store.find(owner.into(), id.into(), now).await.unwrap()? {
        Whereabouts::Here(payload) => Some(payload),
        Whereabouts::There(_) => None,
    }
}

pub(in crate::store) async fn there(
    store: &dyn ResponseStore,
    owner: &str,
    id: &str,
    now: i64,
) -> Option<ResponseLocation> {
    match store.find(owner.into(), id.into(), now).await.unwrap()? {
        Whereabouts::Here(_) => None,
        Whereabouts::There(location) => Some(location),
    }
}

#[tokio::test]
async fn a_response_is_kept_whole_and_replaced() {
    for either in Either::each().await {
        let store = either.responses();
        let large: Vec<u8> = (0..200_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        for payload in [&b""[..], b"one", &large] {
            store.keep(response("a", "r", payload), PLENTY).await.unwrap();
            assert_eq!(here(&*store, "a", "r", START).await.unwrap(), payload);
        }
        assert!(store.delete("a".into(), "r".into(), START).await.unwrap());
        assert!(!store.delete("a".into(), "r".into(), START).await.unwrap());
        assert_eq!(here(&*store, "a", "r", START).await, None);
    }
}

#[tokio::test]
async fn what_belongs_to_one_owner_does_not_exist_for_another() {
    for either in Either::each().await {
        let store = either.responses();
        store.keep(response("a", "r", b"of a"), PLENTY).await.unwrap();
        store.locate(location("a", "l"));
        assert_eq!(here(&*store, "b", "r", START).await, None);
        assert_eq!(there(&*store, "b", "l", START).await, None);
        for id in ["r", "l"] {
            assert!(!store.delete("b".into(), id.into(), START).await.unwrap());
        }
        // Two providers may give the same id.
        store.keep(response("b", "r", b"of b"), PLENTY).await.unwrap();
        assert_eq!(here(&*store, "a", "r", START).await.unwrap(), b"of a");
        assert_eq!(here(&*store, "b", "r", START).await.unwrap(), b"of b");
        assert!(there(&*store, "a", "l", START).await.is_some());
    }
}

#[tokio::test]
async fn what_has_ended_is_not_found_and_swept() {
    for either in Either::each().await {
        let store = either.responses();
        store.keep(response("a", "short", b"x"), PLENTY).await.unwrap();
        let long = StoredResponse { expires_at: START + 2000, ..response("a", "long", b"x") };
        store.keep(long, PLENTY).await.unwrap();
        store.locate(location("a", "l"));
        either.flush().await;
        assert!(here(&*store, "a", "short", START + 999).await.is_some());
        assert_eq!(here(&*store, "a", "short", START + 1000).await, None);
        assert_eq!(there(&*store, "a", "l", START + 1000).await, None);
        assert_eq!(store.sweep(START + 999, PLENTY).await.unwrap(), 0);
        assert_eq!(store.sweep(START + 1000, PLENTY).await.unwrap(), 2);
        assert!(here(&*store, "a", "long", START + 1000).await.is_some());
        // Nothing is left of it, whatever the time.
        assert_eq!(there(&*store, "a", "l", START).await, None);
        assert_eq!(here(&*store, "a", "short", START).await, None);
    }
}

#[tokio::test]
async fn what_has_ended_cannot_be_deleted_any_more() {
    for either in Either::each().await {
        let store = either.responses();
        store.locate(location("a", "l"));
        store.keep(response("a", "r", b"x"), PLENTY).await.unwrap();
        for id in ["l", "r"] {
            assert!(!store.delete("a".into(), id.into(), START + 1000).await.unwrap(), "{id}");
        }
    }
}

#[tokio::test]
async fn the_oldest_give_way_to_new_ones() {
    for either in Either::each().await {
        let store = either.responses();
        // Room for three.
        let most = 3 * (BESIDE + 100);
        for id in ["1", "2", "3"] {
            store.keep(response("a", id, &[0; 100]), most).await.unwrap();
        }
        // Replaced, and so the newest.
        store.keep(response("a", "1", &[1; 100]), most).await.unwrap();
        store.keep(response("b", "4", &[0; 100]), most).await.unwrap();
        assert_eq!(here(&*store, "a", "2", START).await, None);
        for (owner, id) in [("a", "3"), ("a", "1"), ("b", "4")] {
            assert!(here(&*store, owner, id, START).await.is_some(), "{id}");
        }
        // One that takes as much as two.
        let large = usize::try_from(BESIDE).unwrap() + 200;
        store.keep(response("a", "5", &vec![0; large]), most).await.unwrap();
        assert!(here(&*store, "b", "4", START).await.is_some());
        assert_eq!(here(&*store, "a", "1", START).await, None);
        let too_large = store.keep(response("a", "6", &vec![0; 3 * large]), most).await;
        assert!(matches!(too_large, Err(ResponseStoreError::TooLarge)));
        assert!(here(&*store, "b", "4", START).await.is_some(), "nothing gave way to what was refused");
        // The bound was lowered.
        assert_eq!(store.sweep(START, BESIDE + 99).await.unwrap(), 2);
        assert_eq!(here(&*store, "a", "5", START).await, None);
    }
}

#[tokio::test]
async fn ended_rows_make_room_before_living_ones_do() {
    for either in Either::each().await {
        let store = either.responses();
        let most = 2 * BESIDE;
        let living = StoredResponse { expires_at: START + 9000, ..response("a", "living", b"") };
        store.keep(living, most).await.unwrap();
        store.keep(response("a", "ended", b""), most).await.unwrap();
        let new = StoredResponse {
            created_at: START + 1000,
            expires_at: START + 9000,
            ..response("a", "new", b"")
        };
        store.keep(new, most).await.unwrap();
        assert!(here(&*store, "a", "living", START + 1000).await.is_some());
        assert!(here(&*store, "a", "new", START + 1000).await.is_some());
    }
}

#[tokio::test]
async fn a_location_is_found_at_once_and_after_it_was_written() {
    for either in Either::each().await {
        let store = either.responses();
        store.locate(location("a", "l"));
        assert_eq!(there(&*store, "a", "l", START).await.unwrap(), location("a", "l"));
        either.flush().await;
        assert_eq!(there(&*store, "a", "l", START).await.unwrap(), location("a", "l"));
        let moved = ResponseLocation { connection: "groq-2".into(), ..location("a", "l") };
        store.locate(moved.clone());
        assert_eq!(there(&*store, "a", "l", START).await.unwrap(), moved);
        either.flush().await;
        assert_eq!(there(&*store, "a", "l", START).await.unwrap(), moved);
        // Known as both: what is here is better.
        store.keep(response("a", "l", b"x"), PLENTY).await.unwrap();
        assert!(here(&*store, "a", "l", START).await.is_some());
        assert!(store.delete("a".into(), "l".into(), START).await.unwrap());
        assert!(store.find("a".into(), "l".into(), START).await.unwrap().is_none());
        either.flush().await;
        assert!(store.find("a".into(), "l".into(), START).await.unwrap().is_none());
    }
}
