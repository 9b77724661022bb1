//! How the hub answers as an agent of A2A, and what it keeps of tasks.

use std::time::Duration;

/// The operator's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct A2a {
    /// Whether it answers at all.
    pub enabled: bool,
    /// How long after its last status a task is kept.
    pub retention: Duration,
    /// Tasks that are kept. Beyond that the oldest ones make room on which nobody works.
    pub tasks: u64,
    /// Tasks that are worked on at a time; half of them at most of one caller.
    pub running: usize,
    /// Whether clients may have webhooks told about their tasks.
    pub push: bool,
    /// Whether those may be at addresses of this machine and its networks.
    pub push_allow_private: bool,
}

impl Default for A2a {
    fn default() -> Self {
        Self {
            enabled: true,
            retention: Duration::from_secs(30 * 86_400),
            tasks: 10_000,
            running: 2_000,
            push: true,
            push_allow_private: false,
        }
    }
}
