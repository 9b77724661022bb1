//! The counters themselves. Adding is one atomic each; reading sees them at slightly different moments.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::BOUNDS_MS;
use crate::{
    engine::{
        fault::FaultKind,
        receipt::{Outcome, Receipt},
        settings::Usd,
    },
    observe::exposition::{Exposition, Label},
};

/// One number.
pub(crate) type Cell = AtomicU64;

/// Pieces of a histogram but the last.
pub(super) const PIECES: usize = 15;

/// How requests end, by their number.
pub(super) const OUTCOMES: [Outcome; 4] =
    [Outcome::Completed, Outcome::Failed, Outcome::Interrupted, Outcome::ClientLeft];

/// Classes of statuses.
pub(super) const STATUSES: [&str; 3] = ["2xx", "4xx", "5xx"];

/// The place of a status in [`STATUSES`].
pub(super) const fn class(status: u16) -> usize {
    match status {
        ..400 => 0,
        400..500 => 1,
        500.. => 2,
    }
}

/// Durations by size.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    pieces: [Cell; PIECES],
    larger: Cell,
    sum_ms: Cell,
}

impl Histogram {
    pub(super) fn add(&self, ms: u32) {
        let at = BOUNDS_MS.partition_point(|bound| *bound < ms);
        self.pieces.get(at).unwrap_or(&self.larger).fetch_add(1, Relaxed);
        self.sum_ms.fetch_add(ms.into(), Relaxed);
    }

    pub(super) fn write(&self, text: &mut Exposition, labels: &[Label<'_>]) {
        let pieces: Vec<(f64, u64)> = BOUNDS_MS
            .iter()
            .zip(&self.pieces)
            .map(|(bound, count)| (f64::from(*bound) / 1000.0, count.load(Relaxed)))
            .collect();
        text.histogram(labels, &pieces, self.larger.load(Relaxed), self.sum_ms.load(Relaxed) as f64 / 1000.0);
    }
}

/// The counters of one connection.
pub(super) struct Account {
    pub(super) provider: Arc<str>,
    good: Cell,
    faults: [Cell; FaultKind::ALL.len()],
    pub(super) first_content: Histogram,
    models: RwLock<HashMap<Arc<str>, Arc<Model>>>,
}

impl Account {
    pub(super) fn new(provider: Arc<str>) -> Self {
        Self {
            provider,
            good: Cell::default(),
            faults: Default::default(),
            first_content: Histogram::default(),
            models: RwLock::default(),
        }
    }

    /// Counts a try.
    pub(super) fn attempt(&self, fault: Option<FaultKind>) {
        let place = fault.and_then(|fault| FaultKind::ALL.iter().position(|kind| *kind == fault));
        place.and_then(|at| self.faults.get(at)).unwrap_or(&self.good).fetch_add(1, Relaxed);
    }

    pub(super) fn models(&self) -> RwLockReadGuard<'_, HashMap<Arc<str>, Arc<Model>>> {
        self.models.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn models_mut(&self) -> RwLockWriteGuard<'_, HashMap<Arc<str>, Arc<Model>>> {
        self.models.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write_attempts(&self, text: &mut Exposition, id: &str) {
        let results = FaultKind::ALL.iter().map(|kind| kind.as_str()).zip(&self.faults);
        for (result, count) in std::iter::once(("ok", &self.good)).chain(results) {
            let count = count.load(Relaxed);
            if count > 0 {
                let labels = [("connection", id), ("provider", &*self.provider), ("result", result)];
                text.sample(&labels, count);
            }
        }
    }

    pub(super) fn write_models(&self, text: &mut Exposition, id: &str, family: &ModelFamily) {
        let models = self.models();
        let mut models: Vec<_> = models.iter().collect();
        models.sort_by_key(|(name, _)| Arc::clone(name));
        for (name, model) in models {
            let labels = [("connection", id), ("provider", &*self.provider), ("model", &**name)];
            (family.write)(model, text, &labels);
        }
    }
}

/// The counters of one model on one connection.
#[derive(Debug, Default)]
pub(super) struct Model {
    input: Cell,
    output: Cell,
    cached: Cell,
    reasoning: Cell,
    cost_pico: Cell,
    cost_unknown: Cell,
}

/// A metric that is kept for models.
pub(super) struct ModelFamily {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    write: fn(&Model, &mut Exposition, &[Label<'_>; 3]),
}

/// Every such metric.
pub(super) const MODEL_FAMILIES: &[ModelFamily] = &[
    ModelFamily {
        name: "trivium_tokens_total",
        help: "Tokens of answered requests. Cached input is a part of input, reasoning of output.",
        write: |model, text, [connection, provider, name]| {
            let kinds = [
                ("input", &model.input),
                ("output", &model.output),
                ("cached_input", &model.cached),
                ("reasoning", &model.reasoning),
            ];
            for (kind, count) in kinds {
                text.sample(&[*connection, *provider, *name, ("type", kind)], count.load(Relaxed));
            }
        },
    },
    ModelFamily {
        name: "trivium_cost_usd_total",
        help: "What answers cost whose cost is known, in US dollars.",
        write: |model, text, labels| {
            text.sample(labels, Usd::from_pico(model.cost_pico.load(Relaxed)).dollars());
        },
    },
    ModelFamily {
        name: "trivium_cost_unknown_total",
        help: "Answers whose cost is not known.",
        write: |model, text, labels| text.sample(labels, model.cost_unknown.load(Relaxed)),
    },
];

impl Model {
    /// Counts an answer.
    pub(super) fn answered(&self, receipt: &Receipt) {
        if let Some(usage) = receipt.usage {
            self.input.fetch_add(usage.input, Relaxed);
            self.output.fetch_add(usage.output, Relaxed);
            self.cached.fetch_add(usage.cached_input, Relaxed);
            self.reasoning.fetch_add(usage.reasoning, Relaxed);
        }
        match receipt.cost {
            Some(cost) => self.cost_pico.fetch_add(cost.pico(), Relaxed),
            None => self.cost_unknown.fetch_add(u64::from(receipt.billed), Relaxed),
        };
    }
}
