//! How long an answer a request allows, as far as it says so. Looked for only where money depends on it, since it is a
//! second look at the body.

use canon::{Dialect, scan};

/// The most tokens of answer that a request of `dialect` asks for; `None` where it does not say.
#[must_use]
pub fn asked_output(dialect: Dialect, body: &[u8]) -> Option<u64> {
    let text = scan::text(body).ok()?;
    match dialect {
        Dialect::Chat => most(text, ["max_completion_tokens", "max_tokens"]),
        Dialect::Responses => most(text, ["max_output_tokens"]),
        Dialect::Messages => most(text, ["max_tokens"]),
        Dialect::Gemini => {
            let config = scan::fields(text, ["generationConfig", "generation_config"]).ok()?;
            let config = config.into_iter().flatten().next()?;
            most(config.get(), ["maxOutputTokens", "max_output_tokens"])
        }
    }
}

fn most<const N: usize>(text: &str, names: [&'static str; N]) -> Option<u64> {
    let found = scan::fields(text, names).ok()?;
    found.into_iter().flatten().filter_map(|raw| raw.get().parse().ok()).max()
}
