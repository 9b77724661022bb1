//! The hold that one request has on the log: whoever drops it unfinished is a client that hung up.

use std::sync::Arc;

use super::World;
use super::log::{Entry, Outcome};

/// Belongs to the one who answers, first the handler and then the body of its answer.
pub(super) struct Ticket {
    world: Arc<World>,
    /// Boxed, because tickets move from hand to hand.
    entry: Box<Entry>,
    finished: bool,
}

impl Ticket {
    /// Enters the request into the log.
    pub(super) fn open(world: Arc<World>, mut entry: Entry) -> Self {
        world.journal().open(&mut entry);
        Self { world, entry: Box::new(entry), finished: false }
    }

    /// The number of the request.
    pub(super) fn seq(&self) -> u64 {
        self.entry.seq
    }

    /// Notes the status that is answered.
    pub(super) fn status(&mut self, status: u16) {
        self.entry.status = Some(status);
    }

    /// Notes what is played.
    pub(super) fn faults(&mut self, faults: Vec<&'static str>) {
        self.entry.faults = faults;
    }

    /// Notes that a content chunk goes out.
    pub(super) fn chunk(&mut self) {
        self.entry.chunks += 1;
    }

    /// Notes the end; what comes later changes nothing.
    pub(super) fn finish(&mut self, outcome: Outcome) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.entry.outcome = outcome;
        self.entry.done_ms = Some(self.world.clock.millis());
        self.world.journal().close(&self.entry);
        if let Some(hook) = &self.world.on_request {
            hook(&self.entry);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.finish(Outcome::ClientLeft);
    }
}
