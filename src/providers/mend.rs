//! What a target that speaks the client's dialect would still refuse: words that its quirks rule out, and a longer
//! answer than its model can give. Only a request that holds one of these is written anew.

use std::ops::Range;

use canon::{Dialect, Edit, Losses, Quirks, Signature, Target, patched, rename, scan as pick};
use memchr::memmem;
use openai::chat::{self, Changes};
use serde_json::value::RawValue;

use super::{edit::Edited, maker};
use crate::engine::{
    ports::{Call, Task},
    settings::Quirk,
};

/// The body in words that the target takes; `None` where it has nothing against the client's own.
pub(super) fn mended(call: &Call, maker: &str) -> Option<Edited> {
    if call.request.task != Task::Generate {
        return None;
    }
    let (dialect, body) = (call.target.dialect, &call.request.body);
    let quirks = maker::quirks(&call.target);
    let odd = dialect == Dialect::Chat && is_odd(quirks, body);
    // What the hub gave a client to bring back is for who made it; a strict provider of chat refuses the fields.
    let foreign = dialect == Dialect::Chat && Signature::may_be_in(body);
    if odd || foreign {
        return written_anew(call, maker, odd, foreign);
    }
    let most = maker::max_output(&call.target)?;
    shortened(call, most)
}

fn written_anew(call: &Call, maker: &str, odd: bool, foreign: bool) -> Option<Edited> {
    let mut turn = dialects::decode(Dialect::Chat, &call.request.body).ok()?;
    turn.stream = call.request.facts.stream;
    let target = Target {
        model: &call.target.model,
        source: Dialect::Chat,
        maker,
        quirks: maker::quirks(&call.target),
        max_output: maker::max_output(&call.target),
    };
    let encoded = dialects::encode(Dialect::Chat, &turn, &target);
    let mut edits = vec![Edit::Model];
    edits.extend(odd.then_some(Edit::Quirks));
    edits.extend(foreign.then_some(Edit::ForeignThoughts));
    Some(Edited { body: encoded.body.into(), edits, losses: encoded.losses })
}

/// The body with no more tokens asked for than the model can give; every other byte stays.
fn shortened(call: &Call, most: u64) -> Option<Edited> {
    let (body, facts) = (&call.request.body, &call.request.facts);
    let text = pick::text(body).ok()?;
    let limits = limits(call.target.dialect, text);
    let mut patches: Vec<(Range<usize>, String)> = limits
        .into_iter()
        .filter(|(_, tokens)| *tokens > most)
        .map(|(span, _)| (span, most.to_string()))
        .collect();
    if patches.is_empty() {
        return None;
    }
    let mut losses = Losses::default();
    losses.changed("max_tokens");
    if let Some(patch) = budget_below(call.target.dialect, text, most) {
        losses.changed("reasoning");
        patches.push(patch);
    }
    let mut edits = vec![Edit::Limit];
    if let Some(patch) = rename(facts, &call.target.model) {
        edits.push(Edit::Model);
        patches.push(patch);
    }
    let body = patched(body, patches);
    if call.target.dialect != Dialect::Chat {
        return Some(Edited { body, edits, losses });
    }
    let facts = chat::scan(&body).ok()?;
    let include_usage = !call.target.connection.provider.quirks.contains(&Quirk::NoStreamOptions);
    let (body, more) = chat::apply(&body, &facts, Changes { model: &call.target.model, include_usage });
    edits.extend(more);
    Some(Edited { body, edits, losses })
}

/// Thoughts that Anthropic counts as part of the answer must stay below its limit: three quarters of it, or none where
/// that is less than the least budget that there is (1024).
fn budget_below(dialect: Dialect, text: &str, most: u64) -> Option<(Range<usize>, String)> {
    if dialect != Dialect::Messages {
        return None;
    }
    let [thinking] = pick::fields(text, ["thinking"]).ok()?;
    let thinking = thinking?;
    let [budget] = pick::fields(thinking.get(), ["budget_tokens"]).ok()?;
    let budget = budget?;
    if budget.get().parse::<u64>().ok()? < most {
        return None;
    }
    let less = most / 4 * 3;
    Some(match less {
        1024.. => (pick::span(text, budget), less.to_string()),
        _ => (pick::span(text, thinking), r#"{"type":"disabled"}"#.to_owned()),
    })
}

/// Whether a chat request may hold what the quirks rule out. A look at the bytes: a user who only writes the word costs
/// one request its bytes, not its meaning.
fn is_odd(quirks: Quirks, body: &[u8]) -> bool {
    let holds = |text: &str| memmem::find(body, text.as_bytes()).is_some();
    (quirks.developer_to_system && holds("\"developer\""))
        || (quirks.system_to_user && (holds("\"system\"") || holds("\"developer\"")))
        || (quirks.legacy_max_tokens && holds("\"max_completion_tokens\""))
        || (quirks.tool_id_nine && holds("\"tool_call_id\""))
        || (quirks.strip_reasoning && holds("\"reasoning"))
        || (quirks.echo_reasoning && holds("\"tool_calls\"") && !holds("\"reasoning_content\""))
}

/// Where a request says how long its answer may be, and how long that is, in tokens.
fn limits(dialect: Dialect, text: &str) -> Vec<(Range<usize>, u64)> {
    let of = |part: &str, names: [&'static str; 2]| -> Vec<(Range<usize>, u64)> {
        let found = pick::fields(part, names).unwrap_or_default();
        let numbers = found.into_iter().flatten();
        numbers.filter_map(|raw: &RawValue| Some((pick::span(text, raw), raw.get().parse().ok()?))).collect()
    };
    match dialect {
        Dialect::Chat => of(text, ["max_completion_tokens", "max_tokens"]),
        Dialect::Responses => of(text, ["max_output_tokens", ""]),
        Dialect::Messages => of(text, ["max_tokens", ""]),
        Dialect::Gemini => {
            let config = pick::fields(text, ["generationConfig", "generation_config"]).unwrap_or_default();
            let config = config.into_iter().flatten().next();
            config.map_or_else(Vec::new, |config| of(config.get(), ["maxOutputTokens", "max_output_tokens"]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(dialect: Dialect, body: &[u8]) -> Option<u64> {
        limits(dialect, std::str::from_utf8(body).unwrap_or_default()).first().map(|(_, tokens)| *tokens)
    }

    #[test]
    fn a_budget_stays_below_the_limit() {
        let text = r#"{"max_tokens":20000,"thinking":{"type":"enabled","budget_tokens":10000}}"#;
        let patched = |most| {
            let (span, text_in) = budget_below(Dialect::Messages, text, most)?;
            Some(format!("{}{text_in}{}", &text[..span.start], &text[span.end..]))
        };
        assert_eq!(patched(16_000), None);
        assert_eq!(
            patched(8000).as_deref(),
            Some(r#"{"max_tokens":20000,"thinking":{"type":"enabled","budget_tokens":6000}}"#)
        );
        assert_eq!(patched(1000).as_deref(), Some(r#"{"max_tokens":20000,"thinking":{"type":"disabled"}}"#));
    }

    #[test]
    fn limits_are_found_in_every_dialect() {
        assert_eq!(asked(Dialect::Chat, br#"{"messages":[{"max_tokens":9}],"max_tokens":70}"#), Some(70));
        assert_eq!(asked(Dialect::Chat, br#"{"max_completion_tokens":80}"#), Some(80));
        assert_eq!(asked(Dialect::Responses, br#"{"max_output_tokens":90}"#), Some(90));
        assert_eq!(asked(Dialect::Messages, br#"{"max_tokens":100}"#), Some(100));
        assert_eq!(asked(Dialect::Gemini, br#"{"generationConfig":{"maxOutputTokens":110}}"#), Some(110));
        assert_eq!(asked(Dialect::Gemini, br#"{"generation_config":{"max_output_tokens":5}}"#), Some(5));
        assert_eq!(asked(Dialect::Chat, br#"{"max_tokens":null}"#), None);
        assert_eq!(asked(Dialect::Chat, b"nonsense"), None);
    }

    #[test]
    fn only_what_a_quirk_rules_out_is_odd() {
        let body = br#"{"messages":[{"role":"developer","content":"x"}],"max_completion_tokens":5}"#;
        assert!(!is_odd(Quirks::default(), body));
        assert!(is_odd(Quirks { developer_to_system: true, ..Quirks::default() }, body));
        assert!(is_odd(Quirks { legacy_max_tokens: true, ..Quirks::default() }, body));
        assert!(!is_odd(Quirks { tool_id_nine: true, ..Quirks::default() }, body));
    }
}
