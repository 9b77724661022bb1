//! What a request takes of an account's windows: what is set aside before it is sent, and what it took in the end.

use canon::Usage;

use crate::engine::{
    money::Usd,
    ports::{Request, Target, Task},
    settings::{Price, Unit},
};

/// Bytes of a request's body to a token. Text has about four; JSON around it makes the guess a little high, which is
/// the side on which it should err.
const BYTES_PER_TOKEN: u64 = 4;

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
        let input = (request.body.len() as u64).div_ceil(BYTES_PER_TOKEN);
        let output = match request.task {
            Task::Embed => 0,
            _ => target.facts.max_output.map_or(ANSWER, |most| most.min(ANSWER)),
        };
        Self::of(target, Usage { input, output, ..Usage::default() })
    }

    /// What the provider reported.
    pub(crate) fn of(target: &Target, usage: Usage) -> Self {
        let money = target.facts.price.map_or(Usd::ZERO, |price| cost(&price, usage));
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

/// What `usage` costs. Parts of a whole that have no price of their own cost what the rest does.
fn cost(price: &Price, usage: Usage) -> Usd {
    let part = |rate: Option<Usd>, count: u64, whole: &mut u64| {
        let count = count.min(*whole);
        rate.map_or(Usd::ZERO, |rate| {
            *whole -= count;
            rate.times(count)
        })
    };
    let (mut input, mut output) = (usage.input, usage.output);
    let special = part(price.cache_read, usage.cached_input, &mut input)
        + part(price.cache_write, usage.cache_write, &mut input)
        + part(price.audio_input, usage.audio_input, &mut input)
        + part(price.reasoning, usage.reasoning, &mut output)
        + part(price.audio_output, usage.audio_output, &mut output);
    special + price.input.times(input) + price.output.times(output) + price.request.unwrap_or(Usd::ZERO)
}
