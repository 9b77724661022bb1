//! Every source file opens with `//!` that says what lives in it, so that a reader knows before reading.

use crate::report::Finding;
use crate::workspace::Workspace;

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let sources = workspace.files.iter().filter(|(file, _)| file.ends_with(".rs"));
    let headless = sources.filter(|(_, text)| !has_head(text));
    let finding = |(file, _): (&String, _)| Finding {
        file: file.clone(),
        line: 1,
        rule: "heads",
        what: "does not open with a `//!` comment".into(),
        remedy:
            "say on the first line what lives in this file, and what does not if one might look for it here"
                .into(),
    };
    headless.map(finding).collect()
}

fn has_head(text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|words| words.contains(char::is_alphanumeric))
}

#[test]
fn only_a_comment_about_the_file_is_a_head() {
    let sources = [
        ("src/good.rs", "//! What lives here.\nfn f() {}"),
        ("src/empty.rs", ""),
        ("src/bare.rs", "//!\nfn f() {}"),
        ("src/late.rs", "use x;\n// ! Late."),
        ("tests/item.rs", "/// Of an item.\nfn f() {}"),
        ("benches/x/src/plain.rs", "// Plain."),
        ("README.md", "no source"),
    ];
    let mut files: Vec<String> =
        check(&Workspace::of_sources(&sources)).into_iter().map(|it| it.file).collect();
    files.sort();
    assert_eq!(
        files,
        ["benches/x/src/plain.rs", "src/bare.rs", "src/empty.rs", "src/late.rs", "tests/item.rs"]
    );
}
