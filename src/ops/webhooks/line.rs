//! The messages that wait for one webhook: in their order, one at a time, tried again after ever longer pauses.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::message::Message;

/// Messages that can wait for one webhook; what comes when it is full is dropped and counted.
const WAITING: usize = 256;

/// Tries for one message: within a quarter of an hour.
const TRIES: u32 = 10;

/// The pause after the first failure; it doubles with each further one, up to the longest.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_secs(300);

/// What waits for one webhook.
pub(super) struct Line {
    waiting: VecDeque<Arc<Message>>,
    /// Tries of the first one that failed.
    failures: u32,
    due: Instant,
    /// Whether the first one is on its way.
    busy: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was taken.
    Sent,
    /// It is tried again.
    Again,
    /// It was given up.
    Dead,
}

impl Line {
    pub(super) fn new(now: Instant) -> Self {
        Self { waiting: VecDeque::new(), failures: 0, due: now, busy: false }
    }

    /// Takes a message; says whether there was room.
    pub(super) fn push(&mut self, message: &Arc<Message>) -> bool {
        let room = self.waiting.len() < WAITING;
        if room {
            self.waiting.push_back(Arc::clone(message));
        }
        room
    }

    /// The message that is to be sent now, if one is. It is on its way until [`Self::done`].
    pub(super) fn next(&mut self, now: Instant) -> Option<Arc<Message>> {
        if self.busy || self.due > now {
            return None;
        }
        let message = Arc::clone(self.waiting.front()?);
        self.busy = true;
        Some(message)
    }

    /// Notes how the try of the first message went.
    pub(super) fn done(&mut self, taken: bool, gives_up: bool, now: Instant) -> Fate {
        self.busy = false;
        if !taken {
            self.failures += 1;
            if self.failures < TRIES && !gives_up {
                self.due = now + (PAUSE * 2_u32.saturating_pow(self.failures - 1)).min(LONGEST);
                return Fate::Again;
            }
        }
        self.waiting.pop_front();
        (self.failures, self.due) = (0, now);
        if taken { Fate::Sent } else { Fate::Dead }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Lets what waits go now, for the last time.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.due = now;
    }
}
