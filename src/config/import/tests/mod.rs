//! Imports of whole files: what becomes of them, what is told, and that what is written loads.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documentation;
mod fixtures;
mod hostile;
mod sources;

use canon::Dialect;
use serde_json::Value as JsonValue;

use super::{ImportError, ImportFile, Imported, SourceKind};
use crate::config::{
    Env, Loaded, Loader, Overrides, Source,
    tests::{catalogue, folders},
};

fn loader(vars: &[(&str, &str)]) -> Loader {
    Loader::new(Env::new(vars.iter().copied(), folders()), Overrides::default(), catalogue(), &Dialect::ALL)
}

fn files(texts: &[(&str, &str)]) -> Vec<ImportFile> {
    let file =
        |(name, text): &(&str, &str)| ImportFile { name: (*name).to_owned(), text: (*text).to_owned() };
    texts.iter().map(file).collect()
}

fn try_import(kind: Option<SourceKind>, texts: &[(&str, &str)]) -> Result<Imported, ImportError> {
    loader(&[]).import(kind, &files(texts))
}

/// What becomes of files whose kind is seen from what is in them.
fn import(texts: &[(&str, &str)]) -> Imported {
    try_import(None, texts).unwrap()
}

/// Loads what would be written, with the variables that it names.
fn loaded(imported: &Imported, vars: &[(&str, &str)]) -> Loaded {
    let loader = loader(vars).with_variables(imported.variables());
    let text = imported.yaml();
    let source = Source::Text { name: "trivium.yaml".to_owned(), text: text.clone() };
    loader.load(&source).unwrap_or_else(|problems| unreachable!("{problems:#?}\n{text}"))
}

fn ids<'a>(imported: &'a Imported, section: &str) -> Vec<&'a str> {
    let all = imported.documents.iter().filter(|document| document.section == section);
    all.map(|document| document.id.as_str()).collect()
}

fn definition(imported: &Imported, section: &str, id: &str) -> JsonValue {
    let mut all = imported.documents.iter();
    let found = all.find(|document| document.section == section && document.id == id);
    found.map_or(JsonValue::Null, |document| document.definition.clone().into())
}

/// All notes, a line each.
fn notes(imported: &Imported) -> String {
    let line = |note: &super::ImportNote| format!("{}: {} ({})\n", note.place, note.message, note.remedy);
    imported.notes.iter().map(line).collect()
}

#[track_caller]
fn tells(imported: &Imported, expected: &[&str]) {
    let notes = notes(imported);
    for part in expected {
        assert!(notes.contains(part), "{part}\nis not in\n{notes}");
    }
}
