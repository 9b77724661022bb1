//! Whatever the bytes are, the loader answers with settings or problems, and every problem helps.

use std::path::Path;

use proptest::prelude::*;

use super::{
    super::{Style, problem::Problems, render_problems, source::decode},
    *,
};

/// Pieces from which nearly valid files are made, since wholly random bytes seldom get past the first line.
const PIECES: [&str; 36] = [
    "server:",
    "providers:",
    " ",
    "  ",
    "\n",
    "\n  ",
    "\n  - ",
    "- ",
    "id: a",
    "type: groq",
    "type: ollama",
    "api_key: ",
    "${A}",
    "${",
    "$$",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "'",
    "\"",
    "|",
    ">",
    "&a ",
    "*a",
    "<<: ",
    "!t ",
    "#",
    "port: 1",
    "? ",
    "---",
    "ä",
    "\t",
    "models: ",
];

fn settle(yaml: &str) {
    match load_with(yaml, &[("A", "x")]) {
        Ok(_) => {}
        Err(problems) => {
            assert!(problems.iter().any(|problem| problem.severity == Severity::Error));
            assert!(problems.iter().all(|one| !one.message.is_empty() && !one.remedy.is_empty()));
            assert!(!render_problems(&problems, Style::Plain).is_empty());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut problems = Problems::default();
        let path = Path::new("trivium.yaml").into();
        if let Some(yaml) = decode(&path, Ok(bytes), &mut problems) {
            settle(&yaml);
        } else {
            prop_assert!(problems.has_errors());
        }
    }

    #[test]
    fn any_text(yaml in "\\PC{0,120}") {
        settle(&yaml);
    }

    #[test]
    fn nearly_a_configuration(pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40)) {
        settle(&pieces.concat());
    }

    #[test]
    fn a_changed_example(at in 0_usize..4000, with in proptest::sample::select(&PIECES[..])) {
        let mut yaml = include_str!("../../../trivium.example.yaml").to_owned();
        let at = (0..=at.min(yaml.len())).rev().find(|at| yaml.is_char_boundary(*at)).unwrap_or(0);
        yaml.insert_str(at, with);
        settle(&yaml);
    }
}
