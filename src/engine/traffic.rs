//! What an attempt passes before it is sent, beside health: its turn in the account's pace, and its share of the account's
//! quotas. And what it hands back: the place, the settled share, and what the provider told of its windows.

use std::{sync::Arc, time::Duration};

use canon::Usage;
use tokio::time::Instant;

use super::{
    code::Code,
    fault::{Fault, FaultKind},
    health::{self, Cooldown, Standing},
    pace::{Crowded, Pacer, Slot},
    ports::{Clock, Reading, Request, Target, Task},
    quota::{Blocked, Ledger, QuotaView, Reservation},
    settings::Connection,
};
use crate::observe::events;

/// When to ask an account again whose queue is full, in milliseconds: nobody knows how long those take that are in it.
const SOON: i64 = 1000;

/// The accounts' quotas and paces.
pub(super) struct Traffic {
    ledger: Arc<Ledger>,
    pacer: Pacer,
    clock: Arc<dyn Clock>,
}

/// What an attempt holds while it is under way.
pub(super) struct Hold {
    reservation: Option<Reservation>,
    _slot: Slot,
}

/// Why an attempt was not made.
pub(super) struct Turned {
    /// For the record.
    pub(super) cooldown: Cooldown,
    /// Whether it was for want of a turn, in a code for the client.
    pub(super) crowded: Option<Code>,
}

impl Traffic {
    pub(super) fn new(clock: Arc<dyn Clock>, ledger: Arc<Ledger>, connections: &[Arc<Connection>]) -> Self {
        let traffic = Self { ledger, pacer: Pacer::default(), clock };
        traffic.pacer.retain(connections);
        traffic
    }

    pub(super) fn retain(&self, connections: &[Arc<Connection>]) {
        self.ledger.retain(connections);
        self.pacer.retain(connections);
    }

    pub(super) const fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }

    pub(super) const fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// How a target stands now, by its health and by its windows.
    pub(super) fn standing(&self, health: &health::View<'_>, target: &Target) -> Standing {
        standing(health, &self.ledger.view(), target)
    }

    /// Waits for an attempt's turn at the account.
    ///
    /// # Errors
    /// When there is no turn to be had.
    pub(super) async fn turn(&self, target: &Target, task: &Task, deadline: Instant) -> Result<Slot, Turned> {
        if !uses_quota(task) {
            return Ok(self.pacer.count(&target.connection));
        }
        let turn = self.pacer.enter(&target.connection, deadline).await;
        turn.map_err(|crowded| crowded_out(crowded, self.clock.now()))
    }

    /// Takes an attempt's share of the quotas. Last, so that nobody holds one while it waits.
    ///
    /// # Errors
    /// When there is no share to be had.
    pub(super) fn share(&self, target: &Target, request: &Request) -> Result<Option<Reservation>, Turned> {
        if !uses_quota(&request.task) {
            return Ok(None);
        }
        let share = self.ledger.reserve(target, request);
        share.map_err(|blocked| Turned { cooldown: used_up(&blocked), crowded: None })
    }

    /// Takes note of what an answer told of the windows.
    pub(super) fn answered(&self, target: &Target, task: &Task, readings: Option<&[Reading]>) {
        if let Some(readings) = readings.filter(|_| uses_quota(task)) {
            self.ledger.learn(target, readings);
        }
    }

    /// Takes note of what a failure told of the windows. True: a window of this model alone is what was used up, and the
    /// account is good for others.
    pub(super) fn failed(&self, target: &Target, task: &Task, fault: &Fault) -> bool {
        self.answered(target, task, fault.readings.as_deref());
        if fault.kind != FaultKind::RateLimited || !uses_quota(task) {
            return false;
        }
        let readings = fault.readings.as_deref().unwrap_or_default();
        let ends =
            readings.iter().filter(|one| one.exhausted && one.of_model).filter_map(|one| one.resets_at);
        let wait = ends.max().unwrap_or_default().saturating_sub(self.clock.now());
        if wait <= 0 {
            return false;
        }
        let wait = Duration::from_millis(wait.unsigned_abs());
        let (id, kind) = (&target.connection.id, fault.kind.as_str());
        events::cooling(id, Some(&target.model), kind, wait, &fault.message);
        true
    }
}

impl Hold {
    /// A turn, and a share of the quotas.
    pub(super) const fn new(turn: Slot, share: Option<Reservation>) -> Self {
        Self { reservation: share, _slot: turn }
    }

    /// The attempt failed and another is to be made in the same turn, with this share.
    pub(super) fn again(
        &mut self,
        fault: &Fault,
        share: impl FnOnce() -> Result<Option<Reservation>, Turned>,
    ) -> bool {
        if let Some(reservation) = self.reservation.take() {
            reservation.failed(fault, None);
        }
        share().is_ok_and(|share| {
            self.reservation = share;
            true
        })
    }

    /// The request is over.
    pub(super) fn settle(self, usage: Option<Usage>) {
        if let Some(reservation) = self.reservation {
            reservation.settle(usage);
        }
    }

    /// The attempt failed.
    pub(super) fn failed(self, fault: &Fault, usage: Option<Usage>) {
        if let Some(reservation) = self.reservation {
            reservation.failed(fault, usage);
        }
    }
}

/// How a target stands, by its health and by its windows.
pub(super) fn standing(health: &health::View<'_>, quota: &QuotaView, target: &Target) -> Standing {
    match health.standing(&target.connection, &target.model) {
        Standing::Cooling(cooldown) => Standing::Cooling(cooldown),
        other => match quota.blocked(&target.connection, &target.model) {
            Some(blocked) => Standing::Cooling(used_up(&blocked)),
            None => other,
        },
    }
}

/// Counting tokens and asking for what is kept have limits of their own, of which nothing is known.
const fn uses_quota(task: &Task) -> bool {
    !matches!(task, Task::CountTokens | Task::Kept { .. })
}

fn used_up(blocked: &Blocked) -> Cooldown {
    let message = format!("the window `{}` is used up", blocked.window);
    Cooldown { until: blocked.until, kind: FaultKind::RateLimited, message: message.into() }
}

fn crowded_out(crowded: Crowded, now: i64) -> Turned {
    let (code, message) = match crowded {
        Crowded::Full => (Code::QueueFull, "its queue is full"),
        Crowded::TimedOut => (Code::QueueTimeout, "its turn did not come in time"),
    };
    let cooldown = Cooldown { until: now + SOON, kind: FaultKind::RateLimited, message: message.into() };
    Turned { cooldown, crowded: Some(code) }
}
