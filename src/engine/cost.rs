//! What a request costs: before it is sent, by estimates, and afterwards, by what the provider counted. A cost that is
//! not known is `None`, never zero. Prices are found in `settings::book`; what may be spent is `budget`'s.

mod asked;
mod prompt;
#[cfg(test)]
mod tests;

use canon::Usage;

pub use asked::asked_answers;
pub(super) use asked::is_deferred;
pub use prompt::prompt_tokens;

use super::settings::{ModelFacts, Price, Usd};

/// The cost of these tokens. The parts of prompt and answer that have prices of their own are taken out of the whole, each
/// token once: read from the cache, else written to it, else sound, else plain; thoughts, else sound, else plain.
#[must_use]
pub fn of_usage(price: &Price, usage: &Usage) -> Usd {
    let price = price.at(usage.input);
    let mut prompt = Part { left: usage.input, plain: price.input, cost: Usd::ZERO };
    prompt.take(usage.cached_input, price.cache_read);
    prompt.take(usage.cache_write, price.cache_write);
    prompt.take(usage.audio_input, price.audio_input);
    let mut answer = Part { left: usage.output, plain: price.output, cost: Usd::ZERO };
    answer.take(usage.reasoning, price.reasoning);
    answer.take(usage.audio_output, price.audio_output);
    prompt.rest() + answer.rest() + price.request.unwrap_or_default()
}

/// What a request is expected to cost at a target of which `facts` is known: so many tokens of prompt, none of them
/// cached, and so many of answer, no more than the model can give. `None` where no price is known.
#[must_use]
pub fn expected(facts: &ModelFacts, prompt: u64, answer: u64) -> Option<Usd> {
    let output = facts.max_output.map_or(answer, |most| answer.min(most));
    let input = facts.context.map_or(prompt, |most| prompt.min(most));
    facts.price.map(|price| of_usage(&price, &Usage { input, output, ..Usage::default() }))
}

/// The same for a request that asks for several answers, which share their prompt.
#[must_use]
pub fn expected_of_several(facts: &ModelFacts, prompt: u64, answer: u64, answers: u64) -> Option<Usd> {
    let one = expected(facts, prompt, answer)?;
    let without = expected(facts, prompt, 0)?;
    Some(one + one.less(without).times(answers.saturating_sub(1)))
}

/// The tokens of one side that have not been counted yet, and what the others cost.
struct Part {
    left: u64,
    plain: Usd,
    cost: Usd,
}

impl Part {
    fn take(&mut self, tokens: u64, price: Option<Usd>) {
        let tokens = tokens.min(self.left);
        self.left -= tokens;
        self.cost = self.cost + price.unwrap_or(self.plain).times(tokens);
    }

    fn rest(self) -> Usd {
        self.cost + self.plain.times(self.left)
    }
}
