//! The repository as the rules see it: its text files, its manifests, the facts of its sources and the module
//! tree. Read once for all tests; a test of a rule makes a small one from strings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use crate::facts::Facts;
use crate::manifests::Manifests;
use crate::tree::{CratePlan, Dependency, Tree};

/// Folders at the root that hold the project's own words; dot folders but these are other people's.
const FOLDERS: &[&str] = &[
    ".ci",
    ".github",
    ".well-known",
    "benches",
    "docs",
    "e2e",
    "examples",
    "protocols",
    "schemas",
    "scripts",
    "src",
    "tests",
];

/// Folders, at any depth, that tools fill.
const NOT_OURS: &[&str] = &["target", "node_modules", ".venv", "__pycache__", ".git"];

#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Text files by their path from the root, with `/` between the parts.
    pub(crate) files: BTreeMap<String, String>,
    /// Of every `.rs` file.
    pub(crate) facts: BTreeMap<String, Facts>,
    pub(crate) manifests: Manifests,
    pub(crate) tree: Tree,
}

impl Workspace {
    pub(crate) fn of_this_repository() -> &'static Self {
        static THIS: LazyLock<Workspace> = LazyLock::new(|| {
            // Cargo sets it at run time too, so the built tests can be put to another checkout.
            let root =
                std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
            let root = Path::new(&root);
            let mut files = BTreeMap::new();
            for entry in root.read_dir().expect("the repository can be read").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if entry.path().is_file() && is_ours(&name) {
                    read_file(&entry.path(), name, &mut files);
                } else if FOLDERS.contains(&name.as_str()) {
                    read_folder(&entry.path(), &name, &mut files);
                }
            }
            Workspace::of_files(files)
        });
        &THIS
    }

    /// For the tests of the rules.
    pub(crate) fn of_sources(sources: &[(&str, &str)]) -> Self {
        let owned = sources.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        let workspace = Self::of_files(owned.collect());
        for (file, facts) in &workspace.facts {
            assert_eq!(facts.broken, None, "{file} of a test must be Rust: {:?}", workspace.files[file]);
        }
        workspace
    }

    pub(crate) fn of_files(files: BTreeMap<String, String>) -> Self {
        let rust = files.iter().filter(|(name, _)| name.ends_with(".rs"));
        let facts: BTreeMap<String, Facts> =
            rust.map(|(name, text)| (name.clone(), Facts::read(text))).collect();
        let manifests = Manifests::read(&files);
        let tree = Tree::build(&plans(&files, &manifests), &facts);
        Self { files, facts, manifests, tree }
    }

    /// The facts of the files that go into the product.
    pub(crate) fn production(&self) -> impl Iterator<Item = (&str, &Facts)> {
        let tests: Vec<&str> = {
            let modules = self.tree.modules.iter();
            modules.filter(|module| module.test).map(|module| module.file.as_str()).collect()
        };
        // A file with an inline test module is production; one whose own module is for tests is not.
        let whole = move |file: &str| {
            tests.contains(&file)
                && !self.tree.modules.iter().any(|module| module.file == file && !module.test)
        };
        let facts = self.facts.iter().map(|(file, facts)| (file.as_str(), facts));
        facts.filter(move |(file, _)| is_production(file) && !whole(file))
    }
}

/// Whether a file is a source of the product: in `src` or in the `src` of a protocol crate.
pub(crate) fn is_production(file: &str) -> bool {
    let mut parts = file.split('/');
    match parts.next() {
        Some("src") => true,
        Some("protocols") => parts.nth(1) == Some("src"),
        _ => false,
    }
}

/// The roots: the library, the binary, and each protocol crate.
fn plans(files: &BTreeMap<String, String>, manifests: &Manifests) -> Vec<CratePlan> {
    let protocols: Vec<&str> = {
        let roots = files.keys().filter_map(|file| file.strip_prefix("protocols/"));
        roots.filter_map(|file| file.strip_suffix("/src/lib.rs")).filter(|name| !name.contains('/')).collect()
    };
    let ours = |name: &str| Dependency::Ours(format!("protocols/{name}"));
    let dependencies = |folder: &str| -> BTreeMap<String, Dependency> {
        let by_folder = protocols.iter().map(|name| ((*name).to_owned(), ours(name)));
        let by_manifest = manifests.names_in(folder).map(|(name, package)| {
            let folder = manifests.folder_of(&package);
            let protocol = folder.and_then(|folder| folder.strip_prefix("protocols/"));
            (name.replace('-', "_"), protocol.map_or(Dependency::Package(package.clone()), ours))
        });
        by_folder.chain(by_manifest).collect()
    };
    let mut of_product = dependencies("");
    of_product.insert("trivium".into(), Dependency::Ours("lib".into()));
    let product = [("lib", "src/lib.rs"), ("main", "src/main.rs")].map(|(name, root)| CratePlan {
        name: name.to_owned(),
        folder: "src".to_owned(),
        root: root.to_owned(),
        dependencies: of_product.clone(),
    });
    let protocols = protocols.iter().map(|name| CratePlan {
        name: format!("protocols/{name}"),
        folder: format!("protocols/{name}/src"),
        root: format!("protocols/{name}/src/lib.rs"),
        dependencies: dependencies(&format!("protocols/{name}")),
    });
    product.into_iter().chain(protocols).collect()
}

/// Of the files at the root: documents and manifests, not what a user's run leaves there.
fn is_ours(name: &str) -> bool {
    let kinds = [".md", ".toml", ".lock", ".rs"];
    kinds.iter().any(|kind| name.ends_with(kind)) || name.starts_with("LICENSE") || name == "Dockerfile"
}

fn read_folder(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) {
    for entry in folder.read_dir().expect("a folder of the repository can be read").flatten() {
        let own = entry.file_name().to_string_lossy().into_owned();
        if NOT_OURS.contains(&own.as_str()) || own.ends_with(".log") {
            continue;
        }
        let below = format!("{name}/{own}");
        if entry.path().is_dir() {
            read_folder(&entry.path(), &below, files);
        } else {
            read_file(&entry.path(), below, files);
        }
    }
}

/// Files that are not text hold no rules and no words.
fn read_file(path: &Path, name: String, files: &mut BTreeMap<String, String>) {
    if let Some(text) = std::fs::read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok()) {
        files.insert(name, text);
    }
}

#[test]
fn production_is_what_ships() {
    let workspace = Workspace::of_sources(&[
        ("src/lib.rs", "mod a; #[cfg(test)] mod tests;"),
        ("src/a.rs", "fn f() {} #[cfg(test)] mod tests {}"),
        ("src/tests.rs", "fn f() {}"),
        ("protocols/canon/src/lib.rs", ""),
        ("protocols/canon/tests/x.rs", ""),
        ("tests/hub/main.rs", ""),
    ]);
    let files: Vec<&str> = workspace.production().map(|(file, _)| file).collect();
    assert_eq!(files, ["protocols/canon/src/lib.rs", "src/a.rs", "src/lib.rs"]);
}

#[test]
fn this_repository_is_seen() {
    let files = &Workspace::of_this_repository().files;
    for file in ["Cargo.toml", "src/lib.rs", "tests/arch/main.rs", "protocols/canon/src/lib.rs"] {
        assert!(files.contains_key(file), "{file}");
    }
    assert!(!files.keys().any(|file| file.contains("/target/")));
}
