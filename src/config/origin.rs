//! Where a value was written. Nothing about what the value is.

use std::{fmt, path::Path, sync::Arc};

/// The place that a setting came from, for people who ask why it has its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in the configuration file. Lines and columns count from 1, columns in characters;
    /// line 0 means the file as a whole.
    File {
        /// The file, as it was found or named.
        path: Arc<Path>,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An environment variable, by name.
    Env(String),
    /// A command-line flag, with its dashes.
    Flag(&'static str),
    /// Made over the management API.
    Managed {
        /// The section that it belongs to.
        section: Arc<str>,
        /// Its id.
        id: Arc<str>,
    },
    /// The provider catalogue.
    Catalogue,
    /// Written nowhere.
    Default,
}

impl Origin {
    /// The file as a whole.
    #[must_use]
    pub fn whole(path: &Arc<Path>) -> Self {
        Self::File { path: Arc::clone(path), line: 0, column: 0 }
    }

    /// Two places, in words that follow "given twice,".
    pub(super) fn both(&self, other: &Self) -> String {
        match (self.line(), other.line()) {
            (Some(first), Some(second)) => format!("in lines {first} and {second}"),
            _ => format!("in {self} and in {other}"),
        }
    }

    /// The line in the file, if it came from a file.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::File { line, .. } if *line > 0 => Some(*line),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line: 0, .. } => write!(f, "{}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Managed { section, id } => write!(f, "`{id}` of {section}, made over the API"),
            Self::Catalogue => f.write_str("catalogue"),
            Self::Default => f.write_str("default"),
        }
    }
}
