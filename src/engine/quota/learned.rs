//! A window of which the provider tells. The hub counts nothing here: the last word of the provider holds, moved on by
//! what is known of how the window fills again.

use std::sync::Arc;

use crate::engine::{
    ports::Reading,
    settings::{Heed, Span, Unit},
};

/// A window that the provider tells of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learned {
    pub(super) name: Arc<str>,
    /// The model, when only that one is meant.
    pub(super) model: Option<Arc<str>>,
    pub(super) unit: Option<Unit>,
    pub(super) span: Option<Span>,
    pub(super) limit: Option<u64>,
    /// The share that was used at `as_of`.
    pub(super) used: f64,
    pub(super) as_of: i64,
    /// When it is whole again.
    pub(super) resets_at: Option<i64>,
    pub(super) refills: bool,
    /// A refusal said that nothing is to be had until then.
    pub(super) refused_until: Option<i64>,
    /// The share of which the store knows.
    pub(super) told: Option<(f64, Option<i64>)>,
    /// Whether the log has warned of it.
    pub(super) warned: bool,
}

impl Learned {
    pub(super) fn new(name: Arc<str>, model: Option<Arc<str>>) -> Self {
        Self {
            name,
            model,
            unit: None,
            span: None,
            limit: None,
            used: 0.0,
            as_of: 0,
            resets_at: None,
            refills: false,
            refused_until: None,
            told: None,
            warned: false,
        }
    }

    pub(super) fn is_about(&self, model: &str) -> bool {
        self.model.as_deref().is_none_or(|only| only == model)
    }

    /// Takes the provider's word. A refusal holds until the time that it named, whatever answers that were under way
    /// beside it may say.
    pub(super) fn take(&mut self, reading: &Reading, now: i64) {
        if reading.exhausted {
            self.refused_until = self.refused_until.max(reading.resets_at);
        }
        // A refusal that is over says nothing more.
        self.refused_until = self.refused_until.filter(|until| *until > now);
        self.unit = reading.unit.or(self.unit);
        self.span = reading.span.or(self.span);
        self.limit = reading.limit.or(self.limit);
        self.used = reading.used.clamp(0.0, 1.0);
        (self.as_of, self.resets_at, self.refills) = (now, reading.resets_at, reading.refills);
    }

    /// The share that is used at `now`. What has no known end says nothing after the span that it has at least: an
    /// answer was long ago then.
    pub(super) fn used_at(&self, now: i64) -> f64 {
        if self.refused_until.is_some_and(|until| until > now) {
            return 1.0;
        }
        let ends = self.resets_at.unwrap_or(self.as_of);
        if now >= ends {
            return 0.0;
        }
        if !self.refills {
            return self.used;
        }
        let (gone, whole) = ((now - self.as_of).max(0) as f64, (ends - self.as_of).max(1) as f64);
        self.used * (1.0 - (gone / whole).min(1.0))
    }

    /// Until when it keeps requests out, if it does. A bucket that refills has something again in a moment, whatever it
    /// said: only a refusal closes it.
    pub(super) fn blocks(&self, heed: &Heed, now: i64) -> Option<i64> {
        if let Some(until) = self.refused_until.filter(|until| *until > now) {
            return Some(until);
        }
        let ends = self.resets_at.filter(|ends| *ends > now && !self.refills)?;
        let heeded = match self.span {
            Some(Span::FIVE_HOURS) => heed.five_hours,
            Some(Span::WEEK) => heed.week,
            _ => true,
        };
        // What is over in minutes, or is counted, may be used to its end.
        let threshold = match (self.is_long(), heed.threshold, self.limit) {
            (false, ..) | (true, None, Some(_)) => 1.0,
            (true, Some(threshold), _) => threshold,
            (true, None, None) => Heed::FULL,
        };
        (heeded && self.used >= threshold).then_some(ends)
    }

    /// Whether it is so long that one should not run into its end.
    pub(super) fn is_long(&self) -> bool {
        self.span.is_some_and(|span| span.millis() >= Span::HOUR.millis())
    }

    /// When it says nothing more.
    pub(super) fn ends_at(&self) -> i64 {
        self.resets_at.max(self.refused_until).unwrap_or(self.as_of)
    }

    /// Whether the store should hear of it: a percent more or less is not worth a write.
    pub(super) fn is_news(&self) -> bool {
        let moved = |told: Option<i64>| {
            let far = |(one, other): (i64, i64)| (one - other).abs() > 60_000;
            self.refused_until.is_some() || told.zip(self.resets_at).is_some_and(far)
        };
        // What will be whole in a moment is not worth one either.
        let lasts = self.ends_at() - self.as_of > 10_000;
        lasts && self.told.is_none_or(|(used, ends)| (used - self.used).abs() >= 0.01 || moved(ends))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(span: Option<Span>, used: f64, limit: u64, resets_at: i64, refills: bool) -> Reading {
        Reading {
            name: "w",
            unit: Some(Unit::Requests),
            span,
            of_model: false,
            limit: Some(limit),
            used,
            resets_at: Some(resets_at),
            refills,
            exhausted: false,
        }
    }

    fn learned(reading: &Reading) -> Learned {
        let mut learned = Learned::new("w".into(), None);
        learned.take(reading, 0);
        learned
    }

    /// What the two toggles of a subscription mean, row by row.
    #[test]
    fn the_toggles_of_five_hours_and_a_week() {
        let heed = |five_hours, week| Heed { five_hours, week, threshold: Some(0.9), ..Heed::default() };
        let (five, week) = (Some(Span::FIVE_HOURS), Some(Span::WEEK));
        // Both on: either keeps the account out. One off: only the other does.
        for (five_on, week_on, five_used, week_used, blocked) in [
            (true, true, 0.9, 0.1, true),
            (true, true, 0.1, 0.9, true),
            (true, true, 0.89, 0.89, false),
            (false, true, 1.0, 0.1, false),
            (false, true, 1.0, 0.95, true),
            (true, false, 0.95, 1.0, true),
            (true, false, 0.5, 1.0, false),
            (false, false, 1.0, 1.0, false),
        ] {
            let heed = heed(five_on, week_on);
            let windows = [
                learned(&reading(five, five_used, 100, 1000, false)),
                learned(&reading(week, week_used, 100, 2000, false)),
            ];
            let blocks = |now| windows.iter().any(|window| window.blocks(&heed, now).is_some());
            assert_eq!(blocks(0), blocked, "{five_on} {week_on} {five_used} {week_used}");
            assert!(!blocks(2000), "after the reset it is back by itself");
        }
    }

    #[test]
    fn a_bucket_refills_evenly_and_only_a_refusal_closes_it() {
        let mut bucket = learned(&reading(None, 1.0, 50, 60_000, true));
        assert_eq!(bucket.blocks(&Heed::default(), 0), None);
        for (now, used) in [(0, 1.0), (30_000, 0.5), (60_000, 0.0), (90_000, 0.0)] {
            assert!((bucket.used_at(now) - used).abs() < 1e-9, "{now}");
        }
        bucket.take(&Reading { exhausted: true, ..reading(None, 1.0, 50, 2000, true) }, 0);
        assert_eq!(bucket.blocks(&Heed::default(), 0), Some(2000));
    }

    #[test]
    fn what_is_short_or_counted_is_used_to_its_end_and_a_share_almost() {
        for (span, limit, used, blocked) in [
            (Some(Span::MINUTE), None, 0.99, false),
            (Some(Span::MINUTE), None, 1.0, true),
            (None, None, 0.99, false),
            (Some(Span::DAY), Some(100), 0.99, false),
            (Some(Span::DAY), Some(100), 1.0, true),
            (Some(Span::DAY), None, 0.979, false),
            (Some(Span::DAY), None, 0.98, true),
        ] {
            let window = learned(&Reading { limit, ..reading(span, used, 1, 9000, false) });
            assert_eq!(window.blocks(&Heed::default(), 0), blocked.then_some(9000), "{span:?} {used}");
        }
        let heed = Heed { threshold: Some(0.5), ..Heed::default() };
        assert!(learned(&reading(Some(Span::DAY), 0.5, 100, 9000, false)).blocks(&heed, 0).is_some());
    }

    #[test]
    fn a_refusal_holds_until_the_time_that_it_named() {
        let mut window =
            learned(&Reading { exhausted: true, ..reading(Some(Span::MINUTE), 1.0, 100, 5000, false) });
        window.take(&reading(Some(Span::MINUTE), 0.1, 100, 9000, false), 10);
        let off = Heed { five_hours: false, week: false, ..Heed::default() };
        assert_eq!((window.blocks(&off, 4999), window.blocks(&off, 5000)), (Some(5000), None));
    }
}
