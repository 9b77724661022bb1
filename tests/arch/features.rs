//! Features of cargo: what only tests build is chosen in one place, and reaches no build by default.

use crate::report::Finding;
use crate::workspace::{Workspace, is_production};

/// The feature, a file that chooses by it, and how often that names it: where the module is declared and where it is taken.
const CHOSEN: &[(&str, &str, usize)] =
    &[("conformance", "src/surfaces/mcp/mod.rs", 2), ("conformance", "src/ops/skills/mod.rs", 2)];

const RULE: &str = "features";

pub(crate) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = workspace.files.iter().filter(|(file, _)| file.ends_with(".rs") && is_production(file));
    for (file, text) in sources {
        let places = text.lines().enumerate().filter(|(_, line)| line.contains("feature = \""));
        for (seen, (at, line)) in places.enumerate() {
            let is_chosen = CHOSEN.iter().any(|(name, here, most)| {
                *here == file && seen < *most && line.contains(&format!("feature = \"{name}\""))
            });
            if is_chosen {
                continue;
            }
            findings.push(finding(file, at + 1, format!("`{}` depends on a feature", line.trim())));
        }
    }
    let manifest = workspace.files.get("Cargo.toml").map_or("", String::as_str);
    let defaults = manifest.lines().enumerate().filter(|(_, line)| line.starts_with("default = "));
    for (at, line) in defaults {
        if CHOSEN.iter().any(|(name, _, _)| line.contains(name)) {
            findings.push(finding("Cargo.toml", at + 1, "a feature for tests is on by default".into()));
        }
    }
    findings
}

fn finding(file: &str, line: usize, what: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line,
        rule: RULE,
        what,
        remedy: "what is built must be what is tested: choose at run time (CHOSEN in tests/arch/features.rs)"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, source: &str) -> usize {
        check(&Workspace::of_sources(&[("src/lib.rs", "mod a;"), (file, source)])).len()
    }

    #[test]
    fn a_feature_is_named_where_it_is_chosen_and_nowhere_else() {
        let named = "#[cfg(feature = \"conformance\")]\nmod fixtures;\n";
        assert_eq!(found("src/surfaces/mcp/mod.rs", &named.repeat(2)), 0);
        assert_eq!(found("src/surfaces/mcp/mod.rs", &named.repeat(3)), 1);
        assert_eq!(found("src/ops/skills/mod.rs", &named.repeat(2)), 0);
        assert_eq!(found("src/surfaces/mcp/handler.rs", named), 1);
        assert_eq!(found("src/surfaces/mcp/mod.rs", "#[cfg(feature = \"other\")]\nmod other;\n"), 1);
        assert_eq!(found("src/a.rs", "fn f() { if cfg!(feature = \"conformance\") {} }"), 1);
    }
}
