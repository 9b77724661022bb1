//! Asking the same target again before the next one: off unless it is configured, for providers that stumble and are
//! back within seconds. Only while the client has seen nothing, which is as long as an attempt is under way here.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Opened, Race};
use crate::engine::{
    fault::{Fault, FaultKind, Stage},
    health::{Standing, Trial},
    ports::Target,
    traffic::Hold,
};

impl Race {
    /// How often a target is asked again, and the pause before.
    fn repeats(&self) -> (u32, Duration) {
        let rules = self.settings.routing.resilience;
        let (retries, pause) =
            self.knobs.as_ref().map_or((None, None), |knobs| (knobs.retries, knobs.retry_pause));
        (retries.unwrap_or(rules.retries), pause.unwrap_or(rules.retry_pause))
    }

    /// Asks a target until it gives content, fails for good, or has been asked as often as is configured. Only the last
    /// failure is held against it; the receipt has them all. With the content comes when its attempt began.
    pub(super) async fn ask(
        &mut self,
        target: &Target,
        trial: &Trial,
        mut hold: Hold,
        deadline: Instant,
    ) -> Result<(Opened, u32, Hold), Fault> {
        let (retries, pause) = self.repeats();
        // What becomes of a probe decides for others, who wait for it.
        let mut left = if trial.is_single() { 0 } else { retries };
        loop {
            let started_ms = self.settlement.meter.elapsed_ms();
            let fault = match self.open(target, deadline).await {
                Ok(opened) => return Ok((opened, started_ms, hold)),
                Err(fault) => fault,
            };
            let in_time = Instant::now() + pause < deadline;
            if left == 0 || !in_time || !has_stumbled(&fault, pause) {
                self.note(target, trial, &fault, hold, started_ms);
                return Err(fault);
            }
            left -= 1;
            self.attempted(target, &fault, started_ms);
            sleep(pause).await;
            let standing = self.health.view().standing(&target.connection, &target.model);
            let may = hold.again(&fault, || self.traffic.share(target, &self.request));
            if matches!(standing, Standing::Cooling(_)) || !may {
                // Others found out, or used up what was left, meanwhile.
                return Err(fault);
            }
        }
    }
}

/// Whether a moment later may be better: the host could not be reached, or a gateway said that what is behind it did not
/// answer. A provider that says when to come back is believed.
fn has_stumbled(fault: &Fault, pause: Duration) -> bool {
    let passing = match fault.kind {
        FaultKind::Unreachable | FaultKind::ProxyFailed | FaultKind::TimedOut(Stage::Connect) => true,
        FaultKind::Unavailable => matches!(fault.status, Some(502..=504)),
        _ => false,
    };
    passing && fault.retry_after.is_none_or(|wait| wait <= pause)
}
