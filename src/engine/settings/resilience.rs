//! How long what is left alone after which failure, and what is tried again: the numbers of resilience, and the
//! named sets of them. What the numbers do is the business of `engine::health` and `engine::attempt`.

use std::time::Duration;

/// A named set of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Comes back soon, and gives up late: for few accounts, of which each counts.
    Aggressive,
    /// For most.
    #[default]
    Balanced,
    /// Turns away early and stays away: for many accounts, or providers that punish repetition.
    Conservative,
}

impl Profile {
    /// The profile's name in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aggressive => "aggressive",
            Self::Balanced => "balanced",
            Self::Conservative => "conservative",
        }
    }
}

/// The numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resilience {
    /// How often a cooldown for which no provider gave a time doubles at most, from one failure in a row to the next.
    pub doublings: u32,
    /// How long an account stays behind the others after a passing failure; doubles from one failure in a row to the next.
    pub passing: Duration,
    /// How long one model is left alone on one account; doubles from one failure in a row to the next.
    pub model: Duration,
    /// The longest that a model is left alone without a provider's word.
    pub model_longest: Duration,
    /// The breaker of a provider's host.
    pub breaker: BreakerLimits,
    /// The same of a server on the user's own machine.
    pub local_breaker: BreakerLimits,
    /// The longest pause of a breaker, however often its probes fail.
    pub breaker_longest: Duration,
    /// After how many failures in a row that speak of a dead account it is taken for one.
    pub confirmations: u32,
    /// How long an account that is taken for dead rests before a request tries it again; doubles from test to test.
    pub retest: Duration,
    /// The longest rest between two tests.
    pub retest_longest: Duration,
    /// How often one target is asked again before the next one is, where its host stumbled (502, 503, 504, no connection).
    pub retries: u32,
    /// The pause before the same target is asked again.
    pub retry_pause: Duration,
}

/// When a breaker changes its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerLimits {
    /// Failures in a row after which the host is used behind others.
    pub degraded: u32,
    /// Failures in a row after which it is left alone.
    pub open: u32,
    /// How long it is left alone before one request probes it; doubles from failed probe to failed probe.
    pub reset: Duration,
}

impl Default for Resilience {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

impl Resilience {
    /// The numbers of a profile.
    #[must_use]
    pub const fn of(profile: Profile) -> Self {
        match profile {
            Profile::Aggressive => Self {
                doublings: 1,
                passing: Duration::from_secs(2),
                model: Duration::from_secs(30),
                model_longest: Duration::from_secs(300),
                breaker: BreakerLimits { degraded: 10, open: 20, reset: Duration::from_secs(10) },
                local_breaker: BreakerLimits { degraded: 2, open: 4, reset: Duration::from_secs(5) },
                breaker_longest: Duration::from_secs(60),
                confirmations: 5,
                retest: Duration::from_secs(600),
                retest_longest: Duration::from_secs(21_600),
                retries: 0,
                retry_pause: Duration::from_secs(2),
            },
            Profile::Balanced => Self {
                doublings: 3,
                passing: Duration::from_secs(5),
                model: Duration::from_secs(120),
                model_longest: Duration::from_secs(1800),
                breaker: BreakerLimits { degraded: 7, open: 12, reset: Duration::from_secs(30) },
                local_breaker: BreakerLimits { degraded: 1, open: 2, reset: Duration::from_secs(15) },
                breaker_longest: Duration::from_secs(300),
                confirmations: 3,
                retest: Duration::from_secs(3600),
                retest_longest: Duration::from_secs(86_400),
                retries: 0,
                retry_pause: Duration::from_secs(2),
            },
            Profile::Conservative => Self {
                doublings: 5,
                passing: Duration::from_secs(15),
                model: Duration::from_secs(300),
                model_longest: Duration::from_secs(3600),
                breaker: BreakerLimits { degraded: 3, open: 6, reset: Duration::from_secs(60) },
                local_breaker: BreakerLimits { degraded: 1, open: 2, reset: Duration::from_secs(30) },
                breaker_longest: Duration::from_secs(900),
                confirmations: 2,
                retest: Duration::from_secs(10_800),
                retest_longest: Duration::from_secs(259_200),
                retries: 0,
                retry_pause: Duration::from_secs(2),
            },
        }
    }
}

/// Whether a request waits for accounts that are all left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How often one request waits; 0: it does not.
    pub retries: u32,
    /// The longest that it waits each time. When the first account is back later, the request is refused at once.
    pub longest: Duration,
}

impl Default for Waiting {
    /// Off: whoever waits should know that it does.
    fn default() -> Self {
        Self { retries: 0, longest: Duration::from_secs(30) }
    }
}
