//! Requests that are repeated under one key, and answered once: a repeat gets the answer of the first, also while that is
//! still being made. HTTP bodies are the surface's; how claims are kept and encrypted is the store's.
//!
//! A claim is durable before its request goes out. So a repeat after a crash finds either the answer, or a claim whose
//! end nobody knows; the request is then not sent again under this key.

mod flight;
mod payload;
mod pilot;

pub use flight::Seat;
pub use pilot::{Pilot, Work};

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use http::{HeaderMap, HeaderName, StatusCode};
use sha2::{Digest, Sha256};

use super::ports::{ClaimPlace, ClaimStore};
use crate::engine::{caller::Caller, ports::Clock, settings::Idempotency as Settings};
use flight::Flight;

/// Answers under way at a time.
const FLIGHTS: usize = 8192;
/// What all answers under way may hold for those who come later, in bytes. Answers beyond it are not remembered.
const HELD: usize = 256 * 1024 * 1024;
/// The longest key, in bytes. Keys are UUIDs and the like.
pub const MAX_KEY: usize = 255;

/// Says that an answer was not made for this request: `replayed`, or `joined` where it is still being made.
pub const MARK: HeaderName = HeaderName::from_static("x-trivium-idempotent");

/// What the operator wants remembered, as it is now.
pub type Policy = Box<dyn Fn() -> Settings + Send + Sync>;

/// Answers repeated requests.
#[derive(Clone)]
pub struct Idempotency {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn ClaimStore>,
    clock: Arc<dyn Clock>,
    policy: Policy,
    flights: Mutex<HashMap<ClaimPlace, Flown>>,
    held: AtomicUsize,
}

struct Flown {
    request: [u8; 32],
    flight: Arc<Flight>,
}

/// A request that carries a key: what it is known by, and what it must equal.
#[derive(Debug, Clone)]
pub struct Repeat {
    place: ClaimPlace,
    request: [u8; 32],
}

/// How an answer begins.
#[derive(Debug, Clone)]
pub struct Head {
    /// Its status.
    pub status: StatusCode,
    /// The headers that a repeat gets too.
    pub headers: HeaderMap,
}

/// Why a repeat gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// The key was used for another request.
    Different,
    /// The first request began, and nobody knows how it ended: the hub stopped in the middle.
    InDoubt,
    /// The first request was answered, and the answer was too large to be kept, or cannot be read any more.
    NotKept,
    /// Too many wait for this answer, or are under way.
    Crowded,
    /// The first request was cut off before its answer began.
    Cut,
    /// The key could not be written down, and so the request was not sent.
    Failed,
}

/// What becomes of a request that carries a key.
pub enum Entry {
    /// It is the first: the pilot is to be driven on a task of its own, the answer is read here.
    First(Pilot, Seat),
    /// Another one is under way: its answer is read here.
    Joined(Seat),
}

impl Repeat {
    /// A caller's request to a route under a key. `parts` are what makes it this request and no other.
    #[must_use]
    pub fn new(caller: &Caller, route: &str, key: &str, parts: &[&[u8]]) -> Self {
        let id = hash(&[route.as_bytes(), key.as_bytes()]);
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        // With the key among them nobody can tell from the database what was asked by trying.
        let all: Vec<&[u8]> = std::iter::once(key.as_bytes()).chain(parts.iter().copied()).collect();
        Self { place: ClaimPlace { owner: Arc::clone(&caller.id), id: id.into() }, request: hash(&all) }
    }
}

/// Every part is preceded by its length, so that no two lists of parts run together.
fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Idempotency {
    /// On this store. `policy` is asked each time, so that a reload takes effect.
    #[must_use]
    pub fn new(store: Arc<dyn ClaimStore>, clock: Arc<dyn Clock>, policy: Policy) -> Self {
        let (flights, held) = (Mutex::default(), AtomicUsize::new(0));
        Self { inner: Arc::new(Inner { store, clock, policy, flights, held }) }
    }

    /// Whether keys are obeyed.
    #[must_use]
    pub fn is_on(&self) -> bool {
        (self.inner.policy)().enabled
    }

    /// Takes a request in.
    ///
    /// # Errors
    /// When it cannot have the answer of the one that is under way, or too many are.
    pub fn enter(&self, repeat: Repeat) -> Result<Entry, Denied> {
        let mut flights = self.inner.flights();
        if let Some(flown) = flights.get(&repeat.place) {
            if flown.request != repeat.request {
                return Err(Denied::Different);
            }
            return flown.flight.sit().map(Entry::Joined);
        }
        if flights.len() >= FLIGHTS {
            return Err(Denied::Crowded);
        }
        let flight = Arc::new(Flight::new());
        let seat = flight.sit()?;
        let flown = Flown { request: repeat.request, flight: Arc::clone(&flight) };
        flights.insert(repeat.place.clone(), flown);
        drop(flights);
        let (inner, policy) = (Arc::clone(&self.inner), (self.inner.policy)());
        Ok(Entry::First(Pilot { inner, repeat, flight, policy }, seat))
    }

    /// Deletes what has ended. For the app to call now and then; a failure was logged, and the next call tries again.
    pub async fn sweep(&self) {
        drop(self.inner.store.sweep(self.inner.clock.now()).await);
    }
}

impl Inner {
    fn flights(&self) -> MutexGuard<'_, HashMap<ClaimPlace, Flown>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes some of the memory for answers under way; says whether there was so much.
    fn take(&self, bytes: usize) -> bool {
        let more = |held: usize| held.checked_add(bytes).filter(|held| *held <= HELD);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
    }
}
