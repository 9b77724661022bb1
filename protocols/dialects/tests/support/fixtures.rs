//! The fixtures of all dialects: realistic requests, answers and streams, kept beside the codec that they belong to.

use std::{fs, path::PathBuf};

use canon::Dialect;

/// One recorded body.
pub(crate) struct Fixture {
    /// Whose wire format it is.
    pub(crate) dialect: Dialect,
    /// The file's name without its ending.
    pub(crate) name: String,
    /// What the file holds.
    pub(crate) body: Vec<u8>,
}

/// Where the fixtures of a dialect are, from the folder of this crate.
const fn folder(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "../openai/fixtures/chat",
        Dialect::Responses => "../openai/fixtures/responses",
        Dialect::Messages => "../anthropic/fixtures/messages",
        Dialect::Gemini => "../gemini/fixtures/generate",
    }
}

/// Every fixture of one kind (`requests`, `answers`, `streams`, `errors`), in a fixed order.
pub(crate) fn fixtures(kind: &str) -> Vec<Fixture> {
    let mut found = Vec::new();
    for dialect in Dialect::ALL {
        let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), folder(dialect), kind].iter().collect();
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        found.extend(files.into_iter().map(|file| Fixture {
            dialect,
            name: file.file_stem().unwrap().to_str().unwrap().to_owned(),
            body: fs::read(&file).unwrap(),
        }));
    }
    assert!(found.len() > 8, "the fixtures have moved");
    found
}
