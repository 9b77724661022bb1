//! Files and functions that a person can hold in the head.

use crate::facts::Facts;
use crate::report::Finding;
use crate::workspace::Workspace;

/// Lines of production code in a file; what `#[cfg(test)]` guards is not counted.
const FILE: usize = 600;

/// Lines of a function, from `fn` to the closing brace.
const FUNCTION: usize = 100;

/// Files that may be longer, each with its reason: flat tables, nothing else.
const LONG: &[(&str, &str)] = &[];

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, facts) in workspace.production() {
        if let Some((line, error)) = &facts.broken {
            let remedy = "mend it: what cannot be read is not checked";
            findings.push(finding(file, *line, format!("cannot be parsed: {error}"), remedy));
        }
        let lines = lines(workspace, file, facts);
        if lines > FILE && !LONG.iter().any(|(long, _)| *long == file) {
            let what = format!("{lines} lines of production code; the limit is {FILE}");
            findings.push(finding(file, 1, what, "split it by what its parts are about"));
        }
        findings.extend(facts.functions.iter().filter(|function| function.lines > FUNCTION).map(
            |function| {
                let what =
                    format!("`{}` has {} lines; the limit is {FUNCTION}", function.name, function.lines);
                finding(
                    file,
                    function.line,
                    what,
                    "let it read like a list of steps, and give each step a name",
                )
            },
        ));
    }
    findings
}

/// How large things are, for those who want to know.
pub(crate) fn summary(workspace: &Workspace) -> String {
    let mut files: Vec<usize> =
        workspace.production().map(|(file, facts)| lines(workspace, file, facts)).collect();
    let mut functions: Vec<usize> = workspace
        .production()
        .flat_map(|(_, facts)| &facts.functions)
        .map(|function| function.lines)
        .collect();
    let (file, files) = (median(&mut files), files.len());
    let (function, functions) = (median(&mut functions), functions.len());
    format!("{files} production files, median {file} lines; {functions} functions, median {function} lines")
}

fn lines(workspace: &Workspace, file: &str, facts: &Facts) -> usize {
    let all = workspace.files.get(file).map_or(0, |text| text.lines().count());
    all.saturating_sub(facts.test_lines)
}

fn median(numbers: &mut [usize]) -> usize {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

fn finding(file: &str, line: usize, what: String, remedy: &str) -> Finding {
    Finding { file: file.to_owned(), line, rule: "size", what, remedy: remedy.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{check, summary};
    use crate::workspace::Workspace;

    fn found(source: &str) -> Vec<String> {
        let workspace = Workspace::of_sources(&[("src/lib.rs", source)]);
        check(&workspace).into_iter().map(|it| format!("{}: {}", it.line, it.what)).collect()
    }

    #[test]
    fn long_files_are_caught_and_tests_do_not_count() {
        let long = "const A: u8 = 1;\n".repeat(600);
        assert_eq!(found(&long), [""; 0]);
        assert_eq!(found(&format!("{long}fn f() {{}}")).len(), 1);
        assert_eq!(found(&format!("{long}#[cfg(test)]\nmod tests {{\n\nfn f() {{}}\n}}")), [""; 0]);
    }

    #[test]
    fn long_functions_are_caught_wherever_they_stand() {
        let body = |lines: usize| "    g();\n".repeat(lines - 2);
        for (before, after) in [("", ""), ("impl S {", "}"), ("trait T {", "}"), ("mod m { impl S {", "}}")] {
            let of = |lines| format!("{before}\nasync fn f() {{\n{}}}\n{after}", body(lines));
            assert_eq!(found(&of(100)), [""; 0], "{before}");
            assert_eq!(found(&of(101)), ["2: `f` has 101 lines; the limit is 100"], "{before}");
        }
        assert_eq!(found(&format!("#[test]\nfn f() {{\n{}}}", body(200))), [""; 0]);
    }

    #[test]
    fn what_cannot_be_parsed_is_told() {
        let files = [("src/lib.rs".to_owned(), "\nfn {".to_owned())].into();
        let findings = check(&Workspace::of_files(files));
        assert_eq!(findings.iter().map(|it| it.line).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn the_summary_gives_medians() {
        let sources = [("src/lib.rs", "\n\n\n"), ("src/a.rs", "fn f() {}"), ("src/b.rs", "fn g() {\n}")];
        let summary = summary(&Workspace::of_sources(&sources));
        assert_eq!(summary, "3 production files, median 2 lines; 2 functions, median 2 lines");
    }
}
