//! Kept responses in memory, counted and bounded as the database counts and bounds them. Not encrypted: nothing of it
//! is ever written.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::{
    ops::ports::{ResponseLocation, ResponseStore, ResponseStoreError, StoredResponse, Whereabouts},
    store::{locations::Place, responses::cost},
};

/// Locations that are kept.
const LOCATIONS: usize = 100_000;

/// What is kept, by place and by age.
#[derive(Default)]
pub(super) struct Responses {
    kept: BTreeMap<Place, (u64, StoredResponse)>,
    located: BTreeMap<Place, (u64, ResponseLocation)>,
    /// The number of the last change: the lowest number is the oldest.
    last: u64,
}

impl Responses {
    fn keep(&mut self, response: StoredResponse, max_bytes: u64) -> Result<(), ResponseStoreError> {
        let room = max_bytes.checked_sub(cost(response.payload.len())).ok_or(ResponseStoreError::TooLarge)?;
        let place = (Arc::clone(&response.owner), Arc::clone(&response.id));
        self.kept.remove(&place);
        self.sweep(response.created_at, room);
        self.last += 1;
        self.kept.insert(place, (self.last, response));
        Ok(())
    }

    fn find(&self, place: &Place, now: i64) -> Option<Whereabouts> {
        if let Some((_, kept)) = self.kept.get(place).filter(|(_, kept)| kept.expires_at > now) {
            return Some(Whereabouts::Here(kept.payload.clone()));
        }
        let (_, location) = self.located.get(place).filter(|(_, location)| location.expires_at > now)?;
        Some(Whereabouts::There(location.clone()))
    }

    fn locate(&mut self, location: ResponseLocation) {
        self.last += 1;
        let place = (Arc::clone(&location.owner), Arc::clone(&location.id));
        self.located.insert(place, (self.last, location));
        if self.located.len() > LOCATIONS {
            drop_oldest(&mut self.located);
        }
    }

    fn delete(&mut self, place: &Place, now: i64) -> bool {
        let found = self.find(place, now).is_some();
        self.kept.remove(place);
        self.located.remove(place);
        found
    }

    fn sweep(&mut self, now: i64, max_bytes: u64) -> u64 {
        let before = self.kept.len() + self.located.len();
        self.kept.retain(|_, (_, kept)| kept.expires_at > now);
        self.located.retain(|_, (_, location)| location.expires_at > now);
        while self.kept.values().map(|(_, kept)| cost(kept.payload.len())).sum::<u64>() > max_bytes {
            drop_oldest(&mut self.kept);
        }
        (before - self.kept.len() - self.located.len()) as u64
    }
}

fn drop_oldest<T>(map: &mut BTreeMap<Place, (u64, T)>) {
    let oldest = map.iter().min_by_key(|(_, (number, _))| *number).map(|(place, _)| place.clone());
    oldest.map(|place| map.remove(&place));
}

impl ResponseStore for MemoryStore {
    fn keep(
        &self,
        response: StoredResponse,
        max_bytes: u64,
    ) -> BoxFuture<'_, Result<(), ResponseStoreError>> {
        self.now(|state| state.responses.keep(response, max_bytes))
    }

    fn find(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<Option<Whereabouts>, ResponseStoreError>> {
        self.now(|state| Ok(state.responses.find(&(owner, id), now)))
    }

    fn locate(&self, location: ResponseLocation) {
        self.lock().responses.locate(location);
    }

    fn delete(
        &self,
        owner: Arc<str>,
        id: Arc<str>,
        now: i64,
    ) -> BoxFuture<'_, Result<bool, ResponseStoreError>> {
        self.now(|state| Ok(state.responses.delete(&(owner, id), now)))
    }

    fn sweep(&self, now: i64, max_bytes: u64) -> BoxFuture<'_, Result<u64, ResponseStoreError>> {
        self.now(|state| Ok(state.responses.sweep(now, max_bytes)))
    }
}
