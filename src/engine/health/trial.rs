//! The leave to ask a target once. Most cost nothing; one that probes a half-open breaker or tests an account that was
//! taken for dead holds that place until it is dropped.

use std::sync::Arc;

use super::Health;

/// One attempt at a target, as health sees it. What came of it is said to [`Health::succeeded`] or [`Health::failed`];
/// dropped without that, it was no attempt: its client left.
#[must_use = "dropping it gives the place to the next request"]
pub struct Trial {
    ticket: Option<Ticket>,
}

/// The only one of its kind at one place.
struct Ticket {
    health: Arc<Health>,
    serial: u64,
    connection: Arc<str>,
    host: Box<str>,
}

impl Trial {
    /// One beside any number of others.
    pub(in crate::engine) const fn free() -> Self {
        Self { ticket: None }
    }

    pub(super) const fn single(
        health: Arc<Health>,
        serial: u64,
        connection: Arc<str>,
        host: Box<str>,
    ) -> Self {
        Self { ticket: Some(Ticket { health, serial, connection, host }) }
    }

    pub(super) fn serial(&self) -> Option<u64> {
        self.ticket.as_ref().map(|ticket| ticket.serial)
    }

    /// Whether this is a probe or a test, so that what becomes of it decides for others.
    #[must_use]
    pub const fn is_single(&self) -> bool {
        self.ticket.is_some()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            ticket.health.release(ticket.serial, &ticket.connection, &ticket.host);
        }
    }
}
