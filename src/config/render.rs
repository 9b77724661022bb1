//! Problems and settings as text for people, in the manner of a compiler. Whether there is a terminal
//! that wants colour is the caller's to know.

use std::fmt::Write as _;

use super::{
    effective::Effective,
    excerpt::Excerpt,
    mask,
    problem::{Problem, Severity},
};

/// How to write for people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    /// Text alone.
    #[default]
    Plain,
    /// Text with ANSI colours.
    Colour,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colour => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

const BOLD: &str = "1";
const BLUE: &str = "1;34";

const fn colour_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Hint => "1;36",
    }
}

/// Every problem with its place, its line and what to do; a blank line between two.
#[must_use]
pub fn render_problems(problems: &[Problem], style: Style) -> String {
    problems.iter().map(|problem| one(problem, style)).collect::<Vec<_>>().join("\n")
}

fn one(problem: &Problem, style: Style) -> String {
    let colour = colour_of(problem.severity);
    let mut out = format!(
        "{}{}\n",
        style.paint(colour, problem.severity.as_str()),
        style.paint(BOLD, &format!(": {}", clean(&problem.message)))
    );
    let margin = problem.excerpt.as_ref().map_or(1, |excerpt| excerpt.line.to_string().len());
    let space = " ".repeat(margin);
    let mut place = problem.origin.to_string();
    if !problem.path.is_empty() {
        let _ = write!(place, " ({})", problem.path);
    }
    let _ = writeln!(out, "{space}{} {}", style.paint(BLUE, "-->"), clean(&place));
    if let Some(excerpt) = &problem.excerpt {
        lines(&mut out, excerpt, &space, colour, style);
    }
    let _ = writeln!(out, "{space} {} help: {}", style.paint(BLUE, "="), clean(&problem.remedy));
    out
}

fn lines(out: &mut String, excerpt: &Excerpt, space: &str, colour: &str, style: Style) {
    let bar = style.paint(BLUE, "|");
    let number = style.paint(BLUE, &excerpt.line.to_string());
    let carets = style.paint(colour, &"^".repeat(excerpt.length));
    let _ = writeln!(out, "{space} {bar}");
    let _ = writeln!(out, "{number} {bar} {}", excerpt.text);
    let _ = writeln!(out, "{space} {bar} {}{carets}", " ".repeat(excerpt.start));
}

/// Every setting on a line of its own, a blank line between two sections; with `origins`, each with
/// the place that it came from.
#[must_use]
pub fn render_effective(effective: &[Effective], origins: bool, style: Style) -> String {
    let width = effective.iter().map(|one| one.path.chars().count()).max().unwrap_or(0);
    let values = effective.iter().map(|one| one.value.chars().count()).max().unwrap_or(0).min(40);
    let mut out = String::new();
    let mut section = "";
    for one in effective {
        let head = one.path.find(['.', ']']).map_or(one.path.as_str(), |end| &one.path[..end]);
        if !section.is_empty() && section != head {
            out.push('\n');
        }
        section = head;
        let path = style.paint(BOLD, &format!("{:width$}", one.path));
        let value = clean(&one.value);
        if origins {
            let origin = style.paint(BLUE, &one.origin.to_string());
            let _ = writeln!(out, "{path}  {value:values$}  {origin}");
        } else {
            let _ = writeln!(out, "{path}  {value}");
        }
    }
    out
}

fn clean(text: &str) -> String {
    text.chars().map(mask::harmless).collect()
}
