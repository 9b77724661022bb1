//! Tests of the codec as a whole: on every fixture, reading and writing give back what was read.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod across;
mod answers;
mod requests;
mod streams;

use std::{fs, path::PathBuf};

use canon::{Dialect, Quirks, Target};
use serde_json::Value;

/// The fixtures of one kind, by name.
fn fixtures(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/responses").join(kind);
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no fixtures of {kind}");
    found
}

fn fixture(kind: &str, name: &str) -> Vec<u8> {
    fixtures(kind).into_iter().find(|(found, _)| found == name).unwrap().1
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn target(source: Dialect) -> Target<'static> {
    Target { model: "gpt-5.1", source, maker: "openai", quirks: Quirks::default(), max_output: None }
}
