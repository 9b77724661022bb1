//! The section `aliases`: short names for one target or several in order. An alias is a combo with the strategy
//! `priority`, and is checked as one.

use super::{Against, Drafted, name_of, steps};
use crate::{
    config::{
        effective::Sink,
        fields::Fields,
        layers::Overlay,
        node::{Key as Written, Node, Value},
        origin::Origin,
        schema::{Key, Section},
    },
    engine::settings::{Combo, Step, Strategy},
};

pub(super) const TARGETS: Key =
    Key::new("targets", "a list of models", "[gpt-5.1-codex-mini, devstral-small-latest]");
const ENABLED: Key = Key::new("enabled", "true or false", "true");
const DESCRIPTION: Key = Key::new("description", "a text", "\"for titles\"");

pub(in crate::config) static SECTION: Section =
    Section { name: "aliases", keys: &[TARGETS, ENABLED, DESCRIPTION] };

/// The aliases in the order of the file.
pub(super) fn read(node: Option<&Node>, against: Against<'_>, sink: &mut Sink) -> Vec<Drafted> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::Map(map) = &node.value else {
        let message = format!("expected a mapping of names, found {}", node.value.shape());
        let remedy = format!("write each alias as a name and its targets: `small: {}`", TARGETS.example);
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    map.entries.iter().filter_map(|(name, node)| draft(name, node, against, sink)).collect()
}

/// An alias is a target, a list of them, or a mapping that says more.
fn draft(name: &Written, node: &Node, against: Against<'_>, sink: &mut Sink) -> Option<Drafted> {
    let path = format!("{}.{}", SECTION.name, name.name);
    let overlay = Overlay::default();
    let is_more = matches!(node.value, Value::Map(_));
    let fields = Fields::open(&SECTION, path.clone(), is_more.then_some(node), &overlay, sink);
    let enabled = fields.truth(sink, &ENABLED, true);
    let description = super::described(&fields, &DESCRIPTION, sink);
    let targets = if is_more { fields.node(&TARGETS) } else { Some(node).filter(|node| !node.is_null()) };
    let at = if is_more { fields.origin() } else { &name.origin };
    let (steps, origins) = targets_of(&fields, targets, at, sink);
    let id = name_of(&name.name, &path, &name.origin, sink)?;
    if !enabled || steps.is_empty() {
        return None;
    }
    let combo = Combo {
        id,
        description,
        strategy: Strategy::Priority,
        connections: against.strategy,
        sticky: 1,
        by_tier: false,
        scoring: None,
        cache: None,
        join: None,
        shaping: None,
        knobs: None,
        fallback: None,
        steps,
    };
    let elsewhere = Vec::new();
    let steps_path = if is_more { fields.path_of(&TARGETS) } else { path.clone() };
    let origin = name.origin.clone();
    Some(Drafted { combo, what: "alias", name: path, steps_path, origin, steps: origins, elsewhere })
}

fn targets_of(
    fields: &Fields<'_>,
    targets: Option<&Node>,
    at: &Origin,
    sink: &mut Sink,
) -> (Vec<Step>, Vec<Origin>) {
    let path = fields.path_of(&TARGETS);
    match targets {
        // One target needs no list.
        Some(one) if matches!(one.value, Value::Scalar(_)) => {
            steps(path, &TARGETS, std::slice::from_ref(one), &one.origin, sink)
        }
        Some(Node { value: Value::List(items), origin }) if !items.is_empty() => {
            steps(path, &TARGETS, items, origin, sink)
        }
        _ => {
            super::no_steps(&path, &TARGETS, targets, at, sink);
            (Vec::new(), Vec::new())
        }
    }
}
