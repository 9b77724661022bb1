//! What one request teaches those that follow: how its targets did, who gave the last good answer, and to whom its session
//! belongs from now on.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    affinity::Affinity,
    fault::{Fault, Scope},
    plan::{Lesson, Memory},
    ports::{Clock, Target},
    telemetry::{Telemetry, Watch},
};

/// Where the lessons go; shared by all requests.
pub(super) struct Knowledge {
    pub(super) telemetry: Telemetry,
    pub(super) memory: Mutex<Memory>,
    pub(super) affinity: Affinity,
}

/// One request's lessons.
pub(super) struct Learning {
    pub(super) knowledge: Arc<Knowledge>,
    pub(super) clock: Arc<dyn Clock>,
    /// The caller's session, and the caller's id.
    pub(super) session: Option<(u64, Arc<str>)>,
    /// The strategies that learn from good answers.
    pub(super) lessons: Vec<Lesson>,
    /// Whether what is asked for says something about other requests: counts of tokens are no answers.
    pub(super) counts: bool,
}

impl Knowledge {
    pub(super) fn new() -> Self {
        Self { telemetry: Telemetry::default(), memory: Mutex::default(), affinity: Affinity::default() }
    }
}

impl Learning {
    /// An attempt begins.
    pub(super) fn begin(&self, target: &Target) -> Watch {
        if self.counts { self.knowledge.telemetry.begin(target, self.clock.now()) } else { Watch::idle() }
    }

    /// The target gave content after so many milliseconds.
    pub(super) fn served(&self, target: &Target, watch: &Watch, took_ms: u32) {
        if !self.counts {
            return;
        }
        let now = self.clock.now();
        watch.answered(took_ms, now);
        if let Some((session, caller)) = &self.session {
            self.knowledge.affinity.remember(*session, caller, target, now);
        }
        if !self.lessons.is_empty() {
            let mut memory = self.knowledge.memory.lock().unwrap_or_else(PoisonError::into_inner);
            for advance in self.lessons.iter().filter_map(|lesson| lesson.learned(target, now)) {
                memory.commit(advance);
            }
        }
    }

    /// The target failed.
    pub(super) fn failed(&self, watch: &Watch, fault: &Fault) {
        if self.counts && fault.kind.scope() != Scope::Request {
            watch.failed(self.clock.now());
        }
    }
}
