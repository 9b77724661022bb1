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

    /// Notes how the try of the first message went. `None` when this message is not on its way from here: it was sent by an
    /// earlier line of a webhook that was taken away and added again.
    pub(super) fn done(
        &mut self,
        message: &Arc<Message>,
        taken: bool,
        gives_up: bool,
        now: Instant,
    ) -> Option<Fate> {
        let first = self.waiting.front().filter(|first| Arc::ptr_eq(first, message));
        if !self.busy || first.is_none() {
            return None;
        }
        self.busy = false;
        if !taken {
            self.failures += 1;
            if self.failures < TRIES && !gives_up {
                self.due = now + (PAUSE * 2_u32.saturating_pow(self.failures - 1)).min(LONGEST);
                return Some(Fate::Again);
            }
        }
        self.waiting.pop_front();
        (self.failures, self.due) = (0, now);
        Some(if taken { Fate::Sent } else { Fate::Dead })
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_of_an_earlier_lines_try_takes_no_message_of_a_new_one() {
        let now = Instant::now();
        let [old, one, two] = ["old", "one", "two"].map(|name| Arc::new(Message::test(name, 0)));
        let mut line = Line::new(now);
        assert!(line.push(&old));
        let under_way = line.next(now).unwrap();
        // The webhook goes and comes back, and two more things happen.
        let mut line = Line::new(now);
        assert!(line.push(&one) && line.push(&two));
        assert_eq!(line.done(&under_way, true, false, now), None);
        assert_eq!(line.len(), 2, "both are still to be sent");
        let first = line.next(now).unwrap();
        assert!(Arc::ptr_eq(&first, &one));
        assert_eq!(line.done(&under_way, false, true, now), None);
        assert!(line.next(now).is_none(), "one at a time");
        assert_eq!(line.done(&first, true, false, now), Some(Fate::Sent));
        assert!(Arc::ptr_eq(&line.next(now).unwrap(), &two));
    }
}
