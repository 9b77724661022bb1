//! Whether the client is still there: it is asked at intervals, and must be heard of in time.

use std::time::Duration;

use tokio::time::Instant;

/// How often a client is asked for a sign of life.
pub(super) const PING: Duration = Duration::from_secs(20);

/// How long a client may be silent. Whatever it sends is a sign of life, not only the answer to a ping.
pub(super) const SILENCE: Duration = Duration::from_secs(40);

/// When a client was heard of, and when it is asked next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pulse {
    heard: Instant,
    asks: Instant,
}

/// What is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing yet.
    Wait,
    /// A ping.
    Ask,
    /// The client is gone.
    Gone,
}

impl Pulse {
    pub(super) fn new(now: Instant) -> Self {
        Self { heard: now, asks: now + PING }
    }

    /// The client has sent something.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    /// When to look again.
    pub(super) fn next(&self) -> Instant {
        self.asks.min(self.heard + SILENCE)
    }

    /// What is due now.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if now >= self.heard + SILENCE {
            return Beat::Gone;
        }
        if now < self.asks {
            return Beat::Wait;
        }
        self.asks = now + PING;
        Beat::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_asked_every_twenty_seconds_and_given_up_after_forty() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::new(start);
        assert_eq!((pulse.next(), pulse.beat(at(19))), (at(20), Beat::Wait));
        assert_eq!(pulse.beat(at(20)), Beat::Ask);
        pulse.heard(at(21));
        assert_eq!((pulse.next(), pulse.beat(at(40))), (at(40), Beat::Ask));
        assert_eq!((pulse.next(), pulse.beat(at(60))), (at(60), Beat::Ask));
        assert_eq!((pulse.next(), pulse.beat(at(61))), (at(61), Beat::Gone));
    }
}
