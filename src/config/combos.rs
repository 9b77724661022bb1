//! The section `combos`: virtual models made of others. Here is what was written; whether the steps lead anywhere, and
//! not in a circle, is checked in `combos/lead.rs`.

mod lead;
mod shaping;

use std::{collections::HashMap, sync::Arc};

use super::{
    auto,
    effective::Sink,
    fields::{Fields, Written},
    layers::Overlay,
    mask::shown,
    node::{Node, Value},
    origin::Origin,
    routing,
    schema::{Key, Section},
};
use crate::engine::settings::{AutoMode, Catalogue, Combo, Connection, Scoring, Step, Strategy, Wanted};

const ID: Key =
    Key::new("id", "a name of letters, digits, `.`, `_`, `-`, `:` and `/`, at most 128", "coding");
const DESCRIPTION: Key = Key::new("description", "a text", "\"for the editor\"");
const STRATEGY: Key = Key::new("strategy", routing::KINDS, "weighted");
const CONNECTIONS: Key = Key::new("connections", routing::KINDS, "round-robin");
const STICKY: Key = Key::new("sticky", "a number of requests from 1 to 10000", "3");
const BY_TIER: Key = Key::new("by_tier", "true or false", "true");
const MODE: Key = Key::new("mode", auto::MODES, "ship-fast");
const ENABLED: Key = Key::new("enabled", "true or false", "true");
const CACHE: Key = Key::new("cache", "true or false", "true");
const JOIN: Key = Key::new("join", "true or false", "true");
const STEPS: Key = Key::new("steps", "a list of models", "[groq/llama-3.3-70b-versatile, gpt-4o]");
const MODEL: Key = Key::new("model", "a model as clients name it, or `prefix/*`", "gpt-4o");
const COMBO: Key = Key::new("combo", "the id of another combo", "small");
const CONNECTION: Key = Key::new("connection", "the id of a connection", "groq-1");
const WEIGHT: Key = Key::new("weight", "a whole number from 0 to 1000000", "70");

pub(super) static SECTION: Section = Section {
    name: "combos",
    keys: &[
        ID,
        DESCRIPTION,
        STRATEGY,
        CONNECTIONS,
        STICKY,
        BY_TIER,
        MODE,
        ENABLED,
        CACHE,
        JOIN,
        shaping::COMPRESS,
        shaping::THINKING,
        shaping::SYSTEM,
        shaping::SYSTEM_PLACE,
        shaping::BACKGROUND,
        shaping::SMALL,
        shaping::LARGE,
        STEPS,
    ],
};

/// A step of which more is said than its model.
static STEP: Section = Section { name: "steps", keys: &[MODEL, COMBO, CONNECTION, WEIGHT] };

/// A step that is written as a text with this in front means a combo.
const PREFIX: &str = "combo/";

/// What steps are checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) connections: &'a [Arc<Connection>],
    /// Whether there are connections that cannot be used, so that what is missing may be theirs.
    pub(super) some_left_out: bool,
    /// How `auto` scores where a combo names no mode.
    pub(super) scoring: &'a Scoring,
    /// The strategy between accounts where a combo names none.
    pub(super) strategy: Strategy,
}

/// A combo and where its parts were written.
struct Drafted {
    combo: Combo,
    path: String,
    origin: Origin,
    steps: Vec<Origin>,
    /// Where its requests may be sent instead.
    elsewhere: Vec<shaping::Elsewhere>,
}

/// The combos in the order of the file.
pub(super) fn read(node: Option<&Node>, against: Against<'_>, sink: &mut Sink) -> Vec<Arc<Combo>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of combos, found {}", node.value.shape());
        let remedy = "write each combo as a list item: `- id: coding`, its other settings indented below";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let mut seen: HashMap<String, Origin> = HashMap::new();
    let mut drafts = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(draft) = draft(item, index, against, sink) else { continue };
        let id = draft.combo.id.to_string();
        if let Some(first) = seen.get(&id) {
            let lines = (first.line().unwrap_or_default(), draft.origin.line().unwrap_or_default());
            let message = format!("the combo `{id}` is given twice, in lines {} and {}", lines.0, lines.1);
            let remedy = "rename one of them, or put their steps into one";
            sink.problems.error(&format!("{}.{}", draft.path, ID.name), &draft.origin, message, remedy);
            continue;
        }
        seen.insert(id, draft.origin.clone());
        drafts.push(draft);
    }
    lead::check(&drafts, against, sink);
    drafts.into_iter().map(|draft| Arc::new(draft.combo)).collect()
}

fn draft(item: &Node, index: usize, against: Against<'_>, sink: &mut Sink) -> Option<Drafted> {
    let overlay = Overlay::default();
    let path = format!("{}[{index}]", SECTION.name);
    let fields = Fields::open(&SECTION, path.clone(), Some(item), &overlay, sink);
    let id = id(&fields, sink);
    let strategy = fields.choice(sink, &STRATEGY, &routing::STRATEGIES, Strategy::Priority);
    let connections = fields.choice(sink, &CONNECTIONS, &routing::STRATEGIES, against.strategy);
    let sticky = fields.number(sink, &STICKY, 1..=10_000, 1);
    let enabled = fields.truth(sink, &ENABLED, true);
    let description = described(&fields, sink);
    let (shaping, elsewhere) = shaping::read(&fields, sink);
    let (cache, join) = (said(&fields, &CACHE, sink), said(&fields, &JOIN, sink));
    let (steps, origins) = steps(&fields, sink);
    if let (Some(node), false) = (fields.node(&STEPS), steps.is_empty()) {
        let names: Vec<String> = steps.iter().map(in_words).collect();
        sink.holds(fields.path_of(&STEPS), &STEPS, format!("[{}]", names.join(", ")), node.origin.clone());
    }
    let id = id?;
    if !enabled || steps.is_empty() {
        return None;
    }
    let combo = Combo {
        id: id.value.into(),
        description,
        strategy,
        connections,
        sticky,
        by_tier: fields.truth(sink, &BY_TIER, false),
        scoring: scoring(&fields, against, sink),
        cache,
        join,
        shaping,
        steps,
    };
    Some(Drafted { combo, path, origin: id.origin, steps: origins, elsewhere })
}

/// How `auto` scores the steps, where the combo names a mode.
fn scoring(fields: &Fields<'_>, against: Against<'_>, sink: &mut Sink) -> Option<Box<Scoring>> {
    fields.node(&MODE)?;
    let mode = fields.choice(sink, &MODE, &auto::MODE_NAMES, AutoMode::Balanced);
    Some(Box::new(Scoring { weights: mode.weights(), ..against.scoring.clone() }))
}

fn id(fields: &Fields<'_>, sink: &mut Sink) -> Option<Written<String>> {
    let path = fields.path_of(&ID);
    let Some(written) = fields.text(sink, &ID) else {
        if fields.node(&ID).is_none() {
            let remedy = "give the combo a name, such as `id: coding`";
            sink.problems.error(&path, fields.origin(), "`id` is missing", remedy);
        }
        return None;
    };
    let id = &written.value;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    if !(1..=128).contains(&id.len()) || !id.chars().all(harmless) || id.starts_with(PREFIX) {
        let message = format!("expected {}, found {}", ID.kind, shown(id));
        let remedy = format!(
            "write for example `id: coding`; clients also find it as `{PREFIX}coding`, which needs no writing"
        );
        sink.problems.error(&path, &written.origin, message, remedy);
        return None;
    }
    sink.holds(path, &ID, id.as_str(), written.origin.clone());
    Some(written)
}

/// The steps, and where each was written. Says so when there are none.
fn steps(fields: &Fields<'_>, sink: &mut Sink) -> (Vec<Step>, Vec<Origin>) {
    let path = fields.path_of(&STEPS);
    let items = match fields.node(&STEPS).map(|node| (&node.value, node)) {
        Some((Value::List(items), _)) if !items.is_empty() => items,
        found => {
            let origin = found.map_or(fields.origin(), |(_, node)| &node.origin);
            let message = found.map_or_else(
                || "`steps` is missing".to_owned(),
                |(value, _)| {
                    format!(
                        "expected {}, found {}",
                        STEPS.kind,
                        match value {
                            Value::List(_) => "an empty list",
                            value => value.shape(),
                        }
                    )
                },
            );
            let remedy = format!("write for example `{}: {}`", STEPS.name, STEPS.example);
            sink.problems.error(&path, origin, message, remedy);
            return (Vec::new(), Vec::new());
        }
    };
    let steps = items.iter().enumerate().filter_map(|(index, item)| {
        let step = step(format!("{path}[{index}]"), item, sink)?;
        Some((step, item.origin.clone()))
    });
    steps.unzip()
}

/// A step is a model's name, `combo/<id>`, or a mapping that says more.
fn step(path: String, item: &Node, sink: &mut Sink) -> Option<Step> {
    if !matches!(item.value, Value::Map(_)) {
        let written = super::fields::items_of(sink, &path, &STEPS, std::slice::from_ref(item)).pop()?;
        return Some(Step { wanted: wanted(&written.value, None), weight: 1 });
    }
    let overlay = Overlay::default();
    let fields = Fields::open(&STEP, path, Some(item), &overlay, sink);
    let weight = fields.number(sink, &WEIGHT, 0..=1_000_000, 1);
    let connection = fields.text(sink, &CONNECTION).map(|written| Arc::from(written.value));
    let wanted = match (fields.text(sink, &MODEL), fields.text(sink, &COMBO)) {
        (Some(model), None) => wanted(&model.value, connection),
        (None, Some(combo)) if connection.is_none() => Wanted::Combo(combo.value.into()),
        (None, Some(_)) => {
            let remedy = "write `connection` at the steps of the combo that it leads to";
            let message = "a step that is a combo has no connection of its own";
            sink.problems.error(&fields.path_of(&CONNECTION), &item.origin, message, remedy);
            return None;
        }
        (model, _) => {
            let message = if model.is_some() {
                "a step leads to a model or to a combo, not to both"
            } else {
                "the step leads nowhere"
            };
            let remedy = "write either `model: gpt-4o` or `combo: small`";
            sink.problems.error(fields.path(), &item.origin, message, remedy);
            return None;
        }
    };
    Some(Step { wanted, weight })
}

/// `true` or `false`, if it is said.
fn said(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<bool> {
    if fields.node(key).is_none() {
        sink.holds_not(fields.path_of(key), Origin::Default);
        return None;
    }
    Some(fields.truth(sink, key, false))
}

fn described(fields: &Fields<'_>, sink: &mut Sink) -> Option<String> {
    let path = fields.path_of(&DESCRIPTION);
    let Some(written) = fields.text(sink, &DESCRIPTION) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    sink.holds(path, &DESCRIPTION, written.value.as_str(), written.origin);
    Some(written.value)
}

/// A step as it may be written.
fn in_words(step: &Step) -> String {
    let wanted = match &step.wanted {
        Wanted::Combo(id) => format!("{PREFIX}{id}"),
        Wanted::Model { name, connection: Some(id) } => format!("{name} at {id}"),
        Wanted::Model { name, connection: None } => name.to_string(),
    };
    if step.weight == 1 { wanted } else { format!("{wanted} (weight {})", step.weight) }
}

fn wanted(name: &str, connection: Option<Arc<str>>) -> Wanted {
    match name.strip_prefix(PREFIX) {
        Some(id) if connection.is_none() => Wanted::Combo(id.into()),
        _ => Wanted::Model { name: name.into(), connection },
    }
}
