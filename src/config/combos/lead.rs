//! Where the steps of combos lead: to models that somebody serves, to combos that exist, and never back to where they
//! came from.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Against, Drafted, PREFIX};
use crate::{
    config::{effective::Sink, mask::shown, origin::Origin, schema::nearest},
    engine::settings::{Connection, PrefixMatch, Step, TAGGED, VIRTUAL_MODELS, Wanted, is_below_auto},
};

/// Combos within combos within combos. Deeper ones are refused: nobody could say what they do.
const DEPTH: usize = 8;

/// Checks every step of every combo.
pub(super) fn check(drafts: &[Drafted], against: Against<'_>, sink: &mut Sink) {
    let by_id: HashMap<&str, &Drafted> = drafts.iter().map(|draft| (&*draft.combo.id, draft)).collect();
    let ids: BTreeSet<&str> = by_id.keys().copied().collect();
    for draft in drafts {
        for (index, (step, origin)) in draft.combo.steps.iter().zip(&draft.steps).enumerate() {
            let path = format!("{}[{index}]", draft.steps_path);
            check_step(&path, step, origin, &ids, against, sink);
        }
        for other in &draft.elsewhere {
            check_step(&other.path, &other.step, &other.origin, &ids, against, sink);
        }
        check_depth(draft, &by_id, sink);
        warn_of_shadow(draft, against, sink);
    }
}

fn check_step(
    path: &str,
    step: &Step,
    origin: &Origin,
    ids: &BTreeSet<&str>,
    against: Against<'_>,
    sink: &mut Sink,
) {
    match &step.wanted {
        Wanted::Combo(id) if ids.contains(&**id) => {}
        Wanted::Combo(id) => {
            let remedy = match nearest(id, ids.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    "define it under `combos` or `aliases`; what is switched off cannot be a step".to_owned()
                }
            };
            sink.problems.error(path, origin, format!("there is no combo {}", shown(id)), remedy);
        }
        Wanted::Model { connection: Some(id), .. } if !has(against.connections, id) => {
            let known = against.connections.iter().map(|connection| &*connection.id);
            let near = nearest(id, known).map(|near| format!("did you mean `{near}`?"));
            let message = format!("there is no connection {} that can be used", shown(id));
            missing(path, origin, message, near, against, sink);
        }
        Wanted::Model { name, .. } => check_model(path, name, origin, ids, against, sink),
    }
}

fn has(connections: &[Arc<Connection>], id: &str) -> bool {
    connections.iter().any(|connection| *connection.id == *id)
}

fn check_model(
    path: &str,
    name: &str,
    origin: &Origin,
    ids: &BTreeSet<&str>,
    against: Against<'_>,
    sink: &mut Sink,
) {
    if serves(name, against) {
        return;
    }
    if let Some(tag) = name.strip_prefix(TAGGED) {
        let near = nearest(tag, tags(against)).map(|near| format!("did you mean `{near}`?"));
        let near = near.or_else(|| Some("write it at models under `tags`, or correct it".to_owned()));
        let message = format!("no listed model carries the tag {}", shown(tag));
        return missing(path, origin, message, near, against, sink);
    }
    let message = format!("no connection serves a model named {}", shown(name));
    let near = if ids.contains(name) {
        Some(format!("it is a combo: write `{PREFIX}{name}`"))
    } else {
        nearest(name, listed(against)).map(|near| format!("did you mean `{near}`?"))
    };
    missing(path, origin, message, near, against, sink);
}

fn listed(against: Against<'_>) -> impl Iterator<Item = &str> {
    against.connections.iter().flat_map(|connection| &connection.models.listed).map(|model| &**model)
}

/// The tags that listed models carry.
fn tags(against: Against<'_>) -> impl Iterator<Item = &str> {
    let about = against.connections.iter().flat_map(|connection| connection.models.about.values());
    about.flat_map(|about| &about.tags).map(String::as_str)
}

/// Whether a name that is no combo's means something.
pub(super) fn serves(name: &str, against: Against<'_>) -> bool {
    VIRTUAL_MODELS.contains(&name)
        || is_below_auto(name)
        || listed(against).any(|model| model == name)
        || is_below_a_connection(name, against)
        || name.strip_prefix(TAGGED).is_some_and(|tag| tags(against).any(|known| known == tag))
}

/// Whether a name is `prefix/model`, and a connection under the prefix serves it.
fn is_below_a_connection(name: &str, against: Against<'_>) -> bool {
    let Some((prefix, model)) = name.split_once('/') else { return false };
    let named = against.catalogue.by_prefix(prefix);
    against.connections.iter().any(|connection| {
        let is_it = *connection.id == *prefix
            || matches!(named, Some(PrefixMatch::Provider(row)) if row.id == connection.provider.id);
        let models = &connection.models;
        is_it && (model == "*" || models.open || models.listed.iter().any(|listed| **listed == *model))
    })
}

/// What is not there may be what a connection without a key would bring: then it is a warning, and the step is left out.
pub(super) fn missing(
    path: &str,
    origin: &Origin,
    message: String,
    near: Option<String>,
    against: Against<'_>,
    sink: &mut Sink,
) {
    if against.some_left_out {
        let remedy = near.unwrap_or_else(|| "it is left out until a connection serves it".to_owned());
        sink.problems.warning(path, origin, message, remedy);
    } else {
        let remedy = near.unwrap_or_else(|| "list it at a connection, or correct the name".to_owned());
        sink.problems.error(path, origin, message, remedy);
    }
}

/// Follows the steps that are combos, and tells of a circle with the way around it.
fn check_depth(draft: &Drafted, by_id: &HashMap<&str, &Drafted>, sink: &mut Sink) {
    let mut way: Vec<&str> = vec![&draft.combo.id];
    if let Some(wrong) = follow(draft, by_id, &mut way) {
        let (message, remedy) = match wrong {
            Wrong::Circle => (
                format!("the {} leads back to itself: {}", draft.what, way.join(" → ")),
                "remove one of these steps".to_owned(),
            ),
            Wrong::Deep => (
                format!("combos are nested more than {DEPTH} deep: {}", way.join(" → ")),
                "name the models of the inner ones instead".to_owned(),
            ),
        };
        sink.problems.error(&draft.name, &draft.origin, message, remedy);
    }
}

enum Wrong {
    Circle,
    Deep,
}

fn follow<'a>(
    draft: &'a Drafted,
    by_id: &HashMap<&str, &'a Drafted>,
    way: &mut Vec<&'a str>,
) -> Option<Wrong> {
    for step in &draft.combo.steps {
        let Wanted::Combo(id) = &step.wanted else { continue };
        let Some(inner) = by_id.get(&**id) else { continue };
        // A circle that does not come back here is told of by those that it goes through.
        let circle = way.iter().position(|earlier| **earlier == **id);
        way.push(id);
        match circle {
            Some(0) => return Some(Wrong::Circle),
            Some(_) => {}
            None if way.len() > DEPTH => return Some(Wrong::Deep),
            None => {
                if let Some(wrong) = follow(inner, by_id, way) {
                    return Some(wrong);
                }
            }
        }
        way.pop();
    }
    None
}

/// A combo may have the name of a model: an application that cannot be told another name is sent elsewhere that way.
/// It is said, so that nobody wonders.
fn warn_of_shadow(draft: &Drafted, against: Against<'_>, sink: &mut Sink) {
    let id = &draft.combo.id;
    let listed = against.connections.iter().any(|connection| connection.models.listed.contains(id));
    if !listed && !VIRTUAL_MODELS.contains(&&**id) && !is_below_auto(id) {
        return;
    }
    let message = format!("the {} `{id}` takes the place of the model of this name", draft.what);
    let remedy = "rename it if that is not meant; the model is still reached below its connection's id";
    sink.problems.warning(&draft.name, &draft.origin, message, remedy);
}
