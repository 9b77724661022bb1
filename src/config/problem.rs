//! What is wrong with a configuration, and what to do about it. How it is shown lives in `render`.

use super::{excerpt::Excerpt, mask, origin::Origin};

/// A file with more problems than this is not a configuration with mistakes, but something else.
const MAX_TOLD: usize = 200;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is used, and something in it has no effect or is risky.
    Warning,
    /// It is used, and may well be right.
    Hint,
}

impl Severity {
    /// The word that a report starts with.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Hint => "hint",
        }
    }
}

/// One thing to be told about a configuration. Holds no secret: excerpts are masked when they are taken.
#[derive(Debug, Clone)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The setting, as in `providers[2].api_key`; empty when it is about the file.
    pub path: String,
    /// Where it was written.
    pub origin: Origin,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
    /// The line of the file, secrets masked.
    pub excerpt: Option<Excerpt>,
}

/// Collects problems, so that all are told at once and not one per attempt.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        severity: Severity,
        path: &str,
        origin: &Origin,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.0.push(Problem {
            severity,
            path: mask::path(path),
            origin: origin.clone(),
            message: message.into(),
            remedy: remedy.into(),
            excerpt: None,
        });
    }

    pub(super) fn error(
        &mut self,
        path: &str,
        origin: &Origin,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Error, path, origin, message, remedy);
    }

    pub(super) fn warning(
        &mut self,
        path: &str,
        origin: &Origin,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(Severity::Warning, path, origin, message, remedy);
    }

    pub(super) fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Everything found, in the order of the file; what has no line comes last.
    pub(super) fn into_sorted(self, source: &str) -> Vec<Problem> {
        let lines: Vec<&str> = source.lines().collect();
        let mut problems = self.0;
        problems.sort_by_key(|problem| match &problem.origin {
            Origin::File { line, column, .. } => (*line, *column),
            _ => (usize::MAX, 0),
        });
        let dropped = problems.len().saturating_sub(MAX_TOLD);
        problems.truncate(MAX_TOLD);
        for problem in &mut problems {
            problem.excerpt = Excerpt::at(&lines, &problem.origin);
        }
        if dropped > 0 {
            problems.push(Problem {
                severity: Severity::Hint,
                path: String::new(),
                origin: Origin::Default,
                message: format!("{dropped} more problems are not shown"),
                remedy: "see that this is the right file".to_owned(),
                excerpt: None,
            });
        }
        problems
    }
}
