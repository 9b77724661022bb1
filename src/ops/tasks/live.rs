//! The events of tasks while somebody works on them or follows them: the last ones of each in memory, and how far each is
//! committed. Whoever was too slow for that reads from the store; nothing gathers for anybody.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use a2a::model::StreamEvent;
use tokio::sync::watch;

/// Events of one task that are held, and their bytes. With a thousand tasks that is 32 MB at the very most.
const HELD: usize = 32;
const HELD_BYTES: usize = 32 * 1024;

/// Tasks beside the living ones whose empty places may stand in the map.
const SPARE: usize = 256;

/// An event that is committed.
#[derive(Debug)]
pub(super) struct Committed {
    pub(super) seq: u64,
    pub(super) event: StreamEvent,
    pub(super) bytes: usize,
}

/// One task that somebody works on or follows.
pub(super) struct Live {
    ring: Mutex<Ring>,
    /// The number of the last event that came by since this was made; 0: none did.
    mark: watch::Sender<u64>,
}

#[derive(Default)]
struct Ring {
    events: VecDeque<Arc<Committed>>,
    bytes: usize,
}

impl Live {
    fn new() -> Self {
        Self { ring: Mutex::default(), mark: watch::Sender::new(0) }
    }

    /// Tells when something is committed.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.mark.subscribe()
    }

    /// The events behind a number; `None` when that is to be read from the store.
    pub(super) fn behind(&self, seq: u64) -> Option<Vec<Arc<Committed>>> {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        let first = ring.events.front()?.seq;
        (first <= seq + 1).then(|| ring.events.iter().filter(|event| event.seq > seq).cloned().collect())
    }

    fn push(&self, event: Arc<Committed>) {
        let seq = event.seq;
        {
            let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
            ring.bytes += event.bytes;
            ring.events.push_back(event);
            while ring.events.len() > HELD || ring.bytes > HELD_BYTES {
                let Some(oldest) = ring.events.pop_front() else { break };
                ring.bytes -= oldest.bytes;
            }
        }
        self.mark.send_replace(seq);
    }
}

/// All of them.
#[derive(Default)]
pub(super) struct Lives(Mutex<Map>);

#[derive(Default)]
struct Map {
    known: HashMap<Arc<str>, Weak<Live>>,
    /// How many may stand there before the empty places are looked for.
    look_at: usize,
}

impl Lives {
    /// The place of a task, for as long as somebody holds it.
    pub(super) fn of(&self, task: &str) -> Arc<Live> {
        let mut map = self.lock();
        if let Some(live) = map.known.get(task).and_then(Weak::upgrade) {
            return live;
        }
        if map.known.len() >= map.look_at {
            map.known.retain(|_, live| live.strong_count() > 0);
            map.look_at = map.known.len() * 2 + SPARE;
        }
        let live = Arc::new(Live::new());
        map.known.insert(task.into(), Arc::downgrade(&live));
        live
    }

    /// Tells whoever follows a task of an event that is committed. Must be called in the order of the numbers.
    pub(super) fn publish(&self, task: &str, event: Arc<Committed>) {
        let live = self.lock().known.get(task).and_then(Weak::upgrade);
        if let Some(live) = live {
            live.push(event);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Map> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use a2a::model::{Message, Role};

    use super::*;

    fn event(seq: u64, bytes: usize) -> Arc<Committed> {
        let message = Message::new(seq.to_string(), Role::Agent, Vec::new());
        Arc::new(Committed { seq, event: StreamEvent::Message(message), bytes })
    }

    fn numbers(live: &Live, behind: u64) -> Option<Vec<u64>> {
        live.behind(behind).map(|events| events.iter().map(|event| event.seq).collect())
    }

    #[test]
    fn the_last_events_are_held_and_what_is_older_is_in_the_store() {
        let lives = Lives::default();
        let live = lives.of("t");
        assert_eq!(numbers(&live, 0), None);
        for seq in 5..=7 {
            lives.publish("t", event(seq, 10));
        }
        assert_eq!(numbers(&live, 3), None);
        assert_eq!(numbers(&live, 4).unwrap(), [5, 6, 7]);
        assert_eq!(numbers(&live, 7).unwrap(), [0; 0]);
        assert_eq!(*live.watch().borrow(), 7);
        lives.publish("t", event(8, HELD_BYTES - 15));
        assert_eq!((numbers(&live, 6), numbers(&live, 5)), (Some(vec![7, 8]), None));
        for seq in 9..200 {
            lives.publish("t", event(seq, 1));
        }
        assert_eq!(numbers(&live, 199 - HELD as u64).unwrap().len(), HELD);
        lives.publish("t", event(200, HELD_BYTES + 1));
        assert_eq!(numbers(&live, 199), None, "one that is too large for all is held by nobody");
    }

    #[test]
    fn places_of_tasks_that_nobody_holds_are_given_back() {
        let lives = Lives::default();
        let held = lives.of("held");
        for nth in 0..10_000 {
            drop(lives.of(&format!("t{nth}")));
        }
        assert!(lives.lock().known.len() <= 2 * SPARE + 2, "{}", lives.lock().known.len());
        assert!(Arc::ptr_eq(&held, &lives.of("held")));
    }
}
