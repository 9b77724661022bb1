//! Waiting for accounts that are all left alone: off unless it is configured. Signs of life flow meanwhile as they do
//! while a provider thinks, and a client that leaves ends the wait. The request keeps its place among those that run.

use std::{collections::VecDeque, time::Duration};

use tokio::time::{Instant, sleep};

use super::Race;
use crate::engine::{
    fault::{Fault, FaultKind},
    health::Standing,
    plan::{Bar, Draw, Plan, Skip},
    ports::Target,
    settings::Waiting,
};

/// Those who wait for one account come back spread over this time, in milliseconds.
const SPREAD: u64 = 250;

/// Whether a plan without targets is worth waiting for.
pub(in crate::engine) fn is_worth(plan: &Plan, rules: &Waiting, now: i64) -> bool {
    rules.retries > 0 && first_back(&plan.skipped, now).is_some_and(|wait| wait <= rules.longest)
}

/// How long until the first is back. A model that a provider does not know is not waited for.
fn first_back(skipped: &[Skip], now: i64) -> Option<Duration> {
    let cooling = skipped.iter().filter_map(Skip::cooldown);
    let known = cooling.filter(|cooldown| cooldown.kind != FaultKind::ModelNotFound);
    let until = known.map(|cooldown| cooldown.until).min()?;
    Some(Duration::from_millis((until - now).max(0).unsigned_abs()))
}

impl Race {
    /// Waits until the first target is back, if every one is left alone and that is soon. Gives those that can be used
    /// then; none if there is nothing to wait for, and what `faults` held is as it was.
    pub(super) async fn wait(
        &mut self,
        left: &mut u32,
        faults: &mut Vec<(Target, Fault)>,
        deadline: Instant,
    ) -> VecDeque<Target> {
        if *left == 0 || faults.iter().any(|(_, fault)| !fault.kind.fails_over()) {
            return VecDeque::new();
        }
        let Some(wait) = self.pause(faults) else { return VecDeque::new() };
        let wait = wait + Duration::from_millis(Draw::new(0).about(&self.id).below(SPREAD));
        if Instant::now() + wait >= deadline {
            return VecDeque::new();
        }
        *left -= 1;
        sleep(wait).await;
        let cooling = self.plan.skipped.extract_if(.., |skip| skip.cooldown().is_some());
        let again: Vec<Target> = cooling.map(|skip| skip.target).collect();
        let again = again.into_iter().chain(faults.drain(..).map(|(target, _)| target));
        let view = self.health.view();
        let mut targets = VecDeque::new();
        for target in again {
            match self.traffic.standing(&view, &target) {
                Standing::Cooling(cooldown) => {
                    self.plan.skipped.push(Skip { target, bar: Bar::Cooling(cooldown) });
                }
                Standing::Fit | Standing::Recovering(_) => targets.push_back(target),
            }
        }
        targets
    }

    /// How long to wait; `None` if some target failed and is not left alone, or the first one is back too late.
    fn pause(&self, faults: &[(Target, Fault)]) -> Option<Duration> {
        let view = self.health.view();
        let mut skipped = Vec::with_capacity(self.plan.skipped.len() + faults.len());
        for (target, _) in faults {
            match self.traffic.standing(&view, target) {
                Standing::Cooling(cooldown) => {
                    skipped.push(Skip { target: target.clone(), bar: Bar::Cooling(cooldown) });
                }
                Standing::Fit | Standing::Recovering(_) => return None,
            }
        }
        skipped.extend(self.plan.skipped.iter().cloned());
        first_back(&skipped, view.now()).filter(|wait| *wait <= self.settings.routing.wait.longest)
    }
}
