//! What every store of claims must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::ops::ports::{Claim, ClaimEnding, ClaimPlace, ClaimStore, ClaimStoreError, Claimed};

const PLENTY: u64 = 1_000_000;
const MANY: u32 = 100;

type Done<T> = Result<T, ClaimStoreError>;

pass_on! { ClaimStore:
    claim(claim: Claim, most: u32) -> Done<Option<Claimed>>;
    finish(place: ClaimPlace, ending: ClaimEnding, max_bytes: u64) -> Done<()>;
    release(place: ClaimPlace) -> Done<()>;
    sweep(now: i64) -> Done<u64>;
}

impl Either {
    fn claims(&self) -> Box<dyn ClaimStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.claims()),
        }
    }
}

fn place(owner: &str, id: &str) -> ClaimPlace {
    ClaimPlace { owner: owner.into(), id: id.into() }
}

fn claim(owner: &str, id: &str, request: u8) -> Claim {
    Claim { place: place(owner, id), request: [request; 32], created_at: START, expires_at: START + 1000 }
}

/// How a claim is found, as a word: `free` (and claimed now), `open`, `not kept`, or the answer.
async fn found(store: &dyn ClaimStore, claim: Claim) -> String {
    match store.claim(claim, MANY).await.unwrap() {
        None => "free".to_owned(),
        Some(Claimed { ending: None, .. }) => "open".to_owned(),
        Some(Claimed { ending: Some(ClaimEnding::NotKept), .. }) => "not kept".to_owned(),
        Some(Claimed { ending: Some(ClaimEnding::Answered(bytes)), .. }) => String::from_utf8(bytes).unwrap(),
    }
}

fn answered(text: &str) -> ClaimEnding {
    ClaimEnding::Answered(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_claim_is_made_once_and_tells_its_first_request_and_its_ending() {
    for either in Either::each().await {
        let store = either.claims();
        assert_eq!(found(&*store, claim("a", "k", 1)).await, "free");
        let again = store.claim(claim("a", "k", 2), MANY).await.unwrap().unwrap();
        assert!(again.request == [1; 32] && again.ending.is_none());
        store.finish(place("a", "k"), answered("one"), PLENTY).await.unwrap();
        assert_eq!(found(&*store, claim("a", "k", 1)).await, "one");
        let large: String = "x".repeat(200_000);
        assert_eq!(found(&*store, claim("a", "large", 1)).await, "free");
        store.finish(place("a", "large"), answered(&large), PLENTY).await.unwrap();
        assert_eq!(found(&*store, claim("a", "large", 1)).await, large);
        assert_eq!(found(&*store, claim("a", "too", 1)).await, "free");
        store.finish(place("a", "too"), ClaimEnding::NotKept, PLENTY).await.unwrap();
        assert_eq!(found(&*store, claim("a", "too", 1)).await, "not kept");
    }
}

#[tokio::test]
async fn owners_do_not_meet_and_what_is_released_is_free() {
    for either in Either::each().await {
        let store = either.claims();
        assert_eq!(found(&*store, claim("a", "k", 1)).await, "free");
        assert_eq!(found(&*store, claim("b", "k", 1)).await, "free");
        store.release(place("a", "k")).await.unwrap();
        // What was released has no ending to be told.
        store.finish(place("a", "k"), answered("late"), PLENTY).await.unwrap();
        assert_eq!(found(&*store, claim("a", "k", 1)).await, "free");
        assert_eq!(found(&*store, claim("b", "k", 1)).await, "open");
    }
}

#[tokio::test]
async fn claims_end() {
    for either in Either::each().await {
        let store = either.claims();
        for id in ["k", "l"] {
            assert_eq!(found(&*store, claim("a", id, 1)).await, "free");
            store.finish(place("a", id), answered("one"), PLENTY).await.unwrap();
        }
        let later = Claim { created_at: START + 1000, expires_at: START + 3000, ..claim("a", "k", 2) };
        assert_eq!(found(&*store, later).await, "free");
        assert_eq!(store.sweep(START + 2000).await.unwrap(), 0);
        assert_eq!(store.sweep(START + 3000).await.unwrap(), 1);
    }
}

#[tokio::test]
async fn the_oldest_give_way_by_number_and_by_bytes() {
    for either in Either::each().await {
        let store = either.claims();
        for id in ["1", "2", "3"] {
            assert!(store.claim(claim("a", id, 1), 2).await.unwrap().is_none());
        }
        assert_eq!(found(&*store, claim("a", "3", 1)).await, "open");
        assert_eq!(found(&*store, claim("a", "2", 1)).await, "open");
        assert_eq!(found(&*store, claim("a", "1", 1)).await, "free");

        for id in ["1", "2", "3"] {
            assert_eq!(found(&*store, claim("b", id, 1)).await, "free");
            let answer = "y".repeat(1000);
            store.finish(place("b", id), answered(&answer), 2100).await.unwrap();
        }
        assert_eq!(found(&*store, claim("b", "3", 1)).await.len(), 1000);
        assert_eq!(found(&*store, claim("b", "1", 1)).await, "free");
        // Claims without an answer take no room, and stay.
        assert_eq!(found(&*store, claim("a", "3", 1)).await, "open");
    }
}
