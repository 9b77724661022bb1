//! What a client wants of the targets, and what it calls its session: from headers and a field of the body, the same for
//! every dialect.

use std::str::FromStr;

use bytes::Bytes;
use canon::{EXTENSION, Facts};
use http::HeaderMap;
use serde::Deserialize;

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
fn session(headers: &HeaderMap) -> Option<String> {
    let id = SESSION.iter().find_map(|name| headers.get(*name))?.to_str().ok()?;
    (1..=SESSION_LIMIT).contains(&id.len()).then(|| id.to_owned())
}

/// The body's own field, in which wishes can stand beside the headers.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Extension {
    session: Option<String>,
    order: Vec<String>,
    only: Vec<String>,
    ignore: Vec<String>,
    max_cost: Option<f64>,
    tier: Option<Tier>,
    no_training: bool,
}

/// What the client wants, and its session. The body's field is taken out: it is for the hub alone. A header goes before
/// what the field says of the same.
///
/// # Errors
/// When a wish cannot be understood: it must not be taken for none.
pub(super) fn take(
    headers: &HeaderMap,
    body: &mut Bytes,
    facts: &mut Facts,
) -> Result<(Option<String>, Option<Box<Wishes>>), Refusal> {
    let (mut named, mut wishes) = (session(headers), of_headers(headers)?);
    if let Some(span) = facts.spans.extension.clone() {
        let mut said: Extension = serde_json::from_slice(&body[span]).map_err(|error| {
            let text = format!("The field `{EXTENSION}` could not be read: {error}.");
            Refusal::new(Code::InvalidParameter, text).about(EXTENSION)
        })?;
        *body = canon::without_extension(body, facts);
        named = named.or(said.session.take().filter(|id| (1..=SESSION_LIMIT).contains(&id.len())));
        wishes = Some(Box::new(merged(wishes.map(|wishes| *wishes).unwrap_or_default(), said)?));
    }
    Ok((named, wishes.filter(|wishes| **wishes != Wishes::default())))
}

fn merged(headers: Wishes, said: Extension) -> Result<Wishes, Refusal> {
    let max_cost = said.max_cost.map(|dollars| cost(&dollars.to_string())).transpose()?;
    if [&said.order, &said.only, &said.ignore].iter().any(|names| names.len() > NAMES) {
        return Err(wrong(EXTENSION, "at most 64 names in one wish", "more"));
    }
    let either = |header: Vec<String>, said: Vec<String>| if header.is_empty() { said } else { header };
    Ok(Wishes {
        order: either(headers.order, said.order),
        only: either(headers.only, said.only),
        ignore: either(headers.ignore, said.ignore),
        max_cost: headers.max_cost.or(max_cost),
        tier: headers.tier.or(said.tier),
        no_training: headers.no_training || said.no_training,
        task: None,
    })
}

/// What the client wants by its headers, if it wants anything.
fn of_headers(headers: &HeaderMap) -> Result<Option<Box<Wishes>>, Refusal> {
    if !headers.keys().any(|name| name.as_str().starts_with("x-trivium-")) {
        return Ok(None);
    }
    let wishes = Wishes {
        order: names(headers, "x-trivium-order")?,
        only: names(headers, "x-trivium-only")?,
        ignore: names(headers, "x-trivium-ignore")?,
        max_cost: text(headers, "x-trivium-max-cost")?.map(cost).transpose()?,
        tier: text(headers, "x-trivium-tier")?.map(tier).transpose()?,
        no_training: text(headers, "x-trivium-no-training")?.map(flag).transpose()?.unwrap_or(false),
        task: None,
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
        assert_eq!(of_headers(&headers(&[("x-other", "1")])).unwrap(), None);
        let found = of_headers(&headers(&[
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
            let refusal = of_headers(&headers(&[pair])).unwrap_err();
            assert_eq!((refusal.code, refusal.param), (Code::InvalidParameter, Some(pair.0)));
        }
    }

    #[test]
    fn a_field_of_the_body_says_the_same_and_goes_no_further() {
        let text = r#"{"model":"m","trivium":{"order":["a"],"only":["b"],"max_cost":0.5,"session":"s"},"messages":[]}"#;
        let mut facts = openai::chat::scan(text.as_bytes()).unwrap();
        let mut body = Bytes::from_static(text.as_bytes());
        let found = take(&headers(&[("x-trivium-order", "c")]), &mut body, &mut facts).unwrap();
        assert_eq!(body, r#"{"model":"m","messages":[]}"#);
        let expected = Wishes {
            order: vec!["c".to_owned()],
            only: vec!["b".to_owned()],
            max_cost: Some(500_000_000_000),
            ..Wishes::default()
        };
        assert_eq!(found, (Some("s".to_owned()), Some(Box::new(expected))));
        for wrong in [r#"{"speed":1}"#, r#"{"tier":"gold"}"#, r#"{"max_cost":-1}"#, "5"] {
            let text = format!(r#"{{"model":"m","messages":[],"trivium":{wrong}}}"#);
            let mut facts = openai::chat::scan(text.as_bytes()).unwrap();
            let refused = take(&HeaderMap::new(), &mut Bytes::from(text), &mut facts);
            assert_eq!(refused.unwrap_err().code, Code::InvalidParameter, "{wrong}");
        }
    }

    #[test]
    fn a_session_has_several_names() {
        assert_eq!(session(&headers(&[("session_id", "s1")])).as_deref(), Some("s1"));
        assert_eq!(session(&headers(&[("session_id", "s1"), ("x-session-id", "s2")])).as_deref(), Some("s2"));
        assert_eq!(session(&headers(&[("x-session-id", "")])), None);
    }
}
