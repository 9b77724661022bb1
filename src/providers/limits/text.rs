//! The sentence by which OpenAI, Groq and their likes refuse: `Rate limit reached for model `m` in organization … on tokens
//! per minute (TPM): Limit 6000, Used 3513, Requested 3166. Please try again in 6.78s.`

use std::time::Duration;

use super::reading;
use crate::{
    engine::{
        ports::Reading,
        settings::{Span, Unit},
    },
    providers::retry,
};

/// What is said in brackets, and what it means.
const WINDOWS: [(&str, &str, Unit, Span); 6] = [
    ("(RPM)", "requests a minute", Unit::Requests, Span::MINUTE),
    ("(TPM)", "tokens a minute", Unit::Tokens, Span::MINUTE),
    ("(RPH)", "requests an hour", Unit::Requests, Span::HOUR),
    ("(TPH)", "tokens an hour", Unit::Tokens, Span::HOUR),
    ("(RPD)", "requests a day", Unit::Requests, Span::DAY),
    ("(TPD)", "tokens a day", Unit::Tokens, Span::DAY),
];

/// What a sentence tells.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Said {
    pub(super) reading: Option<Reading>,
    /// How long to wait.
    pub(super) wait: Option<Duration>,
}

/// Reads a refusal's message; `asked` is how long its headers ask to wait. Only where the end is known there is a window:
/// without one, leaving the account alone for a while is all that follows.
pub(super) fn read(message: &str, asked: Option<Duration>, now: i64) -> Said {
    let wait = behind(message, "try again in ").and_then(duration);
    let limit = behind(message, "Limit ").and_then(number);
    let too_large =
        behind(message, "Requested ").and_then(number).zip(limit).is_some_and(|(asks, has)| asks > has);
    let known = WINDOWS.iter().find(|(word, ..)| message.contains(word));
    let reading = known.zip(wait.or(asked)).filter(|_| !too_large).and_then(|(window, wait)| {
        let (_, name, unit, span) = *window;
        let ends = now.saturating_add(i64::try_from(wait.as_millis()).ok()?);
        Some(Reading {
            of_model: names_model(message),
            limit,
            used: 1.0,
            resets_at: Some(ends),
            exhausted: true,
            ..reading(name, Some(unit), Some(span))
        })
    });
    Said { reading, wait }
}

/// Whether the limit is one of the model that was asked.
fn names_model(message: &str) -> bool {
    behind(message, "reached for ").is_some_and(|rest| rest.contains(" in organization"))
}

fn behind<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.split_once(words).map(|(_, rest)| rest)
}

/// A number at the beginning; Groq marks guesses with a tilde.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_start_matches('~');
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    text.get(..digits)?.replace(',', "").parse().ok()
}

/// A duration at the beginning: `6m0s`, `6.78s.`, `644ms`.
fn duration(text: &str) -> Option<Duration> {
    let word = text.split_whitespace().next()?.trim_end_matches(['.', ',']);
    retry::go_duration(word)
}
