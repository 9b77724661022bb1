//! What an account may use, as its owner says it: limits that the hub counts itself, and how it heeds the windows that
//! the provider tells of. What is counted lives in `engine::quota`.

use std::{fmt, sync::Arc};

use super::calendar;

/// The owner's word on an account's quotas.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quota {
    /// What the hub counts, and does not go beyond.
    pub limits: Vec<Limit>,
    /// How far the provider's own windows may fill.
    pub heed: Heed,
}

/// So much of something in so much time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// How long the window is.
    pub span: Span,
    /// What is counted.
    pub unit: Unit,
    /// How much fits, in the unit's smallest part: see [`Unit`].
    pub amount: u64,
    /// The only model that it is about; `None`: whatever the account is used for.
    pub model: Option<Arc<str>>,
    /// When what was used is given back.
    pub reset: Reset,
    /// What one request takes, where the unit is [`Unit::Credits`].
    pub each: u64,
}

/// What is counted, and in which parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Requests.
    Requests,
    /// Tokens, of requests and answers together.
    Tokens,
    /// Money, in picodollars.
    Money,
    /// What the provider counts in instead (neurons, compute units, points), in thousandths.
    Credits,
}

/// The parts of a credit.
pub const CREDIT: u64 = 1000;

impl Unit {
    /// Every unit.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::Money, Self::Credits];

    /// The unit's name in reasons and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Money => "usd",
            Self::Credits => "credits",
        }
    }

    /// The unit that [`Self::as_str`] names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.as_str() == word)
    }
}

/// The length of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Span {
    /// So many seconds.
    Seconds(u32),
    /// A month of the calendar; 31 days where the calendar is not asked.
    Month,
}

impl Span {
    /// A minute.
    pub const MINUTE: Self = Self::Seconds(60);
    /// An hour.
    pub const HOUR: Self = Self::Seconds(3600);
    /// The short window of subscriptions to coding agents.
    pub const FIVE_HOURS: Self = Self::Seconds(5 * 3600);
    /// A day.
    pub const DAY: Self = Self::Seconds(86_400);
    /// A week.
    pub const WEEK: Self = Self::Seconds(7 * 86_400);

    /// Its length in milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds as i64 * 1000,
            Self::Month => 31 * calendar::DAY,
        }
    }

    /// The span that somebody wrote: `minute`, `5h`, `90s`. At most 31 days.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let named = [
            ("minute", Self::MINUTE),
            ("hour", Self::HOUR),
            ("day", Self::DAY),
            ("week", Self::WEEK),
            ("month", Self::Month),
        ];
        if let Some((_, span)) = named.into_iter().find(|(name, _)| *name == word) {
            return Some(span);
        }
        let unit = match word.chars().last()? {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let count: u32 = word.get(..word.len() - 1)?.parse().ok()?;
        let seconds = count.checked_mul(unit)?;
        (1..=31 * 86_400).contains(&seconds).then_some(Self::Seconds(seconds))
    }
}

/// As it is written: `minute`, `5h`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MINUTE => f.write_str("minute"),
            Self::HOUR => f.write_str("hour"),
            Self::DAY => f.write_str("day"),
            Self::WEEK => f.write_str("week"),
            Self::Month => f.write_str("month"),
            Self::Seconds(seconds) => match seconds {
                days if days % 86_400 == 0 => write!(f, "{}d", days / 86_400),
                hours if hours % 3600 == 0 => write!(f, "{}h", hours / 3600),
                minutes if minutes % 60 == 0 => write!(f, "{}m", minutes / 60),
                seconds => write!(f, "{seconds}s"),
            },
        }
    }
}

/// When a window gives back what was used of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// Each use by itself, one span after it. It is counted in sixtieths of the span, and the last of them counts whole.
    Rolling,
    /// All at once, one span after the first use.
    FirstUse,
    /// All at once by the calendar, so many minutes after midnight in UTC: each day, on Mondays, or on the first of the
    /// month.
    At(u16),
}

/// How the windows are heeded of which the provider tells in its answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heed {
    /// Whether the window of five hours keeps the account out once it is full.
    pub five_hours: bool,
    /// The same for that of a week.
    pub week: bool,
    /// The share, from 0 to 1, from which a window of an hour or more counts as full; `None`: [`Self::FULL`] where the
    /// provider tells shares alone, and the whole where it counts.
    pub threshold: Option<f64>,
    /// The share from which the log warns of it.
    pub warn: f64,
}

impl Heed {
    /// The share that counts as all: shares come in whole percents, and requests are under way, so that 2 % are left alone.
    pub const FULL: f64 = 0.98;
}

impl Default for Heed {
    /// Both windows are heeded; with 20 % left there is a warning.
    fn default() -> Self {
        Self { five_hours: true, week: true, threshold: None, warn: 0.8 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back_as_they_are_written() {
        for word in ["minute", "hour", "5h", "day", "week", "month", "90s", "3d", "10m"] {
            assert_eq!(Span::parse(word).map(|span| span.to_string()).as_deref(), Some(word));
        }
        for (word, same) in [("60s", Span::MINUTE), ("300m", Span::FIVE_HOURS), ("7d", Span::WEEK)] {
            assert_eq!(Span::parse(word), Some(same));
        }
        for word in ["", "h", "0s", "32d", "1w", "-1h", "1.5h", "9999999999h", "5ü"] {
            assert_eq!(Span::parse(word), None, "{word}");
        }
    }
}
