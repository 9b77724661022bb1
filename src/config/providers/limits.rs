//! The limits of an account that the hub counts itself: `limits`, a list of windows.

use std::sync::Arc;

use super::{LIMITS, MODEL_OF, PER, RESET};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written, mismatch},
        layers::Overlay,
        mask::shown,
        node::{Node, Value},
        schema::{Key, Section},
    },
    engine::settings::{CREDIT, Limit, Reset, Span, Unit},
};

const REQUESTS: Key = Key::new("requests", "a whole number from 1 to 1000000000000", "30");
const TOKENS: Key = Key::new("tokens", "a whole number from 1 to 1000000000000", "1000000");
const USD: Key = Key::new("usd", "US dollars, more than 0 and at most 1000000", "2.50");
const CREDITS: Key = Key::new("credits", "a number, more than 0 and at most 1000000000000", "10000");
const EACH: Key = Key::new("each", "credits from 0.001 to 1000000", "2");

static LIMIT: Section =
    Section { name: "limits", keys: &[PER, REQUESTS, TOKENS, USD, CREDITS, EACH, MODEL_OF, RESET] };

/// No window needs more, and the counting costs by their number.
const MOST: usize = 32;

const PICO: f64 = 1e12;

pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> Vec<Limit> {
    let Some(node) = fields.node(&LIMITS) else { return Vec::new() };
    let path = fields.path_of(&LIMITS);
    let Value::List(items) = &node.value else {
        mismatch(sink, &path, &LIMITS, node);
        return Vec::new();
    };
    if items.len() > MOST {
        let message = format!("{} limits, and an account can have {MOST}", items.len());
        sink.problems.error(&path, &node.origin, message, "leave out those that others imply");
    }
    let limits: Vec<Limit> = items
        .iter()
        .enumerate()
        .filter_map(|(index, item)| limit(format!("{path}[{index}]"), item, sink))
        .collect();
    let words: Vec<String> = limits.iter().map(in_words).collect();
    sink.holds(path, &LIMITS, format!("[{}]", words.join(", ")), node.origin.clone());
    limits
}

fn limit(path: String, item: &Node, sink: &mut Sink) -> Option<Limit> {
    let overlay = Overlay::default();
    let fields = Fields::open(&LIMIT, path, Some(item), &overlay, sink);
    let span = span(&fields, sink);
    let amount = amount(&fields, sink);
    let model = fields.text(sink, &MODEL_OF).map(|written| Arc::from(written.value));
    let span = span?;
    let reset = reset(&fields, span, sink)?;
    let (unit, amount) = amount?;
    let each = match (unit, fields.node(&EACH)) {
        (Unit::Credits, Some(_)) => parts(fields.number(sink, &EACH, 0.001..=1e6, 1.0), CREDIT as f64),
        (_, None) => CREDIT,
        (_, Some(node)) => {
            let remedy = "write it beside `credits` only, as what one request takes of them";
            let message = "`each` says something of credits, and none are limited here";
            sink.problems.error(&fields.path_of(&EACH), &node.origin, message, remedy);
            return None;
        }
    };
    Some(Limit { span, unit, amount, model, reset, each })
}

fn span(fields: &Fields<'_>, sink: &mut Sink) -> Option<Span> {
    let Some(Written { value, origin }) = fields.text(sink, &PER) else {
        if fields.node(&PER).is_none() {
            let remedy = format!("say in how much time, such as `{}: {}`", PER.name, PER.example);
            sink.problems.error(&fields.path_of(&PER), fields.origin(), "`per` is missing", remedy);
        }
        return None;
    };
    let span = Span::parse(&value);
    if span.is_none() {
        let message = format!("expected {}, found {}", PER.kind, shown(&value));
        let remedy = format!("write for example `{}: {}`", PER.name, PER.example);
        sink.problems.error(&fields.path_of(&PER), &origin, message, remedy);
    }
    span
}

/// The one amount that is written, in its unit's parts.
fn amount(fields: &Fields<'_>, sink: &mut Sink) -> Option<(Unit, u64)> {
    const LARGEST: u64 = 1_000_000_000_000;
    let keys = [REQUESTS, TOKENS, USD, CREDITS];
    let mut written = keys.iter().filter(|key| fields.node(key).is_some());
    let (Some(key), None) = (written.next(), written.next()) else {
        let names = keys.map(|key| format!("`{}`", key.name)).join(", ");
        let remedy = format!("write one of {names}; each further one is a limit of its own");
        sink.problems.error(fields.path(), fields.origin(), "a limit has exactly one amount", remedy);
        return None;
    };
    // What is wrong has been reported by the reader, and one is as good as any other then.
    match key.name {
        "requests" => Some((Unit::Requests, fields.number(sink, &REQUESTS, 1..=LARGEST, 1))),
        "tokens" => Some((Unit::Tokens, fields.number(sink, &TOKENS, 1..=LARGEST, 1))),
        "usd" => Some((Unit::Money, parts(fields.number(sink, &USD, 1e-6..=1e6, 1.0), PICO))),
        _ => Some((Unit::Credits, parts(fields.number(sink, &CREDITS, 0.001..=1e12, 1.0), CREDIT as f64))),
    }
}

fn reset(fields: &Fields<'_>, span: Span, sink: &mut Sink) -> Option<Reset> {
    let Some(Written { value, origin }) = fields.text(sink, &RESET) else { return Some(Reset::Rolling) };
    let path = fields.path_of(&RESET);
    let found = match value.as_str() {
        "rolling" => Some(Reset::Rolling),
        "first-use" => Some(Reset::FirstUse),
        time => minutes(time).map(Reset::At),
    };
    let Some(found) = found else {
        let message = format!("expected {}, found {}", RESET.kind, shown(&value));
        let remedy = format!("write for example `{}: {}`", RESET.name, RESET.example);
        sink.problems.error(&path, &origin, message, remedy);
        return None;
    };
    if matches!(found, Reset::At(_)) && ![Span::DAY, Span::WEEK, Span::Month].contains(&span) {
        let message = format!("the calendar knows days, weeks and months, and this limit is per {span}");
        let remedy = "write `reset: rolling` or `reset: first-use`";
        sink.problems.error(&path, &origin, message, remedy);
        return None;
    }
    Some(found)
}

/// Minutes after midnight of a time such as `07:30`.
fn minutes(time: &str) -> Option<u16> {
    let (hours, minutes) = time.split_once(':')?;
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (time.len() == 5 && hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// A number of wholes in parts.
fn parts(number: f64, of_one: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range of its key"
    )]
    let parts = (number * of_one).round() as u64;
    parts
}

/// A limit as it may be written.
fn in_words(limit: &Limit) -> String {
    let amount = match limit.unit {
        Unit::Money => (limit.amount as f64 / PICO).to_string(),
        Unit::Credits => (limit.amount as f64 / CREDIT as f64).to_string(),
        Unit::Requests | Unit::Tokens => limit.amount.to_string(),
    };
    let model = limit.model.as_ref().map(|model| format!(" of {model}")).unwrap_or_default();
    let reset = match limit.reset {
        Reset::Rolling => String::new(),
        Reset::FirstUse => " from first use".to_owned(),
        Reset::At(minutes) => format!(" from {:02}:{:02}", minutes / 60, minutes % 60),
    };
    format!("{amount} {}{model} per {}{reset}", limit.unit.as_str(), limit.span)
}
