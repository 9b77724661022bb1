//! The turns of one account's requests: first come, first served, each as soon as the pace allows it. Whoever waits does
//! so for a bounded time and among a bounded number, and leaves nothing behind when it goes away.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicUsize},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

use crate::engine::{settings::Pace, waiting::Waiting};

const MINUTE: Duration = Duration::from_secs(60);

/// Why a request had no turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// As many wait as may.
    Full,
    /// The turn did not come in time.
    TimedOut,
}

/// One account's turns.
pub(super) struct Track {
    pace: Pace,
    places: Option<Arc<Semaphore>>,
    /// Held by the one whose turn is next. A semaphore serves in the order of asking.
    turnstile: Semaphore,
    waiting: AtomicUsize,
    begun: Mutex<VecDeque<Instant>>,
}

impl Track {
    pub(super) fn new(pace: Pace) -> Self {
        let places = pace.concurrent.map(|places| Arc::new(Semaphore::new(places.max(1) as usize)));
        let (waiting, begun) = (AtomicUsize::new(0), Mutex::default());
        Self { pace, places, turnstile: Semaphore::new(1), waiting, begun }
    }

    pub(super) const fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(super) async fn enter(&self, deadline: Instant) -> Result<Option<OwnedSemaphorePermit>, Crowded> {
        if let Some(place) = self.pass().now_or_never() {
            return Ok(place);
        }
        let _turn = Waiting::enter(&self.waiting, self.pace.queue as usize).ok_or(Crowded::Full)?;
        let patience = Instant::now() + self.pace.max_wait;
        timeout_at(patience.min(deadline), self.pass()).await.map_err(|_| Crowded::TimedOut)
    }

    async fn pass(&self) -> Option<OwnedSemaphorePermit> {
        let turn = self.turnstile.acquire().await;
        let place = match &self.places {
            // It is never closed.
            Some(places) => Arc::clone(places).acquire_owned().await.ok(),
            None => None,
        };
        while let Err(not_before) = self.begin() {
            sleep_until(not_before).await;
        }
        drop(turn);
        place
    }

    /// Begins a request now, or says when the next one may begin.
    fn begin(&self) -> Result<(), Instant> {
        let now = Instant::now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        // Only what a later turn can ask for is kept: the last one for the gap, a minute's worth for the rate.
        let kept = self.pace.per_minute.map_or(1, |rate| rate.max(1) as usize);
        while begun.len() > kept {
            begun.pop_front();
        }
        let after_gap = begun.back().map(|last| *last + self.pace.gap);
        let after_rate = self.pace.per_minute.and_then(|_| (begun.len() == kept).then(|| begun.front())?);
        let not_before = after_gap.max(after_rate.map(|oldest| *oldest + MINUTE)).unwrap_or(now);
        if not_before > now {
            return Err(not_before);
        }
        begun.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn far() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    /// When each of so many requests that come at once begins, in milliseconds, in the order of their coming.
    async fn begins(pace: Pace, requests: usize, holds: Duration) -> Vec<u128> {
        let (track, start) = (Arc::new(Track::new(pace)), Instant::now());
        let mut tasks = Vec::new();
        for _ in 0..requests {
            let track = Arc::clone(&track);
            tasks.push(tokio::spawn(async move {
                let place = track.enter(far()).await.unwrap();
                let began = start.elapsed().as_millis();
                tokio::time::sleep(holds).await;
                drop(place);
                began
            }));
            tokio::task::yield_now().await;
        }
        let mut begins = Vec::new();
        for task in tasks {
            begins.push(task.await.unwrap());
        }
        begins
    }

    #[tokio::test(start_paused = true)]
    async fn a_gap_lies_between_any_two_in_the_order_of_their_coming() {
        let pace = Pace { gap: Duration::from_millis(200), ..Pace::default() };
        assert_eq!(begins(pace, 5, Duration::ZERO).await, [0, 200, 400, 600, 800]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_minute_sees_more_than_its_number() {
        let pace = Pace { per_minute: Some(3), max_wait: Duration::from_secs(600), ..Pace::default() };
        let minutes = [0, 0, 0, 60_000, 60_000, 60_000, 120_000];
        assert_eq!(begins(pace, 7, Duration::ZERO).await, minutes);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_run_than_may() {
        let pace = Pace { concurrent: Some(2), ..Pace::default() };
        assert_eq!(begins(pace, 5, Duration::from_secs(1)).await, [0, 0, 1000, 1000, 2000]);
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_bounded_in_time_and_number() {
        let pace = Pace { queue: 1, max_wait: Duration::from_secs(5), ..Pace::single_file() };
        let track = Track::new(pace);
        let first = track.enter(far()).await.unwrap();
        let (second, third) = tokio::join!(track.enter(far()), track.enter(far()));
        assert_eq!((second.err(), third.err()), (Some(Crowded::TimedOut), Some(Crowded::Full)));
        let early = track.enter(Instant::now() + Duration::from_secs(1));
        let start = Instant::now();
        assert_eq!((early.await.err(), start.elapsed().as_secs()), (Some(Crowded::TimedOut), 1));
        drop(first);
        assert!(track.enter(far()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_leaves_the_queue_makes_room_and_takes_no_turn() {
        let pace = Pace { gap: Duration::from_secs(10), queue: 1, ..Pace::default() };
        let track = Arc::new(Track::new(pace));
        assert!(track.enter(far()).await.is_ok());
        let start = Instant::now();
        let left = tokio::time::timeout(Duration::from_secs(4), track.enter(far())).await;
        assert!(left.is_err());
        assert!(track.enter(far()).await.is_ok());
        assert_eq!(start.elapsed().as_secs(), 10, "the turn of the one that left is the next one's");
    }
}
