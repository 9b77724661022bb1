//! Behaviours that a key asks for by its own name, so that no script is needed.
//!
//! A name is `sim-` and words joined by `+`; what follows a `.` only tells accounts apart. The table of the words is in
//! `docs/simulator.md`, and a test keeps the two together.

use super::fault::{Fault, Rule};
use super::script::{Behaviour, Quirk, Rate};

/// What a key's name asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    /// The name is of another kind.
    No,
    /// The name begins as ours do, but has a word that means nothing: most likely a slip of the pen.
    Unknown(String),
    /// The behaviour.
    Yes(Box<Behaviour>),
}

/// How long a `sim-limit-N` account stays dry, in seconds.
const DRY_SECONDS: u64 = 20;

/// Reads a key's name. The pace (delays, chunks) is taken from `base`.
pub(super) fn behaviour(key: &str, base: &Behaviour) -> Named {
    let Some(words) = key.strip_prefix("sim-") else { return Named::No };
    let words = words.split_once('.').map_or(words, |(words, _account)| words);
    let mut built = Behaviour {
        headers_delay_ms: base.headers_delay_ms,
        first_token_delay_ms: base.first_token_delay_ms,
        chunk_interval_ms: base.chunk_interval_ms,
        chunks: base.chunks,
        ..Behaviour::default()
    };
    for word in words.split('+') {
        if add(&mut built, word).is_none() {
            return Named::Unknown(word.to_owned());
        }
    }
    Named::Yes(Box::new(built))
}

/// Adds what one word asks for; `None` if the word means nothing.
fn add(built: &mut Behaviour, word: &str) -> Option<()> {
    if let Some(quirk) = Quirk::named(word) {
        built.quirks.push(quirk);
        return Some(());
    }
    let parts: Vec<&str> = word.split('-').collect();
    match *parts.as_slice() {
        ["ok"] => {}
        ["limit", n] => limited(built, number(n)?, DRY_SECONDS),
        ["limit", n, seconds] => limited(built, number(n)?, number(seconds)?),
        ["dry", n] => {
            let dry = Behaviour::dry_after(number(n)?);
            (built.limit, built.retry_after) = (dry.limit, dry.retry_after);
        }
        ["rate", n] => built.rate = Some(Rate::PerSecond(small(n)?)),
        ["rpm", n] => built.rate = Some(Rate::PerMinute(small(n)?)),
        ["headers", ms] => built.headers_delay_ms = number(ms)?,
        ["pace", ms] => built.chunk_interval_ms = number(ms)?,
        ["maker", name] if !name.is_empty() => built.maker = Some(name.to_owned()),
        ["chunks", n] => built.chunks = Some(count(n)?),
        ["flaky", percent] => {
            let p = f64::from(small(percent).filter(|p| *p <= 100)?) / 100.0;
            built.faults.push(Rule::sometimes(p, Fault::status(500)));
        }
        [ref head @ .., "after", n] => built.faults.push(Rule::after(number(n)?, fault(head)?)),
        [ref head @ .., "first", n] => built.faults.push(Rule::first(number(n)?, fault(head)?)),
        ref whole => built.faults.push(Rule::always(fault(whole)?)),
    }
    Some(())
}

fn limited(built: &mut Behaviour, requests: u64, rest_seconds: u64) {
    built.limit = Behaviour::limited(requests, rest_seconds).limit;
}

/// The words that name a fault.
fn fault(parts: &[&str]) -> Option<Fault> {
    Some(match *parts {
        ["slow", ms] => Fault::SlowFirstToken { ms: number(ms)? },
        ["close"] => Fault::CutBeforeHeaders,
        ["cut"] => Fault::CutAfterRole,
        ["cut", n] => Fault::CutMidStream { after_chunks: count(n)? },
        ["stall", n] => Fault::StallMidStream { after_chunks: count(n)? },
        ["hang"] => Fault::HangBeforeHeaders,
        ["mute"] => Fault::HangBeforeFirstToken,
        ["empty"] => Fault::Empty200,
        ["html"] => Fault::Html200,
        ["badjson"] => Fault::InvalidJson200,
        ["sse", "error"] => Fault::ErrorInSse { after_chunks: 0, code: 500 },
        ["sse", "error", n] => Fault::ErrorInSse { after_chunks: count(n)?, code: 500 },
        ["nodone"] => Fault::MissingDone,
        ["twodone"] => Fault::DuplicateDone,
        ["wrongtype"] => Fault::WrongContentType,
        ["tiny"] => Fault::TinyFragments,
        ["crlf"] => Fault::Crlf,
        ["comments"] => Fault::Comments,
        ["nousage"] => Fault::NoUsage,
        ["nostream"] => Fault::IgnoreStream,
        [code] => Fault::status(status(code)?),
        [code, "retry", seconds] => {
            Fault::Status { code: status(code)?, retry_after: Some(number(seconds)?), body: None }
        }
        _ => return None,
    })
}

fn number(text: &str) -> Option<u64> {
    text.parse().ok()
}

fn small(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn count(text: &str) -> Option<usize> {
    text.parse().ok()
}

fn status(text: &str) -> Option<u16> {
    text.parse().ok().filter(|code| (400..=599).contains(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(key: &str) -> Named {
        behaviour(key, &Behaviour::default())
    }

    fn yes(built: Behaviour) -> Named {
        Named::Yes(Box::new(built))
    }

    /// The example keys of the manual's table: the first cell of each row, as written.
    fn manual_rows() -> Vec<&'static str> {
        include_str!("../../docs/simulator.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `sim-"))
            .filter_map(|rest| rest.split_once('`'))
            .map(|(name, _)| name)
            .collect()
    }

    #[test]
    fn every_row_of_the_manual_reads() {
        let rows = manual_rows();
        assert!(rows.len() >= 30, "the table has {} rows", rows.len());
        for row in rows {
            let key = format!("sim-{row}");
            assert!(matches!(read(&key), Named::Yes(_)), "{key} is in the manual and means nothing");
        }
    }

    #[test]
    fn names_mean_what_they_say() {
        assert_eq!(read("sk-123"), Named::No);
        assert_eq!(read("sim-ok"), yes(Behaviour::ok()));
        assert_eq!(read("sim-limit-3.alice"), yes(Behaviour::limited(3, 20)));
        assert_eq!(read("sim-limit-3-300"), yes(Behaviour::limited(3, 300)));
        assert_eq!(read("sim-dry-2"), yes(Behaviour::dry_after(2)));
        assert_eq!(read("sim-429"), yes(Behaviour::failing(Fault::status(429))));
        assert_eq!(
            read("sim-429-retry-7-after-5.b"),
            yes(Behaviour::ok()
                .rule(Rule::after(5, Fault::Status { code: 429, retry_after: Some(7), body: None })))
        );
        assert_eq!(read("sim-cut-3"), yes(Behaviour::failing(Fault::CutMidStream { after_chunks: 3 })));
        assert_eq!(read("sim-empty-first-2"), yes(Behaviour::ok().rule(Rule::first(2, Fault::Empty200))));
        assert_eq!(
            read("sim-limit-3+crlf+pace-5"),
            yes(Behaviour {
                chunk_interval_ms: 5,
                ..Behaviour::limited(3, 20).rule(Rule::always(Fault::Crlf))
            })
        );
    }

    #[test]
    fn strictness_has_names() {
        let quirks = vec![Quirk::ToolIdNine, Quirk::NoStreamOptions];
        let strict = Behaviour { quirks, maker: Some("other".to_owned()), ..Behaviour::ok() };
        assert_eq!(read("sim-tool-id-nine+no-stream-options+maker-other.a"), yes(strict));
        for quirk in [
            Quirk::ToolIdNine,
            Quirk::ToolIdForty,
            Quirk::NoDeveloperRole,
            Quirk::NoStreamOptions,
            Quirk::NoMaxCompletionTokens,
        ] {
            let written = serde_json::to_value(quirk).ok();
            let name = written.as_ref().and_then(serde_json::Value::as_str);
            assert_eq!(name.and_then(Quirk::named), Some(quirk));
        }
    }

    #[test]
    fn slips_are_found() {
        for key in
            ["sim-", "sim-limit", "sim-limit-x", "sim-200", "sim-ok+oops", "sim-crlf-5", "sim-flaky-200"]
        {
            assert!(matches!(read(key), Named::Unknown(_)), "{key}");
        }
    }

    #[test]
    fn the_pace_is_the_defaults_own() {
        let base = Behaviour { chunks: Some(9), chunk_interval_ms: 3, ..Behaviour::failing(Fault::Crlf) };
        assert_eq!(behaviour("sim-ok", &base), yes(Behaviour::ok().paced(9, 3)));
    }
}
