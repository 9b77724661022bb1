//! Who may use whom. The table is the architecture: to change it is a decision, and shows as one line.

use std::collections::HashMap;

use crate::report::Finding;
use crate::resolve::Place;
use crate::tree::Tree;

/// Layer, and what it may use beside itself: a layer, a part of one, all protocols, or everything.
/// A layer is a top-level module of `src` or a crate in `protocols`; `lib` and `main` are the two roots.
#[rustfmt::skip]
const MAY_USE: &[(&str, &[&str])] = &[
    ("lib",                  &[]),
    ("main",                 &["app", "cli", "config", "observe"]),
    ("app",                  &["*"]),
    ("cli",                  &["app", "config", "outbound", "protocols/operations"]),
    ("config",               &["engine::settings", "protocols/canon"]),
    ("surfaces",             &["ops", "engine", "auth", "observe", "protocols/*"]),
    ("ops",                  &["engine", "auth", "envelope", "observe", "protocols/a2a", "protocols/canon",
                               "protocols/operations"]),
    ("envelope",             &[]),
    ("providers",            &["engine::ports", "engine::settings", "engine::fault", "ops::ports", "outbound", "observe",
                               "protocols/canon", "protocols/openai", "protocols/anthropic", "protocols/gemini", "protocols/dialects"]),
    ("store",                &["engine::ports", "engine::receipt", "engine::settings", "engine::fault", "ops::ports", "auth::ports", "observe",
                               "protocols/canon", "protocols/operations"]),
    ("auth",                 &["engine::caller", "engine::ports", "engine::settings", "outbound", "observe", "protocols/operations"]),
    ("engine",               &["observe", "protocols/canon", "protocols/operations"]),
    ("outbound",             &["observe"]),
    ("observe",              &[]),
    ("simulator",            &[]),
    ("protocols/openai",     &["protocols/canon"]),
    ("protocols/anthropic",  &["protocols/canon"]),
    ("protocols/gemini",     &["protocols/canon"]),
    ("protocols/dialects",   &["protocols/canon", "protocols/openai", "protocols/anthropic", "protocols/gemini"]),
    ("protocols/canon",      &[]),
    ("protocols/a2a",        &[]),
    ("protocols/operations", &[]),
];

const RULE: &str = "layers";

/// What a layer may use, if the table knows it.
pub(crate) fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == layer).map(|(_, allowed)| *allowed)
}

/// Whether one entry of the table covers a path within a layer.
pub(crate) fn covers(entry: &str, layer: &str, within: &[String]) -> bool {
    if entry == "*" || entry == "protocols/*" && layer.starts_with("protocols/") {
        return true;
    }
    let mut parts = entry.split("::");
    parts.next() == Some(layer)
        && parts.eq(within.iter().map(String::as_str).take(entry.matches("::").count()))
}

impl Tree {
    /// The layer of a place in one of our crates, and the rest of the path.
    pub(crate) fn layer<'a>(&'a self, krate: usize, path: &'a [String]) -> (&'a str, &'a [String]) {
        let name = self.crates[krate].name.as_str();
        match path.split_first() {
            Some((first, rest)) if !name.starts_with("protocols/") && self.is_layer(krate, first) => {
                (first, rest)
            }
            _ => (name, path),
        }
    }

    fn is_layer(&self, krate: usize, name: &str) -> bool {
        self.module(krate, &[name.to_owned()]).is_some() || allowed(name).is_some()
    }
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // One finding per file and layer, at the first line; the key is (file, user, used).
    let mut first: HashMap<(String, String, String), (usize, String, usize)> = HashMap::new();
    for (index, module) in tree.modules.iter().enumerate().filter(|(_, module)| !module.test) {
        let (own, _) = tree.layer(module.krate, &module.path);
        let Some(may) = allowed(own) else {
            if module.path.len() <= 1 {
                findings.push(unknown(own, &module.file));
            }
            continue;
        };
        for path in &module.uses {
            for (used, within) in used_layers(tree, &tree.resolve(index, path)) {
                if used == own || may.iter().any(|entry| covers(entry, &used, &within)) {
                    continue;
                }
                let goal = std::iter::once(used.as_str()).chain(within.iter().map(String::as_str));
                let goal = goal.collect::<Vec<_>>().join("::");
                let entry = first.entry((module.file.clone(), own.to_owned(), used));
                let entry = entry.or_insert((path.line, goal.clone(), 0));
                entry.2 += 1;
                if path.line < entry.0 {
                    (entry.0, entry.1) = (path.line, goal);
                }
            }
        }
    }
    findings.extend(first.into_iter().map(|((file, own, used), (line, goal, count))| {
        let may = allowed(&own).unwrap_or_default();
        let may = if may.is_empty() { "nothing of ours".to_owned() } else { may.join(", ") };
        let more = if count > 1 { format!(" ({count} places in this file)") } else { String::new() };
        Finding {
            file,
            line,
            rule: RULE,
            what: format!(
                "`{own}` uses `{goal}`{more}, but may not use `{used}` like this; it may use: {may}"
            ),
            remedy:
                "speak through a port (a trait in the layer that needs it, implemented outside and handed \
                     in by `app`), or move the code; if the architecture is to change, change MAY_USE in \
                     tests/arch/layers.rs and ARCHITECTURE.md together"
                    .into(),
        }
    }));
    findings
}

/// The last place in each layer on the way: a re-export inside of a layer counts for where it leads.
fn used_layers(tree: &Tree, places: &[Place]) -> Vec<(String, Vec<String>)> {
    let mut layers: Vec<(String, Vec<String>)> = Vec::new();
    for place in places {
        if let Place::Ours { krate, path } = place {
            let (layer, within) = tree.layer(*krate, path);
            layers.retain(|(other, _)| other != layer);
            layers.push((layer.to_owned(), within.to_vec()));
        }
    }
    layers
}

fn unknown(layer: &str, file: &str) -> Finding {
    Finding {
        file: file.to_owned(),
        line: 1,
        rule: RULE,
        what: format!("`{layer}` is not a layer"),
        remedy: "put the module into one of the layers, or give it a row in MAY_USE in tests/arch/layers.rs"
            .into(),
    }
}

#[cfg(test)]
mod tests;
