//! Claims on idempotency keys in memory, bounded as the database bounds them. Not encrypted: nothing of it is ever
//! written.

use std::collections::BTreeMap;

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::{
    ops::ports::{Claim, ClaimEnding, ClaimPlace, ClaimStore, ClaimStoreError, Claimed},
    store::seal,
};

/// The claims, by place. The number tells their age.
#[derive(Default)]
pub(super) struct Claims {
    held: BTreeMap<ClaimPlace, Held>,
    last: u64,
}

struct Held {
    number: u64,
    expires_at: i64,
    claimed: Claimed,
}

impl Held {
    fn bytes(&self) -> u64 {
        match &self.claimed.ending {
            Some(ClaimEnding::Answered(payload)) => (payload.len() + seal::OVERHEAD) as u64,
            _ => 0,
        }
    }
}

impl Claims {
    fn claim(&mut self, claim: Claim, most: u32) -> Option<Claimed> {
        self.sweep(claim.created_at);
        if let Some(held) = self.held.get(&claim.place) {
            return Some(held.claimed.clone());
        }
        let owner = claim.place.owner.clone();
        while self.held.keys().filter(|place| place.owner == owner).count() >= most as usize {
            self.drop_oldest(|place, _| place.owner == owner);
        }
        self.last += 1;
        let claimed = Claimed { request: claim.request, ending: None };
        let held = Held { number: self.last, expires_at: claim.expires_at, claimed };
        self.held.insert(claim.place, held);
        None
    }

    fn finish(&mut self, place: &ClaimPlace, ending: ClaimEnding, max_bytes: u64) {
        if let Some(held) = self.held.get_mut(place) {
            held.claimed.ending = Some(ending);
        }
        while self.held.values().map(Held::bytes).sum::<u64>() > max_bytes {
            self.drop_oldest(|_, held| held.bytes() > 0);
        }
    }

    fn sweep(&mut self, now: i64) -> u64 {
        let before = self.held.len();
        self.held.retain(|_, held| held.expires_at > now);
        (before - self.held.len()) as u64
    }

    fn drop_oldest(&mut self, of: impl Fn(&ClaimPlace, &Held) -> bool) {
        let those = self.held.iter().filter(|(place, held)| of(place, held));
        let oldest = those.min_by_key(|(_, held)| held.number).map(|(place, _)| place.clone());
        oldest.map(|place| self.held.remove(&place));
    }
}

impl ClaimStore for MemoryStore {
    fn claim(&self, claim: Claim, most: u32) -> BoxFuture<'_, Result<Option<Claimed>, ClaimStoreError>> {
        self.now(|state| Ok(state.claims.claim(claim, most)))
    }

    fn finish(
        &self,
        place: ClaimPlace,
        ending: ClaimEnding,
        max_bytes: u64,
    ) -> BoxFuture<'_, Result<(), ClaimStoreError>> {
        self.now(|state| {
            state.claims.finish(&place, ending, max_bytes);
            Ok(())
        })
    }

    fn release(&self, place: ClaimPlace) -> BoxFuture<'_, Result<(), ClaimStoreError>> {
        self.now(|state| {
            state.claims.held.remove(&place);
            Ok(())
        })
    }

    fn sweep(&self, now: i64) -> BoxFuture<'_, Result<u64, ClaimStoreError>> {
        self.now(|state| Ok(state.claims.sweep(now)))
    }
}
