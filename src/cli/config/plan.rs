//! What a file wishes for against what the hub has: what `trivium config plan` shows and `apply` does.

use operations::documents::{NOUNS, Noun, Owner};
use serde_json::{Map, Value};

use super::made::Made;
use crate::config::{REDACTED, Wish, Wishes, identity, masked};

/// One difference.
pub(super) struct Step {
    pub(super) noun: &'static Noun,
    pub(super) id: String,
    /// The version that was seen; 0 where there is none.
    pub(super) version: u64,
    pub(super) what: What,
}

/// What is to be done.
pub(super) enum What {
    /// Make it.
    Create(Map<String, Value>),
    /// Put this in its place; the keys that differ.
    Change(Map<String, Value>, Vec<String>),
    /// Delete it.
    Delete,
}

/// All differences.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    /// What cannot be done, because the hub's own file says otherwise.
    pub(super) blocked: Vec<String>,
    /// Definitions made over the API that the file does not name.
    pub(super) unnamed: usize,
}

/// What is asked of a plan.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choices {
    /// Delete what was made over the API and is not in the file.
    pub(super) prune: bool,
    /// Put definitions with secrets again, even where nothing else differs.
    pub(super) secrets: bool,
}

impl Plan {
    pub(super) fn new(wishes: &Wishes, made: &[Made], choices: Choices) -> Self {
        let mut plan = Self::default();
        for wish in &wishes.wishes {
            let Some(noun) = NOUNS.iter().find(|noun| noun.section == &*wish.section) else { continue };
            plan.wish(noun, wish, made, choices.secrets);
        }
        for one in made.iter().filter(|one| one.view.owner == Owner::Api) {
            if wishes.wishes.iter().any(|wish| means(wish, one)) {
                continue;
            }
            plan.unnamed += 1;
            if choices.prune {
                let (id, version) = (one.view.id.clone(), one.view.version);
                plan.steps.push(Step { noun: one.noun, id, version, what: What::Delete });
            }
        }
        plan
    }

    fn wish(&mut self, noun: &'static Noun, wish: &Wish, made: &[Made], secrets: bool) {
        let step = |id: &str, version, what| Step { noun, id: id.to_owned(), version, what };
        let Some(there) = made.iter().find(|one| means(wish, one)) else {
            self.steps.push(step(&wish.id, 0, What::Create(wish.definition.clone())));
            return;
        };
        let view = &there.view;
        if view.owner == Owner::File {
            // A secret of the hub's file is not seen here, and a variable may well stand for the same one.
            if differing(&masked(&wish.shown), &masked(&view.definition)).is_empty() {
                return;
            }
            let place = view.place.as_deref().unwrap_or("the hub's configuration file");
            self.blocked
                .push(format!("the {} `{}` is declared in {place}: change it there", noun.one, view.id));
            return;
        }
        let wanted = masked(&wish.definition);
        let keys = differing(&wanted, &view.definition);
        if keys.is_empty() && !(secrets && holds_secret(&wanted)) {
            return;
        }
        self.steps.push(step(&view.id, view.version, What::Change(wish.definition.clone(), keys)));
    }

    /// A line for each step.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |step: &Step| {
            let what = format!("{} `{}`", step.noun.one, step.id);
            match &step.what {
                What::Create(_) => format!("+ {what}"),
                What::Change(_, keys) if keys.is_empty() => format!("~ {what} (its secrets)"),
                What::Change(_, keys) => format!("~ {what} ({})", keys.join(", ")),
                What::Delete => format!("- {what}"),
            }
        };
        self.steps.iter().map(line).collect()
    }
}

/// Whether a definition is the one that a wish is about. Those without ids in the file are known by what they are for.
fn means(wish: &Wish, one: &Made) -> bool {
    let by_identity = || {
        one.noun.section == &*wish.section
            && identity(&wish.section, &one.view.definition).is_some_and(|identity| identity == *wish.id)
    };
    one.is(&wish.section, &wish.id) || by_identity()
}

/// The keys that differ. A secret that the file leaves out stays as it is.
fn differing(wanted: &Map<String, Value>, there: &Map<String, Value>) -> Vec<String> {
    let stays = |name: &str, value: &Value| value == REDACTED && !wanted.contains_key(name);
    let gone = there.iter().filter(|(name, value)| !wanted.contains_key(*name) && !stays(name, value));
    let gone = gone.map(|(name, _)| name.clone());
    let other = wanted.iter().filter(|(name, value)| there.get(*name) != Some(value) && !value.is_null());
    let mut keys: Vec<String> = other.map(|(name, _)| name.clone()).chain(gone).collect();
    keys.sort();
    keys
}

fn holds_secret(masked: &Map<String, Value>) -> bool {
    masked.values().any(|value| match value {
        Value::Object(fields) => holds_secret(fields),
        Value::Array(items) => {
            items.iter().any(|item| item == REDACTED || item.as_object().is_some_and(holds_secret))
        }
        other => other == REDACTED,
    })
}
