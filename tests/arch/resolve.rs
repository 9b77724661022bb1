//! Follows a path to what it means: through `self` and `super`, local names, renames, groups, globs and
//! re-exports, across our own crates. Privacy counts only for imports, where it decides what a name means.

use std::collections::HashSet;

use crate::tokens::Written;
use crate::tree::{Dependency, Name, Tree};

/// A place that a path leads to or passes through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// From the root of one of our crates; ends in a module or in an item of one.
    Ours { krate: usize, path: Vec<String> },
    /// From the name of a package that is not ours.
    External(Vec<String>),
}

/// What a name leads to.
enum Hit {
    Item,
    Module(usize),
    Path(Written, Key),
}

/// An import under one of the names that it brings: what is followed once must not be followed again.
type Key = (usize, usize, String);

impl Tree {
    /// All places on the way, each re-export and its goal: naming a re-export uses both.
    pub(crate) fn resolve(&self, module: usize, path: &Written) -> Vec<Place> {
        let mut walk = Walk { tree: self, seen: HashSet::new(), places: Vec::new() };
        walk.head(module, path);
        walk.places
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    seen: HashSet<Key>,
    places: Vec<Place>,
}

impl Walk<'_> {
    fn head(&mut self, from: usize, path: &Written) {
        let segments = path.segments.as_slice();
        let Some((first, rest)) = segments.split_first() else { return };
        let here = &self.tree.modules[from];
        if path.absolute {
            return self.dependency(here.krate, segments);
        }
        match first.as_str() {
            "Self" => {}
            "crate" => self.after_start(self.tree.crates[here.krate].root, rest, from),
            "self" => self.after_start(from, rest, from),
            "super" => {
                let above = here.path.split_last().map_or(&[][..], |(_, above)| above);
                let above = self.tree.module(here.krate, above).unwrap_or(from);
                self.after_start(above, rest, from);
            }
            _ => {
                if !self.hits(from, first, from).is_empty() {
                    self.down(from, segments, from);
                } else if path.import || !rest.is_empty() {
                    self.dependency(here.krate, segments);
                }
            }
        }
    }

    /// After `crate`, `self` or `super` more `super`s may follow.
    fn after_start(&mut self, module: usize, rest: &[String], viewer: usize) {
        let here = &self.tree.modules[module];
        match rest.split_first() {
            Some((next, rest)) if next == "super" => {
                let above = here.path.split_last().map_or(&[][..], |(_, above)| above);
                let above = self.tree.module(here.krate, above).unwrap_or(module);
                self.after_start(above, rest, viewer);
            }
            Some((next, rest)) if next == "self" => self.after_start(module, rest, viewer),
            _ => self.down(module, rest, viewer),
        }
    }

    fn dependency(&mut self, krate: usize, segments: &[String]) {
        let Some((first, rest)) = segments.split_first() else { return };
        match self.tree.crates[krate].dependencies.get(first) {
            Some(Dependency::Ours(name)) => {
                if let Some(krate) = self.tree.crate_named(name) {
                    let root = self.tree.crates[krate].root;
                    self.down(root, rest, root);
                }
            }
            Some(Dependency::Package(name)) => {
                let name = name.replace('-', "_");
                self.places.push(Place::External(std::iter::once(&name).chain(rest).cloned().collect()));
            }
            None => self.places.push(Place::External(segments.to_vec())),
        }
    }

    fn down(&mut self, module: usize, segments: &[String], viewer: usize) {
        let here = &self.tree.modules[module];
        let place =
            Place::Ours { krate: here.krate, path: here.path.iter().chain(segments).cloned().collect() };
        let Some((first, rest)) = segments.split_first() else { return self.places.push(place) };
        let mut hits = self.hits(module, first, viewer);
        if !rest.is_empty() && hits.iter().any(|hit| matches!(hit, Hit::Module(_))) {
            hits.retain(|hit| matches!(hit, Hit::Module(_)));
        }
        if !hits.iter().any(|hit| matches!(hit, Hit::Module(_))) {
            self.places.push(place);
        }
        for hit in hits {
            match hit {
                Hit::Item => {}
                Hit::Module(inner) => self.down(inner, rest, viewer),
                Hit::Path(mut path, key) => {
                    if self.seen.insert(key) {
                        path.segments.extend_from_slice(rest);
                        self.head(module, &path);
                    }
                }
            }
        }
    }

    /// What `name` means in `module` for code in `viewer`: what is defined or imported by name goes before
    /// what globs bring.
    fn hits(&self, module: usize, name: &str, viewer: usize) -> Vec<Hit> {
        let here = &self.tree.modules[module];
        let key = |import: usize| (module, import, name.to_owned());
        let named = here.names.get(name).map(Vec::as_slice).unwrap_or_default();
        let named = named.iter().filter_map(|found| match *found {
            Name::Item => Some(Hit::Item),
            Name::Module(inner) => Some(Hit::Module(inner)),
            Name::Import(index) => {
                let import = &here.imports[index];
                let open = import.public || self.sees_private(viewer, module);
                let fresh = !self.seen.contains(&key(index));
                let path = || Hit::Path(import.path.clone(), key(index));
                (open && fresh).then(path)
            }
        });
        let named: Vec<Hit> = named.collect();
        if !named.is_empty() {
            return named;
        }
        let mut brought = Vec::new();
        for (index, import) in here.imports.iter().enumerate().filter(|(_, import)| import.path.glob) {
            if (import.public || self.sees_private(viewer, module)) && !self.seen.contains(&key(index)) {
                let mut seen = self.seen.clone();
                seen.insert(key(index));
                let mut walk = Walk { tree: self.tree, seen, places: Vec::new() };
                walk.head(module, &import.path);
                let target = walk.places.iter().rev().find_map(|place| self.module_at(place));
                if target.is_some_and(|target| !walk.hits(target, name, module).is_empty()) {
                    let mut path = import.path.clone();
                    path.segments.push(name.to_owned());
                    brought.push(Hit::Path(path, key(index)));
                }
            }
        }
        brought
    }

    fn module_at(&self, place: &Place) -> Option<usize> {
        match place {
            Place::Ours { krate, path } => self.tree.module(*krate, path),
            Place::External(_) => None,
        }
    }

    /// Private names are open to their module and to those within.
    fn sees_private(&self, viewer: usize, module: usize) -> bool {
        let (viewer, module) = (&self.tree.modules[viewer], &self.tree.modules[module]);
        viewer.krate == module.krate && viewer.path.starts_with(&module.path)
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::workspace::Workspace;

    /// Where the last path in `src/engine.rs` leads in the end.
    fn goal(engine: &str) -> String {
        let workspace = Workspace::of_sources(&[
            ("src/lib.rs", "mod engine; mod store; mod ops; mod outbound;"),
            ("src/engine.rs", engine),
            ("src/store.rs", "pub mod keys; pub struct Key; pub use keys::*; use hidden::Secret;"),
            ("src/store/keys.rs", "pub struct Row; pub fn get() {}"),
            (
                "src/ops.rs",
                "pub use crate::store::{Key as Ticket, keys}; pub type Line = crate::store::keys::Row;",
            ),
            ("src/outbound.rs", "pub use reqwest as http; pub use self::http::Client; pub use canon::*;"),
            ("protocols/canon/src/lib.rs", "mod turn; pub use turn::Turn;"),
            ("protocols/canon/src/turn.rs", "pub struct Turn;"),
        ]);
        let tree = &workspace.tree;
        let engine = tree.module(0, &["engine".to_owned()]).unwrap();
        let last = tree.modules[engine].uses.last().unwrap();
        match tree.resolve(engine, last).pop() {
            Some(Place::Ours { krate, path }) => format!("{} {}", tree.crates[krate].name, path.join("::")),
            Some(Place::External(path)) => path.join("::"),
            None => String::new(),
        }
    }

    #[test]
    fn every_way_to_write_a_path_leads_to_its_goal() {
        for (source, expected) in [
            ("use crate::store::Key;", "lib store::Key"),
            ("use super::store::Key;", "lib store::Key"),
            ("use self::super::store::Key;", "lib store::Key"),
            ("use crate::{ops, store as s}; fn f() { s::Key; }", "lib store::Key"),
            ("use crate::{store::{self as s}}; fn f() { s::Key; }", "lib store::Key"),
            ("use crate::store; use store::keys; fn f() { keys::get; }", "lib store::keys::get"),
            ("fn f() -> crate::ops::Ticket {}", "lib store::Key"),
            ("fn f() { crate::ops::keys::get(); }", "lib store::keys::get"),
            ("type T = crate::ops::Line;", "lib store::keys::Row"),
            ("use crate::store::*; fn f(_: Row) {}", "lib store::keys::Row"),
            ("fn f(_: crate::store::Row) {}", "lib store::keys::Row"),
            ("fn f() { vec![crate::store::Key] }", "lib store::Key"),
            ("#[serde(with = \"super::store::keys\")] struct S;", "lib store::keys"),
            ("fn f() { crate::outbound::http::get() }", "reqwest::get"),
            ("use crate::outbound::*; fn f(_: Client) {}", "reqwest::Client"),
            ("use crate::outbound::Turn;", "protocols/canon turn::Turn"),
            ("use ::canon::Turn;", "protocols/canon turn::Turn"),
            ("use std::env as e; fn f() { e::var(\"X\") }", "std::env::var"),
            ("use reqwest; fn f() { reqwest::get() }", "reqwest::get"),
        ] {
            assert_eq!(goal(source), expected, "{source}");
        }
    }

    #[test]
    fn local_names_hide_crates_and_private_imports_stay_private() {
        assert_eq!(
            goal("mod reqwest { pub fn get() {} } fn f() { reqwest::get() }"),
            "lib engine::reqwest::get"
        );
        assert_eq!(goal("use crate::store::*; fn f(_: Secret) {}"), "");
        assert_eq!(goal("mod plan { pub fn plan() {} } pub use plan::plan;"), "lib engine::plan::plan");
    }

    #[test]
    fn circles_end() {
        assert_eq!(goal("pub use self::a::*; mod a { pub use super::*; } fn f() { Nothing; }"), "");
        assert_eq!(goal("use self::b as a; use self::a as b; fn f() { a::x; }"), "lib engine::a::x");
    }
}
