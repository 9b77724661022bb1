//! Whether metrics are shown, and to whom.

/// The operator's choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricsSettings {
    /// Whether `/metrics` is there.
    pub enabled: bool,
    /// Whether it needs no key from the same machine. A proxy on that machine makes everybody come from there.
    pub open_on_loopback: bool,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { enabled: true, open_on_loopback: false }
    }
}
