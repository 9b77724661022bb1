//! Libraries that may be named in few layers only, so that each stays replaceable and each door has one guard.

use crate::report::Finding;
use crate::resolve::Place;
use crate::tokens::Written;
use crate::tree::Tree;
use crate::workspace::Workspace;

/// A path that is confined, the layers where it may be named, and what others do instead.
/// A path of one segment means the whole family of crates: `axum` also `axum_core`.
#[rustfmt::skip]
const CONFINED: &[(&str, &[&str], &str)] = &[
    ("sqlx",                 &["store"],                 "all SQL lives in `store`; ask it through a port"),
    ("axum",                 &["surfaces", "simulator"], "only `surfaces` and `simulator` serve HTTP; pass `http` types"),
    ("tokio_tungstenite",    &["surfaces"],              "only `surfaces` speak WebSocket"),
    ("rmcp",                 &["surfaces", "simulator"], "only `surfaces` and `simulator` speak MCP"),
    ("reqwest",              &["outbound"],              "`outbound` is the one door to the network; use its functions"),
    ("hyper::client",        &["outbound"],              "`outbound` is the one door to the network; use its functions"),
    ("hyper_util::client",   &["outbound"],              "`outbound` is the one door to the network; use its functions"),
    ("hyper_rustls",         &["outbound"],              "`outbound` is the one door to the network; use its functions"),
    ("ring",                 &["store", "envelope"],     "`store` encrypts what is kept, and `envelope` what others are given; nobody else handles keys of ciphers"),
    ("x25519_dalek",         &["envelope"],              "`envelope` encrypts to others' keys"),
    ("std::env::var",        &["config"],                "only `config` reads the environment; make it a setting"),
    ("std::env::var_os",     &["config"],                "only `config` reads the environment; make it a setting"),
    ("std::env::vars",       &["config"],                "only `config` reads the environment; make it a setting"),
    ("std::env::vars_os",    &["config"],                "only `config` reads the environment; make it a setting"),
];

/// Families of crates that no protocol crate may name or depend on.
pub(crate) const NOT_IN_PROTOCOLS: &[&str] = &["tokio", "axum", "reqwest", "hyper", "sqlx"];

const RULE: &str = "confinement";

/// Whether a crate belongs to a family: `sqlx`, `sqlx_core`.
pub(crate) fn is_of_family(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (index, module) in tree.modules.iter().enumerate().filter(|(_, module)| !module.test) {
        let (layer, _) = tree.layer(module.krate, &module.path);
        for path in &module.uses {
            for place in tree.resolve(index, path) {
                let Place::External(goal) = place else { continue };
                let Some((what, remedy)) = breach(layer, &goal, path) else { continue };
                findings.push(Finding {
                    file: module.file.clone(),
                    line: path.line,
                    rule: RULE,
                    what,
                    remedy: format!("{remedy} (CONFINED in tests/arch/confinement.rs)"),
                });
            }
        }
    }
    findings.sort();
    findings.dedup_by(|one, other| (&one.file, one.line) == (&other.file, other.line));
    findings
}

fn breach(layer: &str, goal: &[String], path: &Written) -> Option<(String, &'static str)> {
    let shown = goal.join("::");
    let crate_name = goal.first()?;
    if layer.starts_with("protocols/") && NOT_IN_PROTOCOLS.iter().any(|it| is_of_family(crate_name, it)) {
        return Some((format!("`{layer}` names `{shown}`"), "protocols only read and write bytes"));
    }
    let (confined, only, remedy) = CONFINED
        .iter()
        .find(|(confined, only, _)| !only.contains(&layer) && names(goal, path.glob, confined))?;
    Some((format!("`{layer}` names `{shown}`, but `{confined}` belongs to {}", only.join(" and ")), remedy))
}

/// Whether a path, or the glob of one, brings something confined into sight.
fn names(goal: &[String], glob: bool, confined: &str) -> bool {
    let parts: Vec<&str> = confined.split("::").collect();
    if let [family] = parts[..] {
        return is_of_family(&goal[0], family);
    }
    let goal: Vec<&str> = goal.iter().map(String::as_str).collect();
    goal.starts_with(&parts) || glob && parts.starts_with(&goal)
}

/// `env!` bakes the builder's environment into the product; what cargo itself sets is no setting.
pub(crate) fn check_environment_macros(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, facts) in workspace.production() {
        if file.starts_with("src/config/") || file == "src/config.rs" {
            continue;
        }
        let marks =
            facts.marks.iter().filter(|mark| mark.what.contains("env!(") && !mark.what.contains("(\"CARGO_"));
        findings.extend(marks.map(|mark| Finding {
            file: file.to_owned(),
            line: mark.line,
            rule: RULE,
            what: format!("`{}` reads the environment", mark.what),
            remedy: "only `config` reads the environment; make it a setting".into(),
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{check, check_environment_macros};
    use crate::workspace::Workspace;

    fn house(file: &str, source: &str) -> Workspace {
        let mut sources = vec![
            ("src/lib.rs", "mod config; mod engine; mod outbound; mod store; mod surfaces;"),
            ("src/config.rs", "pub use std::env as environment;"),
            ("src/engine.rs", ""),
            (
                "src/outbound.rs",
                "pub use reqwest::Client; pub type Pool = hyper_util::client::legacy::Client; pub struct Door;",
            ),
            ("src/store.rs", ""),
            ("src/surfaces.rs", ""),
            ("protocols/canon/src/lib.rs", ""),
            ("Cargo.toml", "[dependencies]\ndb = { package = \"sqlx\", version = \"1\" }"),
        ];
        sources.retain(|(name, _)| *name != file);
        sources.push((file, source));
        Workspace::of_sources(&sources)
    }

    fn caught(file: &str, source: &str) -> bool {
        check(&house(file, source).tree).iter().any(|finding| finding.file == file)
    }

    #[test]
    fn confined_libraries_are_caught_outside_of_their_layers() {
        for source in [
            "use sqlx::Row;",
            "fn f() { sqlx::query!(\"x\") }",
            "fn f(_: ::sqlx_core::Row) {}",
            "#[derive(sqlx::FromRow)] struct S;",
            "use db::Row;",
            "extern crate sqlx;",
            "use axum;",
            "use axum::{Router as R};",
            "use hyper::client::conn;",
            "use hyper_util::{rt, client::legacy as c};",
            "use hyper::*;",
            "use crate::outbound::Client;",
            "use crate::outbound::*; fn f(_: Client) {}",
            "fn f(_: crate::outbound::Pool) {}",
            "fn f() { std::env::var(\"X\") }",
            "use std::env; fn f() { env::vars() }",
            "use std::env::*;",
            "use std::env::{self as e, args}; fn f() { e::var_os(\"X\") }",
            "use crate::config::environment; fn f() { environment::var(\"X\") }",
            "fn f() { format!(\"{:?}\", std::env::var(\"X\")) }",
            "fn f() { x.map(std::env::var) }",
        ] {
            assert!(caught("src/engine.rs", source), "{source}");
        }
    }

    #[test]
    fn other_names_and_the_right_layers_pass() {
        for source in [
            "use std::env; fn f() { env::args() }",
            "use hyper::body::Body; use hyper_util::rt::TokioExecutor; use tokio::fs;",
            "fn f() { let sqlx = 1; sqlx.max(2); axum(); }",
            "use crate::outbound::Door;",
            "#[cfg(test)] mod tests { use axum::Router; }",
            "mod axum { pub fn x() {} } fn f() { axum::x() }",
        ] {
            assert!(!caught("src/engine.rs", source), "{source}");
        }
        assert!(!caught("src/store.rs", "use sqlx::Row; use db::Pool;"));
        assert!(!caught("src/surfaces.rs", "use axum::Router; use rmcp::Server;"));
        assert!(!caught(
            "src/outbound.rs",
            "use reqwest::Client; use hyper::client; use hyper_util::client as c;"
        ));
        assert!(!caught("src/config.rs", "fn f() { std::env::var(\"X\") }"));
        assert!(caught("src/surfaces.rs", "use sqlx::Row;"));
        assert!(caught("src/outbound.rs", "fn f() { std::env::var(\"HTTP_PROXY\") }"));
    }

    #[test]
    fn protocols_name_no_runtime() {
        assert!(caught("protocols/canon/src/lib.rs", "use tokio_util::codec::Decoder;"));
        assert!(caught("protocols/canon/src/lib.rs", "async fn f() { tokio::spawn(x) }"));
        assert!(!caught("protocols/canon/src/lib.rs", "use bytes::Bytes;"));
    }

    #[test]
    fn environment_macros_belong_to_config() {
        let source = "const A: &str = env!(\"HOME\"); fn f() { g!(option_env!(\"X\")) }";
        assert_eq!(check_environment_macros(&house("src/engine.rs", source)).len(), 2);
        assert_eq!(check_environment_macros(&house("src/config.rs", source)), []);
        let version = "const V: &str = env!(\"CARGO_PKG_VERSION\");";
        assert_eq!(check_environment_macros(&house("src/engine.rs", version)), []);
    }
}
