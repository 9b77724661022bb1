//! The section `combos`: virtual models made of others, and its neighbours `aliases` and `map`. Here is what was written;
//! whether the steps lead anywhere, and not in a circle, is checked in `combos/lead.rs`.

mod aliases;
mod knobs;
mod lead;
mod map;
mod shaping;
mod written;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

pub(super) use aliases::SECTION as ALIASES;
/// The key under which an alias lists its targets.
pub(super) const TARGETS_NAME: &str = aliases::TARGETS.name;

pub(super) use map::SECTION as MAP;
pub use written::write;

use super::{
    auto,
    effective::Sink,
    fields::Fields,
    layers::Overlay,
    mask::shown,
    node::{Map, Node, Value},
    origin::Origin,
    routing,
    schema::{Key, Section},
};
use crate::engine::settings::{
    AutoMode, Catalogue, Combo, Connection, Mapping, Scoring, Step, Strategy, TAGGED, Wanted,
};

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
const TAG: Key = Key::new("tag", "a tag of models", "web-search");
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
        knobs::RETRIES,
        knobs::RETRY_PAUSE,
        knobs::DEADLINE,
        knobs::AFFINITY,
        knobs::FALLBACK,
        STEPS,
    ],
};

/// A step of which more is said than its model.
static STEP: Section = Section { name: "steps", keys: &[MODEL, COMBO, TAG, CONNECTION, WEIGHT] };

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

/// A combo, or an alias, and where its parts were written.
struct Drafted {
    combo: Combo,
    /// The word for what it is.
    what: &'static str,
    /// The path of its name.
    name: String,
    /// The path of its steps.
    steps_path: String,
    /// Where its name stands.
    origin: Origin,
    /// Where each step stands.
    steps: Vec<Origin>,
    /// Where its requests may be sent instead.
    elsewhere: Vec<shaping::Elsewhere>,
}

/// The combos and then the aliases, in the order of the file, and the map.
pub(super) fn read(root: &Map, against: Against<'_>, sink: &mut Sink) -> (Vec<Arc<Combo>>, Arc<[Mapping]>) {
    let mut drafts = listed(root.get(SECTION.name), against, sink);
    drafts.extend(aliases::read(root.get(ALIASES.name), against, sink));
    let drafts = once_each(drafts, sink);
    lead::check(&drafts, against, sink);
    let ids: BTreeSet<&str> = drafts.iter().map(|draft| &*draft.combo.id).collect();
    let map = map::read(root.get(MAP.name), &ids, against, sink).into();
    (drafts.into_iter().map(|draft| Arc::new(draft.combo)).collect(), map)
}

fn listed(node: Option<&Node>, against: Against<'_>, sink: &mut Sink) -> Vec<Drafted> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of combos, found {}", node.value.shape());
        let remedy = "write each combo as a list item: `- id: coding`, its other settings indented below";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    items.iter().enumerate().filter_map(|(index, item)| draft(item, index, against, sink)).collect()
}

/// The first of each name; the others are reported.
fn once_each(drafts: Vec<Drafted>, sink: &mut Sink) -> Vec<Drafted> {
    let mut seen: HashMap<Arc<str>, (&'static str, Origin)> = HashMap::new();
    let mut kept = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let id = &draft.combo.id;
        if let Some((what, first)) = seen.get(id) {
            let message = if *what == draft.what {
                format!("the {what} `{id}` is given twice, {}", first.both(&draft.origin))
            } else {
                let (own, here) = (draft.what, &draft.origin);
                match (first.line(), here.line()) {
                    (Some(first), Some(here)) => {
                        format!(
                            "`{id}` is the name of a {what} in line {first} and of an {own} in line {here}"
                        )
                    }
                    _ => format!("`{id}` is the name of a {what} in {first} and of an {own} in {here}"),
                }
            };
            let remedy = "rename one of them, or put their steps into one";
            sink.problems.error(&draft.name, &draft.origin, message, remedy);
            continue;
        }
        seen.insert(Arc::clone(id), (draft.what, draft.origin.clone()));
        kept.push(draft);
    }
    kept
}

fn draft(item: &Node, index: usize, against: Against<'_>, sink: &mut Sink) -> Option<Drafted> {
    let overlay = Overlay::default();
    let path = format!("{}[{index}]", SECTION.name);
    let fields = Fields::open(&SECTION, path, Some(item), &overlay, sink);
    let id = id(&fields, sink);
    let strategy = fields.choice(sink, &STRATEGY, &routing::STRATEGIES, Strategy::Priority);
    let connections = fields.choice(sink, &CONNECTIONS, &routing::STRATEGIES, against.strategy);
    let sticky = fields.number(sink, &STICKY, 1..=10_000, 1);
    let enabled = fields.truth(sink, &ENABLED, true);
    let description = described(&fields, &DESCRIPTION, sink);
    let (shaping, elsewhere) = shaping::read(&fields, sink);
    let mut said = |key| knobs::said(&fields, key, sink, |sink| fields.truth(sink, key, false));
    let (cache, join) = (said(&CACHE), said(&JOIN));
    let (knobs, fallback) = (knobs::read(&fields, sink), knobs::fallback(&fields, sink));
    let (steps, origins) = steps_of(&fields, sink);
    let (id, origin) = id?;
    if !enabled || steps.is_empty() {
        return None;
    }
    let combo = Combo {
        id,
        description,
        strategy,
        connections,
        sticky,
        by_tier: fields.truth(sink, &BY_TIER, false),
        scoring: scoring(&fields, against, sink),
        cache,
        join,
        shaping,
        knobs,
        fallback,
        steps,
    };
    let (name, steps_path) = (fields.path_of(&ID), fields.path_of(&STEPS));
    Some(Drafted { combo, what: "combo", name, steps_path, origin, steps: origins, elsewhere })
}

/// How `auto` scores the steps, where the combo names a mode.
fn scoring(fields: &Fields<'_>, against: Against<'_>, sink: &mut Sink) -> Option<Box<Scoring>> {
    fields.node(&MODE)?;
    let mode = fields.choice(sink, &MODE, &auto::MODE_NAMES, AutoMode::Balanced);
    Some(Box::new(Scoring { weights: mode.weights(), ..against.scoring.clone() }))
}

/// The name, and where it stands.
fn id(fields: &Fields<'_>, sink: &mut Sink) -> Option<(Arc<str>, Origin)> {
    let path = fields.path_of(&ID);
    let Some(written) = fields.text(sink, &ID) else {
        if fields.node(&ID).is_none() {
            let remedy = "give the combo a name, such as `id: coding`";
            sink.problems.error(&path, fields.origin(), "`id` is missing", remedy);
        }
        return None;
    };
    let id = name_of(&written.value, &path, &written.origin, sink)?;
    sink.holds(path, &ID, &*id, written.origin.clone());
    Some((id, written.origin))
}

/// The name, if it can be one.
fn name_of(id: &str, path: &str, origin: &Origin, sink: &mut Sink) -> Option<Arc<str>> {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-:/".contains(c);
    if !(1..=128).contains(&id.len()) || !id.chars().all(harmless) || id.starts_with(PREFIX) {
        let message = format!("expected {}, found {}", ID.kind, shown(id));
        let remedy = format!(
            "choose a name such as `coding`; clients also find it as `{PREFIX}coding`, which needs no writing"
        );
        sink.problems.error(path, origin, message, remedy);
        return None;
    }
    Some(id.into())
}

/// The steps of a combo, and where each was written. Says so when there are none.
fn steps_of(fields: &Fields<'_>, sink: &mut Sink) -> (Vec<Step>, Vec<Origin>) {
    let (path, node) = (fields.path_of(&STEPS), fields.node(&STEPS));
    match node {
        Some(Node { value: Value::List(items), origin }) if !items.is_empty() => {
            steps(path, &STEPS, items, origin, sink)
        }
        _ => {
            no_steps(&path, &STEPS, node, fields.origin(), sink);
            (Vec::new(), Vec::new())
        }
    }
}

fn steps(
    path: String,
    key: &Key,
    items: &[Node],
    origin: &Origin,
    sink: &mut Sink,
) -> (Vec<Step>, Vec<Origin>) {
    let steps = items.iter().enumerate().filter_map(|(index, item)| {
        let step = step(format!("{path}[{index}]"), item, sink)?;
        Some((step, item.origin.clone()))
    });
    let (steps, origins): (Vec<Step>, Vec<Origin>) = steps.unzip();
    if !steps.is_empty() {
        let names: Vec<String> = steps.iter().map(in_words).collect();
        sink.holds(path, key, format!("[{}]", names.join(", ")), origin.clone());
    }
    (steps, origins)
}

/// Says that there are no steps where there should be some.
fn no_steps(path: &str, key: &Key, found: Option<&Node>, at: &Origin, sink: &mut Sink) {
    let origin = found.map_or(at, |node| &node.origin);
    let message = match found.map(|node| &node.value) {
        None => format!("`{}` is missing", key.name),
        Some(Value::List(_)) => format!("expected {}, found an empty list", key.kind),
        Some(value) => format!("expected {}, found {}", key.kind, value.shape()),
    };
    let remedy = format!("write for example `{}: {}`", key.name, key.example);
    sink.problems.error(path, origin, message, remedy);
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
    let mut text = |key| fields.text(sink, key).map(|written| written.value);
    let wanted = match (text(&MODEL), text(&COMBO), text(&TAG)) {
        (Some(model), None, None) => wanted(&model, connection),
        (None, None, Some(tag)) => Wanted::Model { name: format!("{TAGGED}{tag}").into(), connection },
        (None, Some(combo), None) if connection.is_none() => Wanted::Combo(combo.into()),
        (None, Some(_), None) => {
            let remedy = "write `connection` at the steps of the combo that it leads to";
            let message = "a step that is a combo has no connection of its own";
            sink.problems.error(&fields.path_of(&CONNECTION), &item.origin, message, remedy);
            return None;
        }
        (model, combo, tag) => {
            let message = match (model, combo, tag) {
                (None, None, None) => "the step leads nowhere",
                (Some(_), Some(_), None) => "a step leads to a model or to a combo, not to both",
                _ => "a step leads to a model, a combo or a tag, and to one of them only",
            };
            let remedy = "write either `model: gpt-4o`, `combo: small` or `tag: web-search`";
            sink.problems.error(fields.path(), &item.origin, message, remedy);
            return None;
        }
    };
    Some(Step { wanted, weight })
}

fn described(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<String> {
    let path = fields.path_of(key);
    let Some(written) = fields.text(sink, key) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    sink.holds(path, key, written.value.as_str(), written.origin);
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
