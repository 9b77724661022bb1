//! The layering rule on a small house: every way to write a path, and the soundness of the table itself.

use super::{MAY_USE, allowed, check, covers};
use crate::workspace::Workspace;

/// Breaches as `file:line used`, of a small house in which `file` has the given source.
fn breaches(file: &str, source: &str) -> Vec<String> {
    let mut sources = vec![
        (
            "src/lib.rs",
            "pub mod app; mod auth; mod cli; mod config; mod engine; mod ops; mod providers; \
                        mod simulator; mod store; mod surfaces;",
        ),
        ("src/main.rs", ""),
        ("src/app.rs", "use crate::{providers, store, surfaces}; pub fn run() {}"),
        ("src/auth.rs", ""),
        ("src/cli.rs", ""),
        ("src/config.rs", ""),
        ("src/engine/mod.rs", "pub mod settings; pub mod ports; pub mod plan; pub use settings::Limits;"),
        ("src/engine/settings.rs", "pub struct Limits;"),
        ("src/engine/ports.rs", "pub trait Upstream {} pub use canon::Turn;"),
        ("src/engine/plan.rs", "pub fn plan() {}"),
        ("src/ops.rs", "pub mod ports {}"),
        ("src/providers.rs", ""),
        ("src/simulator.rs", ""),
        ("src/store.rs", "pub struct Key; pub fn open() {} #[macro_export] macro_rules! row { () => {} }"),
        ("src/surfaces/mod.rs", "mod openai;"),
        ("src/surfaces/openai.rs", ""),
        ("protocols/canon/src/lib.rs", "pub struct Turn;"),
        ("protocols/openai/src/lib.rs", "pub use canon::Turn;"),
    ];
    sources.retain(|(name, _)| *name != file);
    sources.push((file, source));
    let found = check(&Workspace::of_sources(&sources).tree);
    let show = |it: &crate::report::Finding| {
        format!("{}:{} {}", it.file, it.line, it.what.split('`').nth(3).unwrap_or("unknown"))
    };
    found.iter().map(show).collect()
}

#[test]
fn the_house_itself_stands() {
    assert_eq!(breaches("src/auth.rs", ""), [""; 0]);
}

#[test]
fn forbidden_layers_are_caught_however_they_are_written() {
    for source in [
        "use crate::store::Key;",
        "use super::super::store::Key;",
        "use crate::{store as s}; fn f() { s::open() }",
        "use crate::store::*;",
        "fn f() { super::super::store::open() }",
        "fn f() { println!(\"{}\", crate::store::open()) }",
        "fn f() { let _ = matches!(x, crate::store::Key); }",
        "#[serde(default = \"crate::store::open\")] struct S;",
        "fn f() { crate::row!() }",
        "impl crate::store::Key { }",
        "mod inner { use super::super::super::store::Key; }",
        "fn f(x: &dyn Fn(crate::store::Key)) {}",
    ] {
        let found = breaches("src/surfaces/openai.rs", source);
        assert!(
            found.iter().any(|it| it.starts_with("src/surfaces/openai.rs:1 store")),
            "{source}: {found:?}"
        );
    }
}

#[test]
fn allowed_layers_and_test_code_pass() {
    for source in [
        "use crate::engine::plan::plan; use crate::{ops, auth as a}; use canon::Turn; use openai::Turn as T;",
        "#[cfg(test)] mod tests { use crate::store::Key; fn f() { crate::store::open() } }",
        "#[test] fn f() { crate::store::open() }",
        "/// See crate::store::Key\nfn store() { let store = 1; store.open(); \"crate::store\"; }",
        "mod store { pub fn open() {} } fn f() { store::open() }",
    ] {
        assert_eq!(breaches("src/surfaces/openai.rs", source), [""; 0], "{source}");
    }
}

#[test]
fn a_re_export_does_not_launder() {
    let found = breaches("src/engine/plan.rs", "pub use crate::store::Key; pub fn plan() {}");
    assert_eq!(found, ["src/engine/plan.rs:1 store::Key"]);
    let found = breaches("src/app.rs", "pub use crate::store; pub mod x { pub use crate::store::*; }");
    assert_eq!(found, [""; 0]);
    let mut found = breaches("src/cli.rs", "use crate::app::run; use openai::Turn;");
    found.sort();
    assert_eq!(found, ["src/cli.rs:1 protocols/canon::Turn", "src/cli.rs:1 protocols/openai::Turn"]);
}

#[test]
fn parts_of_a_layer_are_told_apart() {
    assert_eq!(breaches("src/config.rs", "use crate::engine::settings::Limits;"), [""; 0]);
    assert_eq!(breaches("src/config.rs", "use crate::engine::Limits;"), [""; 0], "a facade of its own layer");
    assert_eq!(breaches("src/config.rs", "\nuse crate::engine;"), ["src/config.rs:2 engine"]);
    assert_eq!(
        breaches("src/config.rs", "use crate::engine::plan::plan;"),
        ["src/config.rs:1 engine::plan::plan"]
    );
}

#[test]
fn protocols_and_the_simulator_stand_alone() {
    assert_eq!(
        breaches("src/simulator.rs", "use canon::Turn;"),
        ["src/simulator.rs:1 protocols/canon::Turn"]
    );
    let found = breaches("protocols/canon/src/lib.rs", "pub use openai::Turn;");
    assert!(found.iter().any(|it| it == "protocols/canon/src/lib.rs:1 protocols/openai::Turn"), "{found:?}");
}

#[test]
fn the_binary_uses_the_library_by_the_same_rules() {
    assert_eq!(breaches("src/main.rs", "fn main() { trivium::app::run() }"), [""; 0]);
    assert_eq!(
        breaches("src/main.rs", "fn main() { trivium::store::open() }"),
        ["src/main.rs:1 store::open"]
    );
}

#[test]
fn a_module_without_a_row_is_a_breach() {
    assert_eq!(breaches("src/helpers.rs", ""), ["src/helpers.rs:1 unknown"]);
}

#[test]
fn the_table_is_sound() {
    let names: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    for (layer, entries) in MAY_USE.iter().filter(|(layer, _)| *layer != "app") {
        for entry in *entries {
            let target = entry.split("::").next().unwrap();
            assert!(*entry == "protocols/*" || names.contains(&target), "{layer} -> {entry}: no such layer");
        }
        let together = ["surfaces", "providers", "store"];
        let named = together.iter().filter(|it| *it == layer || entries.iter().any(|e| covers(e, it, &[])));
        assert!(named.count() <= 1, "{layer}: only `app` names surfaces, providers and store together");
        assert!(!reaches(layer, layer, 0), "{layer} uses itself by way of others");
    }
}

fn reaches(from: &str, goal: &str, depth: usize) -> bool {
    let next = allowed(from).unwrap().iter().filter_map(|entry| entry.split("::").next());
    let mut next = next.filter(|layer| !layer.contains('*') && *layer != "app");
    depth < MAY_USE.len() && next.any(|layer| layer == goal || reaches(layer, goal, depth + 1))
}
