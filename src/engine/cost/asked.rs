//! How many answers a request asks for, and whether it waits for them. Looked for only where money depends on it, since it is a
//! second look at the body.

use canon::{Dialect, scan};

/// How many answers a request of `dialect` asks for, each as long as it allows: one, unless it says more.
#[must_use]
pub fn asked_answers(dialect: Dialect, body: &[u8]) -> u64 {
    let Ok(text) = scan::text(body) else { return 1 };
    let said = match dialect {
        Dialect::Chat => most(text, ["n", "best_of"]),
        Dialect::Gemini => {
            config(text).and_then(|config| most(config, ["candidateCount", "candidate_count"]))
        }
        Dialect::Responses | Dialect::Messages => None,
    };
    said.unwrap_or(1).max(1)
}

/// Whether the answer is made after the reply (`background` of Responses), so that no usage comes with it.
#[must_use]
pub(in crate::engine) fn is_deferred(dialect: Dialect, body: &[u8]) -> bool {
    let flag = || scan::fields(scan::text(body).ok()?, ["background"]).ok()?.into_iter().flatten().next();
    dialect == Dialect::Responses && flag().is_some_and(|flag| flag.get() == "true")
}

/// Gemini's settings of the generation.
fn config(text: &str) -> Option<&str> {
    let found = scan::fields(text, ["generationConfig", "generation_config"]).ok()?;
    found.into_iter().flatten().next().map(|config| config.get())
}

fn most<const N: usize>(text: &str, names: [&'static str; N]) -> Option<u64> {
    let found = scan::fields(text, names).ok()?;
    found.into_iter().flatten().filter_map(|raw| raw.get().parse().ok()).max()
}
