//! Tests of the codec: identity on fixtures, and each tricky rule by name.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test reports by panicking")]

mod answers;
mod foreign;
mod identity;
mod noise;

use std::{fs, path::Path};

use canon::{Dialect, Quirks, Target};
use serde_json::Value;

/// The fixtures of one kind, with their names.
fn fixtures(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/generate").join(kind);
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no fixtures of {kind}");
    found
}

fn target(source: Dialect, model: &str) -> Target<'_> {
    Target { model, source, maker: "google", quirks: Quirks::default(), max_output: None }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The events of a stream's bytes, each with its blank line.
fn events(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = canon::sse::Splitter::default();
    splitter.push(bytes::Bytes::copy_from_slice(stream));
    let mut events = Vec::new();
    while let Some(event) = splitter.next_event() {
        events.push(event.to_vec());
    }
    events.extend(splitter.rest().map(|rest| rest.to_vec()));
    events
}
