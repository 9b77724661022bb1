//! The planner: a pure function from what was asked and what is known to the ordered targets, with a reason
//! for each one left out, and the change of the strategies' memory that serving the plan would make.

mod directory;
mod exhaust;
mod memory;
mod near;
mod round_robin;

pub use directory::{Candidates, Directory, Unresolved, VIRTUAL_MODELS};
pub use memory::{Advance, Memory};

use std::sync::Arc;

use super::{
    health::{Standing, View},
    ports::Target,
    receipt::SkipRecord,
    settings::Strategy,
};

/// Where a request can go, in order, and why not elsewhere.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The targets in the order in which they are to be tried.
    pub targets: Vec<Target>,
    /// What was left out.
    pub skipped: Vec<Skip>,
    /// What ordered them.
    pub strategy: Strategy,
    /// The strategy's next place, to be kept when the plan is used.
    pub advance: Option<Advance>,
}

/// A target that was left out, with its standing.
#[derive(Debug, Clone)]
pub struct Skip {
    /// The target.
    pub target: Target,
    /// Why.
    pub cooldown: super::health::Cooldown,
}

impl Skip {
    /// The same for a receipt.
    #[must_use]
    pub fn record(&self) -> SkipRecord {
        SkipRecord {
            connection: Arc::clone(&self.target.connection.id),
            model: Arc::clone(&self.target.model),
            reason: format!("{}: {}", self.cooldown.kind, self.cooldown.message),
            until: Some(self.cooldown.until),
        }
    }
}

impl Plan {
    /// Every candidate in the configured order, whatever its state.
    #[must_use]
    pub fn of(candidates: Candidates) -> Self {
        Self {
            targets: candidates.targets,
            skipped: Vec::new(),
            strategy: candidates.strategy,
            advance: None,
        }
    }
}

/// Orders the candidates: those that are fit in the strategy's order, then those that failed a
/// moment ago, and none that is to be left alone.
#[must_use]
pub fn plan(candidates: &Candidates, health: &View<'_>, memory: &Memory) -> Plan {
    let standings: Vec<Standing> =
        candidates.targets.iter().map(|target| health.standing(&target.connection, &target.model)).collect();
    let eligible = |at: usize| !matches!(standings[at], Standing::Cooling(_));
    let (order, advance) = match candidates.strategy {
        Strategy::Exhaust => (exhaust::order(candidates.targets.len()), None),
        Strategy::RoundRobin => round_robin::order(candidates, memory, eligible),
    };
    let mut targets = Vec::with_capacity(order.len());
    let mut recovering = Vec::new();
    let mut skipped = Vec::new();
    for at in order {
        let target = candidates.targets[at].clone();
        match &standings[at] {
            Standing::Fit => targets.push(target),
            Standing::Recovering(_) => recovering.push(target),
            Standing::Cooling(cooldown) => skipped.push(Skip { target, cooldown: cooldown.clone() }),
        }
    }
    targets.append(&mut recovering);
    Plan { targets, skipped, strategy: candidates.strategy, advance }
}
