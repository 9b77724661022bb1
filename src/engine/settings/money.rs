//! Amounts of money. Prices of single tokens are far below a cent, and sums must not drift, so amounts are whole numbers
//! of a unit that every published price is a multiple of.

use std::{fmt, iter::Sum, ops::Add};

/// An amount in US dollars, kept in picodollars (10⁻¹²): the price of a token at $1 per million is 1,000,000 of them, and
/// 18 million dollars still fit. Sums stay at the largest amount instead of wrapping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(u64);

/// Picodollars in a dollar.
const PICO: u64 = 1_000_000_000_000;

impl Usd {
    /// Nothing to pay. Not to be used for "unknown".
    pub const ZERO: Self = Self(0);

    /// So many picodollars.
    #[must_use]
    pub const fn from_pico(pico: u64) -> Self {
        Self(pico)
    }

    /// The amount in picodollars.
    #[must_use]
    pub const fn pico(self) -> u64 {
        self.0
    }

    /// An amount that a person wrote in dollars; `None` where it is negative, not a number or too large.
    #[must_use]
    pub fn from_dollars(dollars: f64) -> Option<Self> {
        let pico = (dollars * PICO as f64).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be within the range"
        )]
        (pico.is_finite() && (0.0..u64::MAX as f64).contains(&pico)).then_some(Self(pico as u64))
    }

    /// The price of one token, where a million of them cost so many dollars; `None` as for [`Self::from_dollars`].
    #[must_use]
    pub fn per_million(dollars: f64) -> Option<Self> {
        Self::from_dollars(dollars / 1e6)
    }

    /// The amount in dollars, for people and JSON.
    #[must_use]
    pub fn dollars(self) -> f64 {
        self.0 as f64 / PICO as f64
    }

    /// So many times the amount.
    #[must_use]
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// What is left when `other` is taken away; nothing, if that is more.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add for Usd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

/// As people write it: `$0.0125`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}", self.dollars())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_any_published_price_is_a_whole_number() {
        for (per_million, pico) in [(1.0, 1_000_000), (0.0028, 2_800), (75.0, 75_000_000), (0.075, 75_000)] {
            assert_eq!(Usd::from_dollars(per_million / 1e6).map(Usd::pico), Some(pico), "{per_million}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_and_sums_do_not_wrap() {
        assert!([-0.1, f64::NAN, f64::INFINITY, 1e9].into_iter().all(|no| Usd::from_dollars(no).is_none()));
        assert_eq!(Usd::from_pico(u64::MAX) + Usd::from_pico(1), Usd::from_pico(u64::MAX));
        assert_eq!(Usd::from_pico(1).less(Usd::from_pico(2)), Usd::ZERO);
        assert_eq!([Usd::from_pico(1), Usd::from_pico(2)].into_iter().sum::<Usd>(), Usd::from_pico(3));
        assert_eq!(Usd::from_dollars(0.0125).map(|usd| usd.to_string()).as_deref(), Some("$0.0125"));
    }
}
