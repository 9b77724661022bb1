//! The manifests: every member takes the shared lints and states its licence, nothing comes from outside of the
//! registry and the repository, and the wire formats stay free of runtimes and servers.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::confinement::{NOT_IN_PROTOCOLS, is_of_family};
use crate::layers;
use crate::report::Finding;
use crate::tree::normal;
use crate::workspace::Workspace;

/// Members that may go without the shared lints.
const WITHOUT_LINTS: &[(&str, &str)] = &[(
    "benches/loadkit",
    "a measuring tool of its own, which stops at the first error and is no part of the product",
)];

const RULE: &str = "manifests";

/// Every `Cargo.toml`, by its folder; the root's is the empty string.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    by_folder: BTreeMap<String, Table>,
    broken: Vec<Finding>,
}

/// One entry of a dependency table.
struct Entry {
    /// The table, such as `dependencies` or `target.cfg(unix).dependencies`.
    table: String,
    name: String,
    value: Value,
}

impl Manifests {
    pub(crate) fn read(files: &BTreeMap<String, String>) -> Self {
        let mut manifests = Self::default();
        for (file, text) in files.iter().filter(|(file, _)| file.rsplit('/').next() == Some("Cargo.toml")) {
            let folder = file.trim_end_matches("Cargo.toml").trim_end_matches('/');
            match text.parse() {
                Ok(table) => drop(manifests.by_folder.insert(folder.to_owned(), table)),
                Err(error) => {
                    manifests.broken.push(finding(file, 1, format!("{error}"), "mend the manifest"));
                }
            }
        }
        manifests
    }

    /// Dependencies of a member as its code calls them, with the names of their packages.
    pub(crate) fn names_in(&self, folder: &str) -> impl Iterator<Item = (String, String)> {
        let entries = self.by_folder.get(folder).map(entries).unwrap_or_default();
        entries.into_iter().filter(|entry| !entry.is_shared()).map(|entry| {
            let package = self.package(&entry);
            (entry.name, package)
        })
    }

    /// Where the package of that name lives, if it is ours.
    pub(crate) fn folder_of(&self, package: &str) -> Option<&str> {
        let named = |table: &Table| table.get("package")?.get("name")?.as_str().map(|name| name == package);
        self.by_folder.iter().find(|(_, table)| named(table) == Some(true)).map(|(folder, _)| folder.as_str())
    }

    /// The name of an entry's package, by way of the workspace's table if it says so.
    fn package(&self, entry: &Entry) -> String {
        let shared = || self.by_folder.get("")?.get("workspace")?.get("dependencies")?.get(&entry.name);
        let inherits = entry.value.get("workspace").and_then(Value::as_bool) == Some(true);
        let value = if inherits { shared() } else { Some(&entry.value) };
        let package = value.and_then(|value| value.get("package")).and_then(Value::as_str);
        package.unwrap_or(&entry.name).to_owned()
    }
}

impl Entry {
    /// An offer of the workspace or a replacement, not a use.
    fn is_shared(&self) -> bool {
        self.table.starts_with("workspace") || self.table.starts_with("patch") || self.table == "replace"
    }
}

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = workspace.manifests.broken.clone();
    for (folder, table) in &workspace.manifests.by_folder {
        let file = if folder.is_empty() { "Cargo.toml".to_owned() } else { format!("{folder}/Cargo.toml") };
        let text = workspace.files.get(&file).map(String::as_str).unwrap_or_default();
        if table.contains_key("package") {
            package(&file, folder, table, &mut findings);
        }
        for entry in entries(table) {
            origin(&file, text, folder, &entry, &mut findings);
            if let Some(own) = folder.strip_prefix("protocols/") {
                protocol(&file, text, own, &entry, &workspace.manifests, &mut findings);
            }
        }
    }
    findings
}

fn package(file: &str, folder: &str, table: &Table, findings: &mut Vec<Finding>) {
    let on = |value: Option<&Value>| {
        value.and_then(|it| it.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    if !on(table.get("lints")) && !WITHOUT_LINTS.iter().any(|(exempt, _)| *exempt == folder) {
        let what = "does not take the workspace's lints".to_owned();
        findings.push(finding(file, 1, what, "add `[lints]` with `workspace = true`"));
    }
    let licence = table.get("package").and_then(|package| package.get("license"));
    if !on(licence) && licence.and_then(Value::as_str) != Some("MIT OR Apache-2.0") {
        let what = "does not state the project's licence".to_owned();
        findings.push(finding(file, 1, what, "add `license.workspace = true` to `[package]`"));
    }
}

/// Dependencies come from the registry or from this repository.
fn origin(file: &str, text: &str, folder: &str, entry: &Entry, findings: &mut Vec<Finding>) {
    let line = line_of(text, &entry.name);
    if entry.value.get("git").is_some() {
        let what = format!("`{}` in [{}] comes from a git repository", entry.name, entry.table);
        findings.push(finding(file, line, what, "depend on a published version"));
    }
    if let Some(path) = entry.value.get("path").and_then(Value::as_str) {
        let from_root = normal(&format!("{folder}/{path}"));
        if path.starts_with('/') || from_root.starts_with("..") {
            let what =
                format!("`{}` in [{}] lies outside of the repository: {path}", entry.name, entry.table);
            findings.push(finding(file, line, what, "depend on a published version, or bring the crate in"));
        }
    }
}

fn protocol(
    file: &str,
    text: &str,
    own: &str,
    entry: &Entry,
    manifests: &Manifests,
    findings: &mut Vec<Finding>,
) {
    let package = manifests.package(entry);
    let line = line_of(text, &entry.name);
    if NOT_IN_PROTOCOLS.iter().any(|family| is_of_family(&package.replace('-', "_"), family)) {
        let what = format!("a wire format depends on `{package}` in [{}]", entry.table);
        findings.push(finding(
            file,
            line,
            what,
            "keep input and output in `src`; protocols only read and write bytes",
        ));
    }
    if let Some(folder) = manifests.folder_of(&package) {
        let may = layers::allowed(&format!("protocols/{own}")).unwrap_or_default();
        if !entry.table.contains("dev-") && !may.iter().any(|it| layers::covers(it, folder, &[])) {
            let what = format!("`protocols/{own}` depends on `{folder}`");
            findings.push(finding(
                file,
                line,
                what,
                "dialects meet in `canon` alone; see tests/arch/layers.rs",
            ));
        }
    }
}

/// All dependency tables of a manifest, flattened.
fn entries(table: &Table) -> Vec<Entry> {
    let mut found = Vec::new();
    collect(table, "", &mut found);
    found
}

fn collect(table: &Table, path: &str, found: &mut Vec<Entry>) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else { continue };
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let of_dependencies = key.ends_with("dependencies") || key == "replace" || path.starts_with("patch.");
        if of_dependencies {
            found.extend(inner.iter().map(|(name, value)| Entry {
                table: path.clone(),
                name: name.clone(),
                value: value.clone(),
            }));
        } else {
            collect(inner, &path, found);
        }
    }
}

fn line_of(text: &str, name: &str) -> usize {
    let starts = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    text.lines().position(starts).map_or(1, |line| line + 1)
}

fn finding(file: &str, line: usize, what: String, remedy: &str) -> Finding {
    Finding { file: file.to_owned(), line, rule: RULE, what, remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::workspace::Workspace;

    const GOOD: &str = "[package]\nname = \"x\"\nlicense.workspace = true\n[lints]\nworkspace = true\n";

    fn found(file: &str, more: &str) -> Vec<String> {
        let text = format!("{GOOD}{more}");
        let canon = GOOD.replace("\"x\"", "\"trivium-canon\"");
        let workspace = Workspace::of_sources(&[("protocols/canon/Cargo.toml", &canon), (file, &text)]);
        check(&workspace).into_iter().map(|it| format!("{}:{} {}", it.file, it.line, it.what)).collect()
    }

    #[test]
    fn tidy_manifests_pass() {
        let more = "[dependencies]\nserde.workspace = true\ncanon = { path = \"../canon\", package = \"trivium-canon\" }";
        assert_eq!(found("protocols/openai/Cargo.toml", more), [""; 0]);
        assert_eq!(
            found("Cargo.toml", "[dependencies]\ntokio = \"1\"\nx = { path = \"protocols/x\" }"),
            [""; 0]
        );
    }

    #[test]
    fn lints_and_licence_are_required() {
        let bare = Workspace::of_sources(&[("protocols/a2a/Cargo.toml", "[package]\nname = \"x\"")]);
        let what: Vec<String> = check(&bare).into_iter().map(|it| it.what).collect();
        assert_eq!(what, ["does not take the workspace's lints", "does not state the project's licence"]);
        let own = "[package]\nname = \"x\"\nlicense = \"MIT OR Apache-2.0\"";
        let exempt = Workspace::of_sources(&[("benches/loadkit/Cargo.toml", own)]);
        assert_eq!(check(&exempt), []);
    }

    #[test]
    fn foreign_origins_are_caught_in_every_table() {
        for table in
            ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies", "workspace.dependencies"]
        {
            let more = format!("[{table}]\na = {{ git = \"x\" }}\nb = {{ path = \"../../b\" }}");
            let found = found("Cargo.toml", &more);
            assert_eq!(found.len(), 2, "{table}: {found:?}");
            assert!(found[0].starts_with("Cargo.toml:7 `a`"), "{found:?}");
        }
        assert_eq!(found("Cargo.toml", "[patch.crates]\na = { path = \"/b\" }").len(), 1);
    }

    #[test]
    fn protocols_stay_pure() {
        let hidden = "[dependencies]\nrt = { package = \"tokio-util\", version = \"1\" }";
        assert_eq!(found("protocols/openai/Cargo.toml", hidden).len(), 1);
        let sister = "[dependencies]\ncanon = { path = \"../canon\", package = \"trivium-canon\" }";
        assert_eq!(found("protocols/openai/Cargo.toml", sister), [""; 0]);
        assert_eq!(found("protocols/a2a/Cargo.toml", sister).len(), 1);
        assert_eq!(
            found("protocols/openai/Cargo.toml", "[dependencies]\nserde = \"1\"\nbytes = \"1\""),
            [""; 0]
        );
    }

    #[test]
    fn broken_manifests_are_told() {
        assert_eq!(check(&Workspace::of_sources(&[("Cargo.toml", "[")])).len(), 1);
    }
}
