//! Tests of the whole layer, from text to settings, by subject; and what they share. Tests of one
//! function stand beside it.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod combos;
mod documentation;
mod files;
mod interpolation;
mod limits;
mod logins;
mod money;
mod multirouter;
mod names;
mod precedence;
mod providers;
mod random;
mod reports;
mod secrets;
mod sections;
mod watching;
mod webhooks;
mod yaml;

use std::sync::{Arc, LazyLock};

use canon::Dialect;
use serde::Deserialize;

use super::{Env, Folders, Loaded, Loader, Origin, Overrides, Problem, Severity, Source};
use crate::engine::settings::{Catalogue, Connection, Declined, Provider};

/// The real rows, without the module that embeds them: this layer must not know it.
pub(in crate::config) fn catalogue() -> Arc<Catalogue> {
    static ROWS: LazyLock<Arc<Catalogue>> = LazyLock::new(read_catalogue);
    Arc::clone(&ROWS)
}

fn read_catalogue() -> Arc<Catalogue> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        provider: Vec<Provider>,
        #[serde(default)]
        declined: Vec<Declined>,
    }
    let files = [
        include_str!("../../providers/catalog/curated.toml"),
        include_str!("../../providers/catalog/cloud.toml"),
        include_str!("../../providers/catalog/local.toml"),
        include_str!("../../providers/catalog/declined.toml"),
    ];
    let (mut providers, mut declined) = (Vec::new(), Vec::new());
    for text in files {
        let file: File = toml::from_str(text).unwrap();
        providers.extend(file.provider);
        declined.extend(file.declined);
    }
    Arc::new(Catalogue::new(providers, declined).unwrap())
}

pub(in crate::config) fn folders() -> Folders {
    Folders {
        current: "/here".into(),
        home: Some("/home/me".into()),
        config: Some("/home/me/.config/trivium".into()),
        data: Some("/home/me/.local/share/trivium".into()),
    }
}

fn loader_with(vars: &[(&str, &str)], overrides: Overrides) -> Loader {
    let env = Env::new(vars.iter().copied(), folders());
    Loader::new(env, overrides, catalogue(), &[Dialect::Chat])
}

fn text(yaml: &str) -> Source {
    Source::Text { name: "trivium.yaml".to_owned(), text: yaml.to_owned() }
}

fn load_with(yaml: &str, vars: &[(&str, &str)]) -> Result<Loaded, Vec<Problem>> {
    loader_with(vars, Overrides::default()).load(&text(yaml))
}

fn load(yaml: &str) -> Result<Loaded, Vec<Problem>> {
    load_with(yaml, &[])
}

/// The configuration, which must be accepted.
fn accepted(yaml: &str) -> Loaded {
    load(yaml).unwrap_or_else(|problems| panic!("refused: {problems:#?}"))
}

/// The problems of a configuration, which must be refused.
fn refused(yaml: &str) -> Vec<Problem> {
    load(yaml).map(|_| ()).expect_err("was accepted")
}

/// The only problem, as message and remedy in one line.
fn only(problems: &[Problem]) -> String {
    let [problem] = problems else { panic!("not one problem: {problems:#?}") };
    in_words(problem)
}

fn in_words(problem: &Problem) -> String {
    let place = problem.origin.line().map_or(String::new(), |line| format!("line {line}, "));
    let severity = problem.severity.as_str();
    format!("{severity}: {place}{}: {} ({})", problem.path, problem.message, problem.remedy)
}

fn ids(loaded: &Loaded) -> Vec<&str> {
    loaded.settings.connections.iter().map(|connection| &*connection.id).collect()
}

fn connection<'a>(loaded: &'a Loaded, id: &str) -> &'a Connection {
    loaded.settings.connections.iter().find(|connection| *connection.id == *id).expect("no such connection")
}

fn chat_url<'a>(loaded: &'a Loaded, id: &str) -> &'a str {
    &connection(loaded, id).endpoints[&Dialect::Chat]
}

fn origin_of(loaded: &Loaded, path: &str) -> Origin {
    loaded.effective.iter().find(|one| one.path == path).expect("no such setting").origin.clone()
}

/// One provider entry with these further lines.
fn entry(lines: &str) -> String {
    let body: String = lines.lines().map(|line| format!("    {}\n", line.trim_end())).collect();
    format!("providers:\n  - id: one\n{body}")
}

fn count(problems: &[Problem], severity: Severity) -> usize {
    problems.iter().filter(|problem| problem.severity == severity).count()
}
