//! Whether prices are fetched, and from where.

use std::{sync::Arc, time::Duration};

/// The operator's choices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PriceSync {
    /// The list's URL; without one nothing is fetched.
    pub url: Option<Arc<str>>,
    /// How long a list is good for.
    pub interval: Duration,
}

impl Default for PriceSync {
    fn default() -> Self {
        Self { url: None, interval: Duration::from_secs(24 * 60 * 60) }
    }
}
