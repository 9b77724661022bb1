//! Production code hands errors on and neither panics nor hides a lint: `#[expect]` with a reason says that a
//! lint was read, `#[allow]` only that it was in the way.

use crate::report::Finding;
use crate::workspace::{Workspace, is_production};

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let production: Vec<&str> = workspace.production().map(|(file, _)| file).collect();
    let mut findings = Vec::new();
    for (file, facts) in &workspace.facts {
        for mark in &facts.marks {
            let silences = mark.what == "#[allow]";
            let panics = production.contains(&file.as_str()) && !silences && !mark.what.contains("env!(");
            let remedy = if silences {
                "mend what the lint found, or write `#[expect(lint, reason = \"…\")]`"
            } else if panics {
                "hand the error on with `?`, or make the state impossible by a type"
            } else {
                continue;
            };
            findings.push(Finding {
                file: file.clone(),
                line: mark.line,
                rule: "bans",
                what: format!(
                    "`{}` in {}",
                    mark.what,
                    if is_production(file) { "the product" } else { "a test or tool" }
                ),
                remedy: remedy.into(),
            });
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::workspace::Workspace;

    fn found(file: &str, source: &str) -> Vec<String> {
        let workspace =
            Workspace::of_sources(&[("src/lib.rs", "mod a; #[cfg(test)] mod t;"), (file, source)]);
        check(&workspace).into_iter().map(|it| it.what.split('`').nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn panics_are_caught_in_code_and_in_macros() {
        for (source, what) in [
            ("fn f() { x.unwrap(); }", ".unwrap()"),
            ("fn f() { x.expect(\"y\"); }", ".expect()"),
            ("fn f() { x.unwrap_err(); }", ".unwrap_err()"),
            ("fn f() { x.map(Option::unwrap); }", "::unwrap"),
            ("fn f() { panic!(\"x\"); }", "panic!"),
            ("fn f() { std::panic!(\"x\"); }", "panic!"),
            ("fn f() { todo!() }", "todo!"),
            ("fn f() { vec![x.unwrap()]; }", ".unwrap()"),
            ("macro_rules! m { ($x:expr) => { $x.expect(\"y\") } }", ".expect()"),
            ("fn f() { select! { _ = x => unimplemented!() } }", "unimplemented!"),
            ("#[arg(default_value_t = x.unwrap())] struct S;", ".unwrap()"),
        ] {
            assert_eq!(found("src/a.rs", source), [what], "{source}");
        }
    }

    #[test]
    fn tests_may_panic_and_look_alikes_pass() {
        let panics = "fn f() { x.unwrap(); panic!() }";
        for (file, source) in [
            ("tests/hub/main.rs", panics),
            ("benches/loadkit/src/main.rs", panics),
            ("src/t.rs", panics),
            ("src/a.rs", "#[cfg(test)] mod tests { fn f() { x.unwrap() } } #[test] fn g() { panic!() }"),
            ("src/a.rs", "impl S { #[cfg(test)] fn f() { x.unwrap() } }"),
            ("src/a.rs", "/// x.unwrap()\nfn f() { x.unwrap_or(1); \"y.unwrap()\"; catch_unwind(g); }"),
            ("src/a.rs", "#[expect(dead_code, reason = \"later\")] fn f() {}"),
        ] {
            assert_eq!(found(file, source), [""; 0], "{file}: {source}");
        }
    }

    #[test]
    fn lints_are_never_allowed_away() {
        for source in [
            "#[allow(dead_code)] fn f() {}",
            "#![allow(dead_code)]",
            "#[cfg_attr(unix, allow(dead_code))] fn f() {}",
            "fn f() { #[allow(unused)] let x = 1; }",
            "macro_rules! m { () => { #[allow(unused)] fn f() {} } }",
            "#[cfg(test)] mod tests { #[allow(unused)] fn f() {} }",
        ] {
            assert_eq!(found("src/a.rs", source), ["#[allow]"], "{source}");
            assert_eq!(found("tests/hub/main.rs", source), ["#[allow]"], "{source}");
        }
    }
}
