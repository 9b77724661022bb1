//! An answer under way that several may read: each reads it from its beginning, at its own pace, while it is made. What
//! is read stays for those who come later, up to a bound; beyond it nobody can join any more, and the answer goes on at
//! the pace of its slowest reader. What is done with the whole is decided in `pilot`.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::{Notify, watch};

use super::{Denied, Head};

/// Readers of one answer.
const SEATS: usize = 64;

/// What may wait for the slowest reader once the answer is too large to be remembered, in bytes.
const WINDOW: usize = 1024 * 1024;

/// An answer under way.
pub(super) struct Flight {
    state: Mutex<State>,
    /// Tells the readers that there is more. Each reader holds a receiver, so that it is known when none is left.
    more: watch::Sender<()>,
    /// Tells the maker that a reader has read or left.
    room: Notify,
}

#[derive(Default)]
struct State {
    head: Option<Result<Head, Denied>>,
    chunks: VecDeque<Bytes>,
    /// Chunks that went before those that are there.
    gone: usize,
    /// Bytes of the chunks that are there.
    bytes: usize,
    /// Whether what all have read is dropped.
    trims: bool,
    ended: bool,
    /// How far each reader is, in chunks.
    readers: HashMap<u64, usize>,
    last: u64,
}

/// A reader's place at an answer. Dropping it gives it up.
pub struct Seat {
    flight: Arc<Flight>,
    more: watch::Receiver<()>,
    id: u64,
}

enum Step {
    Chunk(Bytes),
    Wait,
    End,
}

impl Flight {
    pub(super) fn new() -> Self {
        Self { state: Mutex::default(), more: watch::Sender::new(()), room: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A seat from which the answer can be read from its beginning.
    pub(super) fn sit(self: &Arc<Self>) -> Result<Seat, Denied> {
        let mut state = self.lock();
        if state.trims {
            return Err(Denied::NotKept);
        }
        if state.readers.len() >= SEATS {
            return Err(Denied::Crowded);
        }
        state.last += 1;
        let id = state.last;
        state.readers.insert(id, 0);
        Ok(Seat { flight: Arc::clone(self), more: self.more.subscribe(), id })
    }

    /// Tells how the answer begins, or that there is none.
    pub(super) fn begin(&self, head: Result<Head, Denied>) {
        self.lock().head.get_or_insert(head);
        self.more.send_replace(());
    }

    /// Adds to the answer, once there is room for it.
    pub(super) async fn push(&self, chunk: Bytes) {
        loop {
            let room = self.room.notified();
            if self.lock().has_room() {
                break;
            }
            room.await;
        }
        let mut state = self.lock();
        state.bytes += chunk.len();
        state.chunks.push_back(chunk);
        state.trim();
        drop(state);
        self.more.send_replace(());
    }

    /// The answer is over. It can still be read.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.head.get_or_insert(Err(Denied::Cut));
        drop(state);
        self.more.send_replace(());
    }

    /// Stops keeping what all have read.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        state.trims = true;
        state.trim();
    }

    /// How the answer began and all of it, if all of it is there.
    pub(super) fn whole(&self) -> Option<(Head, Vec<Bytes>)> {
        let state = self.lock();
        let head = state.head.as_ref()?.as_ref().ok().filter(|_| !state.trims)?;
        Some((head.clone(), state.chunks.iter().cloned().collect()))
    }

    /// Waits until nobody reads, now.
    pub(super) async fn left(&self) {
        self.more.closed().await;
    }

    /// Whether anybody reads.
    pub(super) fn is_read(&self) -> bool {
        self.more.receiver_count() > 0
    }
}

impl State {
    fn has_room(&self) -> bool {
        !self.trims || self.bytes < WINDOW || self.readers.is_empty()
    }

    fn trim(&mut self) {
        if !self.trims {
            return;
        }
        let all_read = self.readers.values().copied().min().unwrap_or(usize::MAX);
        while self.gone < all_read
            && let Some(chunk) = self.chunks.pop_front()
        {
            self.gone += 1;
            self.bytes -= chunk.len();
        }
    }

    fn step(&mut self, id: u64) -> Step {
        let Some(at) = self.readers.get_mut(&id) else { return Step::End };
        let chunk = at.checked_sub(self.gone).and_then(|at| self.chunks.get(at)).cloned();
        match chunk {
            Some(chunk) => {
                *at += 1;
                self.trim();
                Step::Chunk(chunk)
            }
            None if self.ended => Step::End,
            None => Step::Wait,
        }
    }
}

impl Seat {
    /// How the answer begins, once that is known.
    ///
    /// # Errors
    /// When there is none.
    pub async fn head(&mut self) -> Result<Head, Denied> {
        loop {
            self.more.mark_unchanged();
            if let Some(head) = &self.flight.lock().head {
                return head.clone();
            }
            if self.more.changed().await.is_err() {
                return Err(Denied::Cut);
            }
        }
    }

    /// The next bytes of the answer; `None` at its end.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.more.mark_unchanged();
            let step = self.flight.lock().step(self.id);
            match step {
                Step::Chunk(chunk) => {
                    self.flight.room.notify_one();
                    return Some(chunk);
                }
                Step::End => return None,
                Step::Wait => self.more.changed().await.ok()?,
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.flight.lock();
        state.readers.remove(&self.id);
        state.trim();
        drop(state);
        self.flight.room.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn chunk(bytes: usize) -> Bytes {
        Bytes::from(vec![b'x'; bytes])
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_reads_from_the_beginning_and_to_the_end() {
        let flight = Arc::new(Flight::new());
        let mut early = flight.sit().unwrap();
        flight.push(chunk(1)).await;
        let mut late = flight.sit().unwrap();
        flight.push(chunk(2)).await;
        flight.end();
        for seat in [&mut early, &mut late] {
            assert_eq!(seat.next().await.unwrap().len(), 1);
            assert_eq!(seat.next().await.unwrap().len(), 2);
            assert!(seat.next().await.is_none());
            assert!(seat.head().await.is_err());
        }
        drop((early, late));
        assert!(!flight.is_read());
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_the_bound_it_goes_at_the_pace_of_the_slowest_and_nobody_joins() {
        let flight = Arc::new(Flight::new());
        let (mut quick, slow) = (flight.sit().unwrap(), flight.sit().unwrap());
        flight.push(chunk(WINDOW)).await;
        assert!(quick.next().await.is_some());
        flight.forget();
        assert_eq!(flight.sit().err(), Some(Denied::NotKept));
        let blocked = timeout(Duration::from_secs(1), flight.push(chunk(1))).await;
        assert!(blocked.is_err());
        drop(slow);
        flight.push(chunk(2)).await;
        assert_eq!(quick.next().await.unwrap().len(), 2);
        assert_eq!(flight.lock().bytes, 0);
        assert!(flight.whole().is_none());
    }
}
