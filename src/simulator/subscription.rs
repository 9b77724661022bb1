//! An account that is paid by the month: shares of five hours and of a week, told in percent with every answer, and a
//! refusal until the window ends when one of them is used up.

use std::time::Duration;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::clock::{Clock, ceil_seconds};
use super::headers::put;
use super::problem::Problem;

const FIVE_HOURS: Duration = Duration::from_secs(5 * 3600);

const WEEK: Duration = Duration::from_secs(7 * 86_400);

/// What an account by the month includes.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// In whose headers it is told.
    pub told: Told,
    /// The window of five hours, where there is one.
    #[serde(default)]
    pub five_hours: Option<Allotment>,
    /// The window of a week, where there is one.
    #[serde(default)]
    pub week: Option<Allotment>,
}

/// The headers that tell of a subscription.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// `x-codex-primary-*` is the window of five hours, `x-codex-secondary-*` the week.
    Codex,
    /// `anthropic-ratelimit-unified-5h-*` and `-7d-*`.
    Unified,
}

/// Requests in a window that begins with the first of them.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Allotment {
    /// Requests that the window has.
    pub requests: u64,
    /// Requests of it that somebody used before the simulator began.
    #[serde(default)]
    pub used: u64,
    /// Seconds until the window that runs at the beginning ends; without it, its whole length.
    #[serde(default)]
    pub ends_in_seconds: Option<u64>,
}

/// What is used of both windows.
#[derive(Debug, Default)]
pub(super) struct Spent {
    five_hours: Window,
    week: Window,
}

#[derive(Debug, Default)]
struct Window {
    began: bool,
    used: u64,
    ends: Option<Instant>,
}

impl Spent {
    /// Takes a request from both windows, or from none.
    ///
    /// # Errors
    /// The time until the last window ends that has nothing left.
    pub(super) fn take(&mut self, plan: &Subscription, now: Instant) -> Result<(), Duration> {
        let mut wait = None;
        for (window, allotment, length) in self.windows(plan) {
            window.roll(allotment, length, now);
            if window.used >= allotment.requests {
                wait = wait.max(Some(window.left(length, now)));
            }
        }
        if let Some(wait) = wait {
            return Err(wait);
        }
        for (window, _, length) in self.windows(plan) {
            window.used += 1;
            window.ends.get_or_insert(now + length);
        }
        Ok(())
    }

    /// Tells how far the windows are used, as the vendor tells it.
    pub(super) fn tell(&mut self, plan: &Subscription, clock: &Clock, headers: &mut HeaderMap) {
        let now = Instant::now();
        for (window, allotment, length) in self.windows(plan) {
            window.roll(allotment, length, now);
            let percent = (window.used * 100 / allotment.requests.max(1)).min(100);
            let left = window.left(length, now);
            let at = clock.unix_after(left).to_string();
            let is_week = length == WEEK;
            match plan.told {
                Told::Codex => {
                    let [used, minutes, reset_at, reset_after] = if is_week { SECONDARY } else { PRIMARY };
                    put(headers, used, percent.to_string());
                    put(headers, minutes, (length.as_secs() / 60).to_string());
                    put(headers, reset_at, at);
                    put(headers, reset_after, ceil_seconds(left).to_string());
                }
                Told::Unified => {
                    let [used, reset] = if is_week { SEVEN_DAYS } else { HOURS };
                    put(headers, used, format!("{}.{:02}", percent / 100, percent % 100));
                    put(headers, reset, at);
                }
            }
        }
    }

    fn windows<'a>(
        &'a mut self,
        plan: &Subscription,
    ) -> impl Iterator<Item = (&'a mut Window, Allotment, Duration)> + use<'a> {
        let five_hours = plan.five_hours.map(|allotment| (&mut self.five_hours, allotment, FIVE_HOURS));
        let week = plan.week.map(|allotment| (&mut self.week, allotment, WEEK));
        five_hours.into_iter().chain(week)
    }
}

impl Window {
    /// Brings it up to `now`: what was used before the beginning, and what has ended since.
    fn roll(&mut self, allotment: Allotment, length: Duration, now: Instant) {
        if !self.began {
            self.began = true;
            self.used = allotment.used;
            if allotment.used > 0 {
                self.ends = Some(now + allotment.ends_in_seconds.map_or(length, Duration::from_secs));
            }
        }
        if self.ends.is_some_and(|ends| ends <= now) {
            (self.used, self.ends) = (0, None);
        }
    }

    /// The time until it ends; one that has not begun would end after its whole length.
    fn left(&self, length: Duration, now: Instant) -> Duration {
        self.ends.map_or(length, |ends| ends.duration_since(now))
    }
}

/// The refusal of an account whose window is used up, in OpenAI's object; others go by the status.
pub(super) fn used_up() -> Problem {
    Problem::new(429, "The usage limit has been reached", "usage_limit_reached", None, None)
}

const PRIMARY: [&str; 4] = [
    "x-codex-primary-used-percent",
    "x-codex-primary-window-minutes",
    "x-codex-primary-reset-at",
    "x-codex-primary-reset-after-seconds",
];

const SECONDARY: [&str; 4] = [
    "x-codex-secondary-used-percent",
    "x-codex-secondary-window-minutes",
    "x-codex-secondary-reset-at",
    "x-codex-secondary-reset-after-seconds",
];

const HOURS: [&str; 2] =
    ["anthropic-ratelimit-unified-5h-utilization", "anthropic-ratelimit-unified-5h-reset"];

const SEVEN_DAYS: [&str; 2] =
    ["anthropic-ratelimit-unified-7d-utilization", "anthropic-ratelimit-unified-7d-reset"];
