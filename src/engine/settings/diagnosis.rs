//! Whether the hub looks by itself whether connections are as they are configured.

use std::time::Duration;

/// The operator's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiagnosisSettings {
    /// Whether it does.
    pub enabled: bool,
    /// From one diagnosis to the next.
    pub interval: Duration,
    /// From the hub's start to the first.
    pub start_delay: Duration,
    /// Whether it hides models that are gone for certain.
    pub safe_maintenance: bool,
}

impl Default for DiagnosisSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: Duration::from_secs(6 * 60 * 60),
            start_delay: Duration::from_secs(10),
            safe_maintenance: true,
        }
    }
}
