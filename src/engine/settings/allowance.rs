//! What an account's owner says of how much it is used, and how fast.

use std::time::Duration;

use super::Quota;

/// Quotas and pace of one account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Allowance {
    /// How much.
    pub quota: Quota,
    /// How fast; `None`: as requests come.
    pub pace: Option<Pace>,
}

/// How fast an account is used. Whatever is `None` is not limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Requests begun within any minute.
    pub per_minute: Option<u32>,
    /// Time between the beginnings of two requests.
    pub gap: Duration,
    /// Requests under way at a time.
    pub concurrent: Option<u32>,
    /// How long a request may wait for its turn.
    pub max_wait: Duration,
    /// Requests that may wait at a time; one more goes to the next account.
    pub queue: u32,
}

impl Default for Pace {
    /// No limit of speed. The bounds of the queue matter only where there is one: 15 s of patience, and as many
    /// requests as a busy agent has helpers.
    fn default() -> Self {
        Self {
            per_minute: None,
            gap: Duration::ZERO,
            concurrent: None,
            max_wait: Duration::from_secs(15),
            queue: 100,
        }
    }
}

impl Pace {
    /// Evenly: 100 requests a minute, 200 ms apart, 10 at a time, 120 s of patience.
    #[must_use]
    pub fn steady() -> Self {
        Self {
            per_minute: Some(100),
            gap: Duration::from_millis(200),
            concurrent: Some(10),
            max_wait: Duration::from_secs(120),
            ..Self::default()
        }
    }

    /// One request after the other, for a machine that has room for one.
    #[must_use]
    pub fn single_file() -> Self {
        Self { concurrent: Some(1), max_wait: Duration::from_secs(120), ..Self::default() }
    }

    /// Whether it holds anything back.
    #[must_use]
    pub fn limits(&self) -> bool {
        self.per_minute.is_some() || self.concurrent.is_some() || !self.gap.is_zero()
    }
}
