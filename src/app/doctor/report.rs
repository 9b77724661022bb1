//! The report for people who help: versions, the system, what was found, counts, and the settings with their secrets masked.

use std::fmt::Write as _;

use super::{Examination, Finding};

/// The report as text. Nothing in it comes from where secrets are.
#[must_use]
pub fn report(examination: &Examination) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "# Trivium {}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(out, "system      {} {}", std::env::consts::OS, std::env::consts::ARCH);
    if let Some(name) = distribution() {
        let _ = writeln!(out, "            {name}");
    }
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let _ = writeln!(out, "processors  {processors}");
    let _ = writeln!(out, "build       {}", if cfg!(debug_assertions) { "debug" } else { "release" });
    let _ = writeln!(out, "\n# Findings\n{}", findings(&examination.findings));
    if !examination.rows.is_empty() {
        let _ = writeln!(out, "# Rows");
        let width = examination.rows.iter().map(|(table, _)| table.len()).max().unwrap_or_default();
        for (table, rows) in &examination.rows {
            let _ = writeln!(out, "{table:<width$}  {rows}");
        }
    }
    let _ = writeln!(out, "\n# Settings\n{}", examination.settings.trim_end());
    out
}

/// A line for each, with what to do below it.
#[must_use]
pub(super) fn findings(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let mut out = String::new();
    for finding in findings {
        let found = finding.found.replace('\n', "\n      ");
        let _ = writeln!(out, "{:<4}  {:<width$}  {found}", finding.state, finding.check);
        if let Some(remedy) = &finding.remedy {
            let _ = writeln!(out, "      {:<width$}  -> {remedy}", "");
        }
    }
    out
}

impl Examination {
    /// What was found, for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        findings(&self.findings)
    }
}

/// What the system calls itself, where it says so.
fn distribution() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let name = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches('"').to_owned())
}
