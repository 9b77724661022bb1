//! Where spans of requests go.

use std::{sync::Arc, time::Duration};

use super::Secret;

/// The operator's choices.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// The URL that spans are posted to; without one none are made.
    pub endpoint: Option<Arc<str>>,
    /// Headers that go along, with secrets in them.
    pub headers: Arc<[(Arc<str>, Secret)]>,
    /// The share of requests of which spans are made, from 0 to 1, where a client does not say it by its own trace.
    pub sample: f64,
    /// How long a collector may take to answer.
    pub timeout: Duration,
    /// Whether providers are told of the trace.
    pub propagate: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            endpoint: None,
            headers: Arc::default(),
            sample: 1.0,
            timeout: Duration::from_secs(10),
            propagate: false,
        }
    }
}
