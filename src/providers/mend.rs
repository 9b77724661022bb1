//! What a target that speaks the client's dialect would still refuse: words that its quirks rule out, and a longer
//! answer than its model can give. Only a request that holds one of these is written anew.

use canon::{Dialect, Edit, Quirks, Signature, Target, scan as pick};
use memchr::memmem;
use serde_json::value::RawValue;

use super::{edit::Edited, maker};
use crate::engine::ports::{Call, Task};

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
    let most = maker::max_output(&call.target);
    let long = most.is_some_and(|most| asked(dialect, body).is_some_and(|tokens| tokens > most));
    if !odd && !long && !foreign {
        return None;
    }
    let mut turn = dialects::decode(dialect, body).ok()?;
    turn.stream = call.request.facts.stream;
    let target = Target { model: &call.target.model, source: dialect, maker, quirks, max_output: most };
    let encoded = dialects::encode(dialect, &turn, &target);
    let mut edits = vec![Edit::Model];
    edits.extend(odd.then_some(Edit::Quirks));
    edits.extend(foreign.then_some(Edit::ForeignThoughts));
    edits.extend(long.then_some(Edit::Limit));
    Some(Edited { body: encoded.body.into(), edits, losses: encoded.losses })
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

/// The longest answer that a request asks for, in tokens.
fn asked(dialect: Dialect, body: &[u8]) -> Option<u64> {
    let text = pick::text(body).ok()?;
    let of = |text: &str, names: [&'static str; 2]| -> Option<u64> {
        let found = pick::fields(text, names).ok()?;
        found.into_iter().flatten().find_map(|raw: &RawValue| raw.get().parse().ok())
    };
    match dialect {
        Dialect::Chat => of(text, ["max_completion_tokens", "max_tokens"]),
        Dialect::Responses => of(text, ["max_output_tokens", "max_output_tokens"]),
        Dialect::Messages => of(text, ["max_tokens", "max_tokens"]),
        Dialect::Gemini => {
            let [camel, snake] = pick::fields(text, ["generationConfig", "generation_config"]).ok()?;
            of(camel.or(snake)?.get(), ["maxOutputTokens", "max_output_tokens"])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
