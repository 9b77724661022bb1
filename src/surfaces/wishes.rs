//! What a client wants of the targets, and what it calls its session: from headers, the same for every dialect.

use std::str::FromStr;

use http::HeaderMap;

use crate::engine::{
    code::Code,
    need::Wishes,
    refusal::Refusal,
    settings::{Tier, Usd},
};

/// Under which names clients send a session's id, the hub's own first.
const SESSION: [&str; 5] =
    ["x-session-id", "x-codex-session-id", "session-id", "session_id", "x-omniroute-session"];

/// The longest id of a session that is looked at, in bytes.
const SESSION_LIMIT: usize = 256;

/// The most names in one wish.
const NAMES: usize = 64;

/// What the client calls its session.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    let id = SESSION.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    (1..=SESSION_LIMIT).contains(&id.len()).then(|| id.to_owned())
}

/// What the client wants, if it wants anything.
///
/// # Errors
/// When a wish cannot be understood: it must not be taken for none.
pub(super) fn wishes(headers: &HeaderMap) -> Result<Option<Box<Wishes>>, Refusal> {
    let wishes = Wishes {
        order: names(headers, "x-trivium-order")?,
        only: names(headers, "x-trivium-only")?,
        ignore: names(headers, "x-trivium-ignore")?,
        max_cost: text(headers, "x-trivium-max-cost")?.map(cost).transpose()?,
        tier: text(headers, "x-trivium-tier")?.map(tier).transpose()?,
        no_training: text(headers, "x-trivium-no-training")?.map(flag).transpose()?.unwrap_or(false),
    };
    Ok((wishes != Wishes::default()).then(|| Box::new(wishes)))
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(wrong(name, "text", "something else")),
    }
}

fn names(headers: &HeaderMap, name: &'static str) -> Result<Vec<String>, Refusal> {
    let Some(text) = text(headers, name)? else { return Ok(Vec::new()) };
    let names: Vec<String> =
        text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    if names.is_empty() || names.len() > NAMES {
        return Err(wrong(name, "names of providers or connections with commas between them", text));
    }
    Ok(names)
}

fn cost(text: &str) -> Result<u64, Refusal> {
    let dollars = f64::from_str(text.trim_start_matches('$')).ok();
    dollars
        .and_then(Usd::from_dollars)
        .map(Usd::pico)
        .ok_or_else(|| wrong("x-trivium-max-cost", "an amount in US dollars, such as 0.05", text))
}

fn tier(text: &str) -> Result<Tier, Refusal> {
    let found = Tier::ALL.into_iter().find(|tier| tier.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| wrong("x-trivium-tier", "one of subscription, key, cheap and free", text))
}

fn flag(text: &str) -> Result<bool, Refusal> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(wrong("x-trivium-no-training", "true or false", text)),
    }
}

fn wrong(name: &'static str, expected: &str, found: &str) -> Refusal {
    let found: String = found.chars().take(64).collect();
    Refusal::new(Code::InvalidParameter, format!("The header `{name}` takes {expected}, and not `{found}`."))
        .about(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn wishes_are_read_and_nothing_is_no_wish() {
        assert_eq!(wishes(&headers(&[("x-other", "1")])).unwrap(), None);
        let found = wishes(&headers(&[
            ("x-trivium-order", "groq, openai-1"),
            ("x-trivium-max-cost", "$0.05"),
            ("x-trivium-tier", "free"),
            ("x-trivium-no-training", "true"),
        ]));
        let expected = Wishes {
            order: vec!["groq".to_owned(), "openai-1".to_owned()],
            max_cost: Some(50_000_000_000),
            tier: Some(Tier::Free),
            no_training: true,
            ..Wishes::default()
        };
        assert_eq!(found.unwrap().as_deref(), Some(&expected));
    }

    #[test]
    fn what_is_not_understood_is_not_ignored() {
        for pair in [
            ("x-trivium-only", " , "),
            ("x-trivium-max-cost", "-1"),
            ("x-trivium-tier", "gold"),
            ("x-trivium-no-training", "maybe"),
        ] {
            let refusal = wishes(&headers(&[pair])).unwrap_err();
            assert_eq!((refusal.code, refusal.param), (Code::InvalidParameter, Some(pair.0)));
        }
    }

    #[test]
    fn a_session_has_several_names() {
        assert_eq!(session(&headers(&[("session_id", "s1")])).as_deref(), Some("s1"));
        assert_eq!(session(&headers(&[("session_id", "s1"), ("x-session-id", "s2")])).as_deref(), Some("s2"));
        assert_eq!(session(&headers(&[("x-session-id", "")])), None);
    }
}
