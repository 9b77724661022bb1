//! What a broken rule looks like to the person who broke it: the rule, the place, and the way out.

use std::fmt;

/// One breach of one rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the root of the repository.
    pub(crate) file: String,
    /// Counted from 1.
    pub(crate) line: usize,
    /// Short name of the rule.
    pub(crate) rule: &'static str,
    /// What was found.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, rule, what, remedy } = self;
        write!(f, "{file}:{line}: [{rule}] {what}\n    remedy: {remedy}")
    }
}

/// Fails the test with the whole list, sorted by place.
#[track_caller]
pub(crate) fn expect_none(mut findings: Vec<Finding>) {
    findings.sort();
    let list: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(list.is_empty(), "{} breach(es) of the rules:\n\n{}\n", list.len(), list.join("\n"));
}

#[test]
fn a_finding_tells_rule_place_and_remedy() {
    let finding = Finding {
        file: "src/a.rs".into(),
        line: 3,
        rule: "layers",
        what: "x uses y".into(),
        remedy: "do not".into(),
    };
    assert_eq!(finding.to_string(), "src/a.rs:3: [layers] x uses y\n    remedy: do not");
}

#[test]
#[should_panic(expected = "1 breach(es)")]
fn a_finding_fails_the_test() {
    let finding =
        Finding { file: String::new(), line: 1, rule: "layers", what: String::new(), remedy: String::new() };
    expect_none(vec![finding]);
}
