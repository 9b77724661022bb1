//! The section `map`: where names lead that are neither combos nor models of anybody. Rules in order; the first that
//! takes a name counts.

use std::collections::BTreeSet;

use super::{
    Against, PREFIX,
    lead::{missing, serves},
};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written},
        layers::Overlay,
        mask::shown,
        node::{Node, Value},
        schema::{Key, Section, nearest},
    },
    engine::settings::Mapping,
};

const MATCH: Key =
    Key::new("match", "a name of 1 to 256 characters; `*` stands for any text", "\"claude-*\"");
const TO: Key = Key::new("to", "a name as clients write it: of a combo, an alias or a model", "coding");

pub(in crate::config) static SECTION: Section = Section { name: "map", keys: &[MATCH, TO] };

/// The rules in the order of the file. `ids` are those of combos and aliases.
pub(super) fn read(
    node: Option<&Node>,
    ids: &BTreeSet<&str>,
    against: Against<'_>,
    sink: &mut Sink,
) -> Vec<Mapping> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of rules, found {}", node.value.shape());
        let remedy = "write each rule as a list item: `- {match: \"claude-*\", to: coding}`";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let mut rules: Vec<Mapping> = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let overlay = Overlay::default();
        let fields = Fields::open(&SECTION, format!("{}[{index}]", SECTION.name), Some(item), &overlay, sink);
        let (pattern, to) = (required(&fields, &MATCH, sink), required(&fields, &TO, sink));
        let (Some(pattern), Some(to)) = (pattern, to) else { continue };
        check_lead(&fields, &to, ids, against, sink);
        let rule = Mapping { pattern: pattern.value.as_str().into(), to: to.value.into() };
        if let Some(earlier) = rules.iter().find(|earlier| earlier.covers(&rule)) {
            let message =
                format!("no name gets here: the rule for {} takes them all", shown(&earlier.pattern));
            let remedy = "put the narrower rule before it, or remove one of the two";
            sink.problems.warning(&fields.path_of(&MATCH), &pattern.origin, message, remedy);
        } else if !pattern.value.contains('*') && is_meant(&pattern.value, ids, against) {
            let message = format!(
                "{} is served under this name, so that the rule has no effect",
                shown(&pattern.value)
            );
            let remedy = "make a combo or an alias of this name, which takes the model's place";
            sink.problems.warning(&fields.path_of(&MATCH), &pattern.origin, message, remedy);
        }
        rules.push(rule);
    }
    rules
}

fn required(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<Written<String>> {
    let path = fields.path_of(key);
    let Some(written) = fields.text(sink, key) else {
        if fields.node(key).is_none() {
            let remedy = format!("write for example `{}: {}`", key.name, key.example);
            sink.problems.error(&path, fields.origin(), format!("`{}` is missing", key.name), remedy);
        }
        return None;
    };
    if !(1..=256).contains(&written.value.len()) || written.value.chars().any(char::is_control) {
        let message = format!("expected {}, found {}", key.kind, shown(&written.value));
        let remedy = format!("write for example `{}: {}`", key.name, key.example);
        sink.problems.error(&path, &written.origin, message, remedy);
        return None;
    }
    sink.holds(path, key, written.value.as_str(), written.origin.clone());
    Some(written)
}

fn check_lead(
    fields: &Fields<'_>,
    to: &Written<String>,
    ids: &BTreeSet<&str>,
    against: Against<'_>,
    sink: &mut Sink,
) {
    if is_meant(&to.value, ids, against) {
        return;
    }
    let listed = against.connections.iter().flat_map(|connection| &connection.models.listed);
    let known = ids.iter().copied().chain(listed.map(|model| &**model));
    let bare = to.value.strip_prefix(PREFIX).unwrap_or(&to.value);
    let near = nearest(bare, known).map(|near| format!("did you mean `{near}`?"));
    let message = format!("the rule leads nowhere: there is no combo, alias or model {}", shown(&to.value));
    let path = fields.path_of(&TO);
    let is_combo = to.value.starts_with(PREFIX);
    // A combo that is not there comes with no connection.
    let against = Against { some_left_out: against.some_left_out && !is_combo, ..against };
    missing(&path, &to.origin, message, near, against, sink);
}

/// Whether a name as clients write it means something.
fn is_meant(name: &str, ids: &BTreeSet<&str>, against: Against<'_>) -> bool {
    ids.contains(name)
        || name.strip_prefix(PREFIX).is_some_and(|id| ids.contains(id))
        || serves(name, against)
}
