//! What a request takes of an account's windows: what is set aside before it is sent, and what it took in the end.

use canon::Usage;

use crate::engine::{
    cost,
    money::Usd,
    ports::{Request, Target, Task},
    settings::Unit,
};

/// Tokens of an answer about which nothing is known yet: rather more than answers have in the median.
const ANSWER: u64 = 1000;

/// Amounts of the units that are known only in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    /// Tokens, in and out.
    pub(crate) tokens: u64,
    /// Money. Nothing where no price is known.
    pub(crate) money: Usd,
}

impl Amounts {
    /// A guess from a request's size.
    pub(crate) fn guess(target: &Target, request: &Request) -> Self {
        let input = cost::prompt_tokens(&request.body);
        let output = match request.task {
            Task::Embed => 0,
            _ => target.facts.max_output.map_or(ANSWER, |most| most.min(ANSWER)),
        };
        Self::of(target, Usage { input, output, ..Usage::default() })
    }

    /// What the provider reported.
    pub(crate) fn of(target: &Target, usage: Usage) -> Self {
        let money = target.facts.price.map_or(Usd::ZERO, |price| cost::of_usage(&price, &usage));
        Self { tokens: usage.input.saturating_add(usage.output), money }
    }

    /// The amount in a unit's parts; `None` for those that are known before.
    pub(super) const fn in_unit(self, unit: Unit) -> Option<u64> {
        match unit {
            Unit::Tokens => Some(self.tokens),
            Unit::Money => Some(self.money.pico()),
            Unit::Requests | Unit::Credits => None,
        }
    }
}
