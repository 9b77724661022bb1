//! How fast each account is used: how many of its requests are under way, and for those whose owner set a pace, whose
//! turn it is. How much may be used is the business of `quota`.

mod track;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};

pub(crate) use self::track::Crowded;
use self::track::Track;
use super::settings::Connection;

type Lanes = HashMap<Arc<str>, Arc<Lane>>;

/// The pace of all accounts.
#[derive(Default)]
pub struct Pacer {
    lanes: ArcSwap<Lanes>,
}

/// One account's requests.
#[derive(Default)]
struct Lane {
    in_flight: AtomicU32,
    /// `None`: its requests go as they come.
    track: ArcSwapOption<Track>,
}

/// A request that is under way. Gives its place back when dropped.
pub(crate) struct Slot {
    /// `None`: the account was taken out of the configuration after the request was planned.
    lane: Option<Arc<Lane>>,
    _place: Option<OwnedSemaphorePermit>,
}

impl Pacer {
    /// Takes new settings. Requests that are under way keep their places; an account whose pace changes begins it anew,
    /// so that for a while more may run than the new one says.
    pub fn retain(&self, connections: &[Arc<Connection>]) {
        let old = self.lanes.load();
        let lane = |connection: &Arc<Connection>| {
            let lane = old.get(&connection.id).map(Arc::clone).unwrap_or_default();
            let pace = connection.allowance.pace.as_ref().filter(|pace| pace.limits());
            let track = lane.track.load();
            if track.as_ref().map(|track| track.pace()) != pace {
                lane.track.store(pace.map(|pace| Arc::new(Track::new(pace.clone()))));
            }
            drop(track);
            (Arc::clone(&connection.id), lane)
        };
        let lanes = connections.iter().map(lane).collect();
        drop(old);
        self.lanes.store(Arc::new(lanes));
    }

    /// How many requests are under way at an account.
    #[must_use]
    pub fn in_flight(&self, connection: &Connection) -> u32 {
        self.lanes.load().get(&connection.id).map_or(0, |lane| lane.in_flight.load(Ordering::Relaxed))
    }

    /// Counts a request without waiting for its turn.
    pub(crate) fn count(&self, connection: &Connection) -> Slot {
        Slot::new(self.lane(connection), None)
    }

    /// Waits for a request's turn, until `deadline` at most.
    ///
    /// # Errors
    /// When too many wait, or the turn did not come in time.
    pub(crate) async fn enter(&self, connection: &Connection, deadline: Instant) -> Result<Slot, Crowded> {
        let lane = self.lane(connection);
        let track = lane.as_ref().and_then(|lane| lane.track.load_full());
        let place = match track {
            Some(track) => track.enter(deadline).await?,
            None => None,
        };
        Ok(Slot::new(lane, place))
    }

    fn lane(&self, connection: &Connection) -> Option<Arc<Lane>> {
        self.lanes.load().get(&connection.id).map(Arc::clone)
    }
}

impl Slot {
    fn new(lane: Option<Arc<Lane>>, place: Option<OwnedSemaphorePermit>) -> Self {
        if let Some(lane) = &lane {
            lane.in_flight.fetch_add(1, Ordering::Relaxed);
        }
        Self { lane, _place: place }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some(lane) = &self.lane {
            lane.in_flight.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
