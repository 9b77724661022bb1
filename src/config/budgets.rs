//! The section `budgets`: what may be spent, by whom, in which window, and what happens then.

mod scope;

use std::{collections::HashMap, sync::Arc};

use super::{
    effective::Sink,
    fields::{Fields, Written},
    layers::Overlay,
    mask::shown,
    node::{Node, Value},
    origin::Origin,
    providers::{instance::tiers, price::amount},
    schema::{Key, Section},
};
use crate::engine::settings::{Budget, Catalogue, Mode, Over, Tier, UnknownPrice, Usd, Window};

const ID: Key = Key::new("id", "a name of letters, digits, `.`, `_` and `-`, at most 64", "team");
const FOR: Key = Key::new(
    "for",
    "`all`, `*` (each key), a key's id or name, `tier:` and a tier, or `provider:` and a provider",
    "\"*\"",
);
const LIMIT: Key = Key::new("limit", "dollars, more than 0 and at most 1000000", "50");
const WINDOW: Key = Key::new("window", "`day`, `week` or `month`", "day");
const RESET: Key = Key::new("reset", "a time of day in UTC, `HH:MM`", "\"00:00\"");
const MODE: Key = Key::new("mode", "`strict` or `soft`", "strict");
const WARN: Key = Key::new("warn", "a part of the limit from 0 to 1", "0.8");
const OVER: Key = Key::new("over", "`warn` or `degrade`", "warn");
const DEGRADE_TO: Key = Key::new("degrade_to", "`subscription`, `key`, `cheap` or `free`", "free");
const UNKNOWN_PRICE: Key = Key::new("unknown_price", "`allow` or `refuse`", "refuse");

pub(super) static SECTION: Section = Section {
    name: "budgets",
    keys: &[ID, FOR, LIMIT, WINDOW, RESET, MODE, WARN, OVER, DEGRADE_TO, UNKNOWN_PRICE],
};

const WINDOWS: [(&str, Window); 3] = [
    (Window::Day.as_str(), Window::Day),
    (Window::Week.as_str(), Window::Week),
    (Window::Month.as_str(), Window::Month),
];
const MODES: [(&str, Mode); 2] = [("strict", Mode::Strict), ("soft", Mode::Soft)];
const UNKNOWN: [(&str, UnknownPrice); 2] = [("allow", UnknownPrice::Allow), ("refuse", UnknownPrice::Refuse)];

/// The budgets in the order of the file.
pub(super) fn read(node: Option<&Node>, catalogue: &Catalogue, sink: &mut Sink) -> Vec<Arc<Budget>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of budgets, found {}", node.value.shape());
        let remedy = "write each budget as a list item: `- {id: team, for: \"*\", limit: 50, window: day}`";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let mut seen: HashMap<String, Origin> = HashMap::new();
    let mut budgets = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some((id, budget)) = budget(item, index, catalogue, sink) else { continue };
        if let Some(first) = seen.get(&id.value) {
            let message = format!("the budget `{}` is given twice, {}", id.value, first.both(&id.origin));
            let path = format!("{}[{index}].{}", SECTION.name, ID.name);
            sink.problems.error(&path, &id.origin, message, "rename one of them");
            continue;
        }
        seen.insert(id.value, id.origin);
        budgets.push(Arc::new(budget));
    }
    budgets
}

fn budget(
    item: &Node,
    index: usize,
    catalogue: &Catalogue,
    sink: &mut Sink,
) -> Option<(Written<String>, Budget)> {
    let overlay = Overlay::default();
    let fields = Fields::open(&SECTION, format!("{}[{index}]", SECTION.name), Some(item), &overlay, sink);
    let id = id(&fields, sink);
    let scope = scope::read(&fields, catalogue, sink);
    let limit = limit(&fields, sink);
    let window = fields.choice(sink, &WINDOW, &WINDOWS, Window::Month);
    let reset_minute = reset(&fields, sink);
    let mode = fields.choice(sink, &MODE, &MODES, Mode::Strict);
    let warn = warn(&fields, sink);
    let over = over(&fields, mode, sink);
    let usual = if mode == Mode::Strict { UnknownPrice::Refuse } else { UnknownPrice::Allow };
    let unknown_price = fields.choice(sink, &UNKNOWN_PRICE, &UNKNOWN, usual);
    let (id, scope, limit) = (id?, scope?, limit?);
    let name = Arc::from(id.value.as_str());
    Some((id, Budget { id: name, scope, limit, window, reset_minute, mode, warn, over, unknown_price }))
}

fn id(fields: &Fields<'_>, sink: &mut Sink) -> Option<Written<String>> {
    let path = fields.path_of(&ID);
    let Some(written) = fields.text(sink, &ID) else {
        missing(fields, &ID, sink);
        return None;
    };
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !(1..=64).contains(&written.value.len()) || !written.value.chars().all(harmless) {
        let message = format!("expected {}, found {}", ID.kind, shown(&written.value));
        sink.problems.error(&path, &written.origin, message, "write for example `id: team`");
        return None;
    }
    sink.holds(path, &ID, written.value.as_str(), written.origin.clone());
    Some(written)
}

fn limit(fields: &Fields<'_>, sink: &mut Sink) -> Option<Usd> {
    missing(fields, &LIMIT, sink);
    let limit = Usd::from_dollars(amount(fields, &LIMIT, sink)?)?;
    if limit == Usd::ZERO {
        let remedy = "write what may be spent, such as `limit: 50`; to forbid a key everything, revoke it";
        sink.problems.error(
            &fields.path_of(&LIMIT),
            fields.origin(),
            "a limit of nothing refuses everything",
            remedy,
        );
        return None;
    }
    Some(limit)
}

/// Minutes after midnight.
fn reset(fields: &Fields<'_>, sink: &mut Sink) -> u16 {
    let path = fields.path_of(&RESET);
    let Some(written) = fields.text(sink, &RESET) else {
        sink.holds(path, &RESET, "00:00", Origin::Default);
        return 0;
    };
    let digits = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let time =
        written.value.split_once(':').and_then(|(hour, minute)| Some((digits(hour)?, digits(minute)?)));
    match time {
        Some((hour @ 0..=23, minute @ 0..=59)) => {
            sink.holds(path, &RESET, written.value.as_str(), written.origin);
            hour * 60 + minute
        }
        _ => {
            let message = format!("expected {}, found {}", RESET.kind, shown(&written.value));
            sink.problems.error(&path, &written.origin, message, "write for example `reset: \"06:30\"`");
            0
        }
    }
}

fn warn(fields: &Fields<'_>, sink: &mut Sink) -> f64 {
    fields.number(sink, &WARN, 0.0..=1.0, 0.8)
}

/// What a soft budget does. A strict one refuses, and needs no such word.
fn over(fields: &Fields<'_>, mode: Mode, sink: &mut Sink) -> Over {
    let degrades = fields.choice(sink, &OVER, &[("warn", false), ("degrade", true)], false);
    let to = fields.node(&DEGRADE_TO).map(|_| fields.choice(sink, &DEGRADE_TO, &tiers(), Tier::Free));
    let (path, origin) = (fields.path_of(&OVER), fields.origin());
    match (degrades, to, mode) {
        (true, _, Mode::Strict) => {
            let remedy = "write `mode: soft`, or remove `over`";
            sink.problems.error(&path, origin, "a strict budget refuses: it cannot degrade", remedy);
            Over::Warn
        }
        (true, to, Mode::Soft) => Over::Degrade(to.unwrap_or(Tier::Free)),
        (false, Some(_), _) => {
            let remedy = "write `over: degrade` too, or remove `degrade_to`";
            sink.problems.error(
                &fields.path_of(&DEGRADE_TO),
                origin,
                "`degrade_to` without `over: degrade`",
                remedy,
            );
            Over::Warn
        }
        (false, None, _) => Over::Warn,
    }
}

fn missing(fields: &Fields<'_>, key: &Key, sink: &mut Sink) {
    if fields.node(key).is_none() {
        let remedy = format!("write for example `{}: {}`", key.name, key.example);
        sink.problems.error(
            &fields.path_of(key),
            fields.origin(),
            format!("`{}` is missing", key.name),
            remedy,
        );
    }
}
