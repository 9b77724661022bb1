//! What a file for `trivium config apply` wishes for: definitions in the language of the configuration file, to be made over the API.
//! Variables are filled in here, because a definition that is kept means its text and nothing else.

use std::sync::Arc;

use serde_json::{Map as Json, Value as JsonValue};

use super::{
    effective::Sink,
    fields::report_unknown_sections,
    interpolate::interpolate,
    layers::Overlay,
    load::{Loader, top},
    managed::{FIXED, SECTIONS, SETTINGS, bare, declared},
    node::{Map, Node, Value},
    origin::Origin,
    parse::parse,
    problem::{Problem, Problems},
    source::{Source, decode},
};

/// A definition that somebody wishes for.
#[derive(Clone, PartialEq)]
pub struct Wish {
    /// The section that it belongs to, or [`SETTINGS`].
    pub section: Arc<str>,
    /// Its id: the one that is written, or what tells rules and prices apart.
    pub id: Arc<str>,
    /// What it says, variables filled in. May hold secrets.
    pub definition: Json<String, JsonValue>,
    /// What it says, as people may see it: secrets masked, or as the names of variables.
    pub shown: Json<String, JsonValue>,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.section, self.id)
    }
}

/// What a file wishes for.
#[derive(Debug, Default)]
pub struct Wishes {
    /// In the order of the file.
    pub wishes: Vec<Wish>,
    /// Settings in it that are fixed when a hub starts, and that nobody can make over the API.
    pub fixed: Vec<String>,
}

impl Loader {
    /// Reads what a file wishes for. Whether it fits together with everything else is not known yet.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn wishes(&self, source: &Source) -> Result<Wishes, Vec<Problem>> {
        let mut sink = Sink::default();
        let mut text = String::new();
        let mut found = Wishes::default();
        if let Some((path, bytes)) = source.read(self.env())
            && let Some(decoded) = decode(&path, bytes, &mut sink.problems)
        {
            let root = parse(&decoded, &path, &mut sink.problems);
            text = decoded;
            found = self.wishes_of(root, &mut sink);
        }
        if sink.problems.has_errors() { Err(sink.problems.into_sorted(&text)) } else { Ok(found) }
    }

    fn wishes_of(&self, root: Option<Node>, sink: &mut Sink) -> Wishes {
        // Before variables are filled in, so that their names are shown.
        let shown = declared(root.as_ref(), &Overlay::default());
        let mut root = root;
        if let Some(root) = &mut root {
            interpolate(root, "", self.env(), &mut sink.problems);
            unset(root, "", &mut sink.problems);
        }
        let map = top(root, sink);
        report_unknown_sections(&map, sink);
        let mut found = Wishes::default();
        for (key, node) in map.entries.iter().filter(|(_, node)| !node.is_null()) {
            section(&key.name, node, &mut found, &mut sink.problems);
        }
        // The same entries in the same order within each section.
        for name in SECTIONS.iter().map(|(name, _)| *name).chain([SETTINGS]) {
            let mut masked = shown.iter().filter(|one| one.section == name);
            for wish in found.wishes.iter_mut().filter(|wish| &*wish.section == name) {
                let same_id = |id: &str| name != SETTINGS || id == &*wish.id;
                if let Some(one) = masked.by_ref().find(|one| same_id(&one.id)) {
                    wish.shown.clone_from(&one.definition);
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        for wish in &found.wishes {
            if !seen.insert((Arc::clone(&wish.section), Arc::clone(&wish.id))) {
                let message = format!("`{}` is there twice", wish.id);
                sink.problems.error(&wish.section, &Origin::Default, message, "keep one of the two");
            }
        }
        found
    }
}

fn section(name: &str, node: &Node, found: &mut Wishes, problems: &mut Problems) {
    let is_list = SECTIONS.iter().any(|(section, _)| *section == name);
    match &node.value {
        Value::List(items) if is_list => {
            for item in items {
                let Some(wish) = listed(name, item, problems) else { continue };
                found.wishes.push(wish);
            }
        }
        Value::Map(names) if is_list => {
            for (key, node) in &names.entries {
                let definition = match bare(node) {
                    JsonValue::Object(fields) => fields,
                    short => [("targets".to_owned(), short)].into_iter().collect(),
                };
                found.wishes.push(wish(name, &key.name, definition));
            }
        }
        Value::Map(keys) => settings(name, keys, found),
        other => {
            let message = format!("expected a list or a mapping, found {}", other.shape());
            problems.error(name, &node.origin, message, "write it as the configuration file has it");
        }
    }
}

fn settings(section: &str, keys: &Map, found: &mut Wishes) {
    for (key, node) in keys.entries.iter().filter(|(_, node)| !node.is_null()) {
        let path = format!("{section}.{}", key.name);
        if FIXED.contains(&section) {
            found.fixed.push(path);
        } else {
            let definition = [("value".to_owned(), bare(node))].into_iter().collect();
            found.wishes.push(wish(SETTINGS, &path, definition));
        }
    }
}

fn wish(section: &str, id: &str, definition: Json<String, JsonValue>) -> Wish {
    let mut definition = definition;
    definition.retain(|_, value| !value.is_null());
    Wish { section: section.into(), id: id.into(), definition, shown: Json::new() }
}

fn listed(section: &str, item: &Node, problems: &mut Problems) -> Option<Wish> {
    let JsonValue::Object(mut definition) = bare(item) else {
        let message = format!("expected a mapping, found {}", item.value.shape());
        problems.error(section, &item.origin, message, "write its settings as `key: value`");
        return None;
    };
    let id = match definition.shift_remove("id") {
        Some(JsonValue::String(id)) => Some(id),
        Some(JsonValue::Number(id)) => Some(id.to_string()),
        _ => identity(section, &definition),
    };
    let Some(id) = id else {
        let remedy = "give it an `id`: by it the next file finds it again";
        problems.error(section, &item.origin, "this has no id", remedy);
        return None;
    };
    Some(wish(section, &id, definition))
}

/// What tells definitions of a section apart that the file writes without an id; `None` for sections that have ids.
#[must_use]
pub fn identity(section: &str, definition: &Json<String, JsonValue>) -> Option<String> {
    let text = |name: &str| definition.get(name).and_then(JsonValue::as_str);
    match section {
        "map" => text("match").map(str::to_owned),
        "prices" => {
            let model = text("model")?;
            Some(text("provider").map_or_else(|| model.to_owned(), |provider| format!("{provider}/{model}")))
        }
        _ => None,
    }
}

/// Reports variables that are not set: what is kept must be complete.
fn unset(node: &Node, path: &str, problems: &mut Problems) {
    match &node.value {
        Value::Scalar(scalar) => {
            for name in &scalar.missing {
                let message = format!("the variable {name} is not set");
                problems.error(
                    path,
                    &node.origin,
                    message,
                    "set it for this command: its value is what is kept",
                );
            }
        }
        Value::List(items) => items.iter().for_each(|item| unset(item, path, problems)),
        Value::Map(map) => {
            for (key, node) in &map.entries {
                let path = if path.is_empty() { key.name.clone() } else { format!("{path}.{}", key.name) };
                unset(node, &path, problems);
            }
        }
    }
}
