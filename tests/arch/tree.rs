//! The module tree of every crate under `src` and `protocols`: which file holds which module, and what the
//! module defines, imports and uses. `resolve` follows paths through it.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::facts::{Facts, Import, ModuleFacts};
use crate::tokens::Written;

#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) crates: Vec<Crate>,
    pub(crate) modules: Vec<Module>,
}

/// What is needed to build a crate's part of the tree.
#[derive(Debug, Clone)]
pub(crate) struct CratePlan {
    /// `lib`, `main`, or `protocols/<name>`.
    pub(crate) name: String,
    /// The folder of its sources, without a trailing slash.
    pub(crate) folder: String,
    pub(crate) root: String,
    /// What the first segment of a path may mean when nothing local bears the name.
    pub(crate) dependencies: BTreeMap<String, Dependency>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dependency {
    /// A crate of this repository, by `CratePlan::name`.
    Ours(String),
    /// The name of the package, where the manifest gives it another one.
    Package(String),
}

#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) root: usize,
    pub(crate) dependencies: BTreeMap<String, Dependency>,
    places: HashMap<Vec<String>, usize>,
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) krate: usize,
    pub(crate) path: Vec<String>,
    pub(crate) file: String,
    pub(crate) test: bool,
    pub(crate) names: HashMap<String, Vec<Name>>,
    pub(crate) imports: Vec<Import>,
    pub(crate) uses: Vec<Written>,
}

/// What a name stands for in a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Item,
    Module(usize),
    /// Index into `Module::imports`.
    Import(usize),
}

impl Tree {
    pub(crate) fn build(plans: &[CratePlan], facts: &BTreeMap<String, Facts>) -> Self {
        let mut tree = Self::default();
        let mut seen = HashSet::new();
        for plan in plans {
            let krate = tree.crates.len();
            let root = tree.modules.len();
            tree.modules.push(Module { krate, file: plan.root.clone(), ..Module::default() });
            tree.crates.push(Crate {
                name: plan.name.clone(),
                root,
                dependencies: plan.dependencies.clone(),
                places: HashMap::from([(Vec::new(), root)]),
            });
            Builder { tree: &mut tree, facts, seen: &mut seen, krate }.file(&plan.root, &[], true, false);
        }
        for (krate, plan) in plans.iter().enumerate() {
            Builder { tree: &mut tree, facts, seen: &mut seen, krate }.undeclared(&plan.folder);
        }
        tree
    }

    /// The module at a path from the root of a crate.
    pub(crate) fn module(&self, krate: usize, path: &[String]) -> Option<usize> {
        self.crates[krate].places.get(path).copied()
    }

    pub(crate) fn crate_named(&self, name: &str) -> Option<usize> {
        self.crates.iter().position(|krate| krate.name == name)
    }
}

struct Builder<'a> {
    tree: &'a mut Tree,
    facts: &'a BTreeMap<String, Facts>,
    seen: &'a mut HashSet<String>,
    krate: usize,
}

impl Builder<'_> {
    /// Adds a file as the module `path`. `owns_folder`: its children lie beside it, as for `mod.rs`.
    fn file(&mut self, file: &str, path: &[String], owns_folder: bool, test: bool) {
        let Some(facts) = self.facts.get(file) else { return };
        self.seen.insert(file.to_owned());
        let folder = folder_of(file);
        let stem = file.strip_suffix(".rs").unwrap_or(file);
        let children = if owns_folder { folder } else { stem };
        for module in &facts.modules {
            let inner: Vec<String> = path.iter().chain(&module.path).cloned().collect();
            let index = self.place(&inner);
            self.fill(index, file, module, test || module.test);
            for declared in &module.declared {
                let mut path = inner.clone();
                path.push(declared.name.clone());
                let test = test || module.test || declared.test;
                let base = std::iter::once(children).chain(module.path.iter().map(String::as_str));
                let base = base.collect::<Vec<_>>().join("/");
                if let Some(other) = &declared.file {
                    let from = if module.path.is_empty() { folder } else { base.as_str() };
                    self.file(&normal(&format!("{from}/{other}")), &path, true, test);
                } else {
                    self.file(&format!("{base}/{}.rs", declared.name), &path, false, test);
                    self.file(&format!("{base}/{}/mod.rs", declared.name), &path, true, test);
                }
                self.place(&path);
            }
        }
    }

    fn fill(&mut self, index: usize, file: &str, facts: &ModuleFacts, test: bool) {
        let root = self.tree.crates[self.krate].root;
        for name in &facts.exported_macros {
            self.tree.modules[index].names.entry(name.clone()).or_default().push(Name::Item);
            if index != root {
                let segments = self.tree.modules[index].path.iter().cloned().chain([name.clone()]);
                let segments = std::iter::once("crate".to_owned()).chain(segments).collect();
                let path = Written { segments, absolute: false, import: true, glob: false, line: 1 };
                self.tree.modules[root].add(Import { name: Some(name.clone()), path, public: true });
            }
        }
        let module = &mut self.tree.modules[index];
        file.clone_into(&mut module.file);
        module.test = test;
        for name in &facts.items {
            module.names.entry(name.clone()).or_default().push(Name::Item);
        }
        facts.imports.iter().for_each(|import| module.add(import.clone()));
        module.uses.extend(facts.uses.iter().cloned());
    }

    /// The module at a path, with those above it.
    fn place(&mut self, path: &[String]) -> usize {
        if let Some(index) = self.tree.module(self.krate, path) {
            return index;
        }
        let (name, above) = path.split_last().expect("the root exists from the start");
        let parent = self.place(above);
        let index = self.tree.modules.len();
        let (krate, file) = (self.krate, self.tree.modules[parent].file.clone());
        let test = self.tree.modules[parent].test;
        self.tree.modules.push(Module { krate, path: path.to_vec(), file, test, ..Module::default() });
        self.tree.crates[krate].places.insert(path.to_vec(), index);
        self.tree.modules[parent].names.entry(name.clone()).or_default().push(Name::Module(index));
        index
    }

    /// Files that no `mod` reaches (included ones, or ones to come) count where they lie.
    fn undeclared(&mut self, folder: &str) {
        let within = format!("{folder}/");
        for file in self.facts.keys().filter(|file| file.starts_with(&within)) {
            if self.seen.contains(file) {
                continue;
            }
            let place = file[within.len()..].trim_end_matches(".rs");
            let place = place.strip_suffix("/mod").unwrap_or(place);
            let path: Vec<String> = place.split('/').map(str::to_owned).collect();
            self.file(file, &path, file.ends_with("/mod.rs"), false);
        }
    }
}

impl Module {
    fn add(&mut self, import: Import) {
        if let Some(name) = &import.name {
            self.names.entry(name.clone()).or_default().push(Name::Import(self.imports.len()));
        }
        self.imports.push(import);
    }
}

fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Takes `.` and `..` out of a path.
pub(crate) fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use crate::workspace::Workspace;

    fn file_of(workspace: &Workspace, path: &str) -> Option<String> {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let tree = &workspace.tree;
        tree.module(0, &path).map(|module| tree.modules[module].file.clone())
    }

    #[test]
    fn files_are_found_as_the_compiler_finds_them() {
        let workspace = Workspace::of_sources(&[
            ("src/lib.rs", "mod a; mod b; #[path = \"odd/place.rs\"] mod c; mod inline { mod d; }"),
            ("src/a.rs", "mod deep;"),
            ("src/a/deep.rs", ""),
            ("src/b/mod.rs", "mod beside; #[path = \"../shared.rs\"] mod shared;"),
            ("src/b/beside.rs", ""),
            ("src/shared.rs", ""),
            ("src/odd/place.rs", "mod sister;"),
            ("src/odd/sister.rs", ""),
            ("src/inline/d.rs", ""),
            ("src/later/mod.rs", "mod child;"),
            ("src/later/child.rs", ""),
        ]);
        for (path, file) in [
            ("a::deep", "src/a/deep.rs"),
            ("b::beside", "src/b/beside.rs"),
            ("b::shared", "src/shared.rs"),
            ("c", "src/odd/place.rs"),
            ("c::sister", "src/odd/sister.rs"),
            ("inline::d", "src/inline/d.rs"),
            ("later", "src/later/mod.rs"),
            ("later::child", "src/later/child.rs"),
        ] {
            assert_eq!(file_of(&workspace, path).as_deref(), Some(file), "{path}");
        }
        assert_eq!(file_of(&workspace, "shared"), None, "a file that a module claims has no second place");
    }

    #[test]
    fn test_modules_are_known_across_files() {
        let workspace = Workspace::of_sources(&[
            ("src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
            ("src/a.rs", "#[cfg(test)] mod inner { mod x {} }"),
            ("src/tests.rs", "mod y {}"),
        ]);
        let tests = workspace.tree.modules.iter().filter(|module| module.test);
        let mut tests: Vec<String> = tests.map(|module| module.path.join("::")).collect();
        tests.sort();
        assert_eq!(tests, ["a::inner", "a::inner::x", "tests", "tests::y"]);
    }
}
