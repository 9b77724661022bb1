//! The project speaks of itself alone: not of the machine or the people that built it, nor of the hosts that
//! packages were fetched from. What a reader cannot reach does not help a reader.

use crate::report::Finding;
use crate::workspace::Workspace;

/// In pieces, so that this file does not hold what it forbids.
const WORDS: &[&[&str]] = &[&["/wo", "rk/"], &["helper", " session"]];
const HOSTS: &[&[&str]] = &[
    &["crates", ".io"],
    &["npm", "js.org"],
    &["npm", "js.com"],
    &["py", "pi.org"],
    &["python", "hosted.org"],
    &["proxy.go", "lang.org"],
];

/// Files in which package managers write down their sources.
const LOCKS: &[&str] =
    &["Cargo.lock", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "uv.lock", "poetry.lock"];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in &workspace.files {
        let lock = LOCKS.contains(&file.rsplit('/').next().unwrap_or(file));
        let words = WORDS.iter().chain(if lock { &[] } else { HOSTS });
        let words: Vec<String> = words.map(|pieces| pieces.concat()).collect();
        for (number, line) in text.lines().enumerate() {
            let line = line.to_ascii_lowercase();
            findings.extend(words.iter().filter(|word| line.contains(word.as_str())).map(|word| Finding {
                file: file.clone(),
                line: number + 1,
                rule: "words",
                what: format!("speaks of `{word}`"),
                remedy: "say what a reader of the repository needs, without the place it was made in".into(),
            }));
        }
    }
    findings
}

#[test]
fn foreign_words_are_found_in_any_file() {
    let word = WORDS[0].concat();
    let host = format!("// see HTTPS://Index.{}/x", HOSTS[0].concat().to_uppercase());
    let session = WORDS[1].concat().to_uppercase();
    let text = format!("fine\nat {word}main\n{session}");
    let workspace = Workspace::of_sources(&[
        ("README.md", &text),
        ("src/lib.rs", &host),
        ("Cargo.lock", &host),
        ("CHANGELOG.md", "the network of workers works"),
    ]);
    let places: Vec<(String, usize)> = check(&workspace).into_iter().map(|it| (it.file, it.line)).collect();
    assert_eq!(places, [("README.md".into(), 2), ("README.md".into(), 3), ("src/lib.rs".into(), 1)]);
}
