//! Lets requests in: a bound on how many are worked on at a time, a bounded queue before it, and
//! a rate per client address when the operator has set one.

mod rate;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{code::Code, refusal::Refusal, settings::Limits, waiting::Waiting};
use rate::Rates;

/// The gate.
pub struct Admission {
    gate: ArcSwap<Gate>,
    waiting: AtomicUsize,
    running: Arc<AtomicUsize>,
    closed: AtomicBool,
    rates: Rates,
}

struct Gate {
    places: Arc<Semaphore>,
    size: usize,
}

/// A place for one request. Gives it back when dropped.
pub struct Permit {
    _place: OwnedSemaphorePermit,
    running: Arc<AtomicUsize>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// A gate as wide as `limits` say.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            gate: ArcSwap::from_pointee(Gate::new(limits.concurrent)),
            waiting: AtomicUsize::new(0),
            running: Arc::default(),
            closed: AtomicBool::new(false),
            rates: Rates::default(),
        }
    }

    /// Takes new limits. Requests that are in keep the places that they have, so
    /// that for a while more may run than the new limit says.
    pub fn resize(&self, limits: &Limits) {
        if self.gate.load().size != limits.concurrent {
            self.gate.store(Arc::new(Gate::new(limits.concurrent)));
        }
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// When the queue is full, no place became free in time, or the hub is shutting down.
    pub async fn admit(&self, limits: &Limits) -> Result<Permit, Refusal> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Refusal::new(Code::ShuttingDown, "The hub is shutting down.")
                .retry_after(Duration::from_secs(1)));
        }
        let places = Arc::clone(&self.gate.load().places);
        let place = match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => self.queue(places, limits).await?,
        };
        self.running.fetch_add(1, Ordering::Relaxed);
        Ok(Permit { _place: place, running: Arc::clone(&self.running) })
    }

    async fn queue(&self, places: Arc<Semaphore>, limits: &Limits) -> Result<OwnedSemaphorePermit, Refusal> {
        let _turn = Waiting::enter(&self.waiting, limits.queued).ok_or_else(|| {
            let text =
                format!("{} requests are running and {} are waiting.", limits.concurrent, limits.queued);
            Refusal::new(Code::QueueFull, text).retry_after(Duration::from_secs(1))
        })?;
        match tokio::time::timeout(limits.queue_timeout, places.acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => {
                let text = format!("No place became free within {} s.", limits.queue_timeout.as_secs_f32());
                Err(Refusal::new(Code::QueueTimeout, text).retry_after(Duration::from_secs(1)))
            }
        }
    }

    /// Counts a request of `address` against the rate that `limits` allow.
    ///
    /// # Errors
    /// When the address has used up its minute.
    pub fn rate(&self, address: Option<IpAddr>, limits: &Limits, now: i64) -> Result<(), Refusal> {
        let (Some(address), Some(allowed)) = (address, limits.per_address_per_minute) else { return Ok(()) };
        self.rates.count(address, allowed, now).map_err(|wait| {
            let text =
                format!("Your address has sent {allowed} requests within a minute, which is the limit here.");
            Refusal::new(Code::RateLimited, text).retry_after(wait)
        })
    }

    /// Lets nobody in any more.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether requests are let in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    /// How many requests are being worked on.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }

    /// How many requests wait to be let in.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

impl Gate {
    fn new(size: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(size.clamp(1, Semaphore::MAX_PERMITS))), size }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    fn limits(concurrent: usize, queued: usize) -> Limits {
        Limits { concurrent, queued, queue_timeout: Duration::from_secs(5), ..Limits::default() }
    }

    fn code(result: Result<Permit, Refusal>) -> Option<Code> {
        result.err().map(|refusal| refusal.code)
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_given_back_and_the_queue_is_bounded_in_length_and_time() {
        let limits = limits(1, 1);
        let admission = Admission::new(&limits);
        let first = admission.admit(&limits).await.unwrap();
        let (second, third) = tokio::join!(admission.admit(&limits), admission.admit(&limits));
        assert_eq!(code(second), Some(Code::QueueTimeout));
        assert_eq!(code(third), Some(Code::QueueFull));
        drop(first);
        assert!(admission.admit(&limits).await.is_ok());
        assert_eq!(admission.running(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn two_hundred_at_fifty_places_all_get_through_and_never_more_than_fifty_at_a_time() {
        let limits = limits(50, 150);
        let admission = Arc::new(Admission::new(&limits));
        let work = (0..200).map(|_| {
            let (admission, limits) = (Arc::clone(&admission), limits.clone());
            tokio::spawn(async move {
                let _permit = admission.admit(&limits).await.unwrap();
                assert!(admission.running() <= 50);
                tokio::time::sleep(Duration::from_millis(10)).await;
            })
        });
        for done in work.collect::<Vec<_>>() {
            done.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_closed_gate_says_so() {
        let limits = limits(1, 1);
        let admission = Admission::new(&limits);
        admission.close();
        assert_eq!(code(admission.admit(&limits).await), Some(Code::ShuttingDown));
    }
}
