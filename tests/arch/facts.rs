//! What the rules need to know of one source file, read from its syntax tree in one pass: modules, imports,
//! paths in use, functions and forbidden calls. Nothing is resolved here; see `tree` and `resolve`.

mod reader;

use crate::tokens::{Mark, Written};

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// The file's own module first, then inline ones, parents before children.
    pub(crate) modules: Vec<ModuleFacts>,
    pub(crate) functions: Vec<Function>,
    /// Forbidden calls outside of test code, and `#[allow]` anywhere.
    pub(crate) marks: Vec<Mark>,
    /// Lines that belong to `#[cfg(test)]` items at the top of the file.
    pub(crate) test_lines: usize,
    /// Why the file could not be read, with the line.
    pub(crate) broken: Option<(usize, String)>,
}

/// A module with a body in this file.
#[derive(Debug, Default)]
pub(crate) struct ModuleFacts {
    /// Below the file's own module; empty for the latter.
    pub(crate) path: Vec<String>,
    /// Only compiled for tests.
    pub(crate) test: bool,
    /// `mod name;`: bodies in other files.
    pub(crate) declared: Vec<Declared>,
    /// Names defined here, inline modules apart.
    pub(crate) items: Vec<String>,
    /// `macro_rules!` that `#[macro_export]` puts at the root of the crate.
    pub(crate) exported_macros: Vec<String>,
    pub(crate) imports: Vec<Import>,
    /// Every path in production code, those of the imports included.
    pub(crate) uses: Vec<Written>,
}

#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// The argument of `#[path = "…"]`.
    pub(crate) file: Option<String>,
    pub(crate) test: bool,
}

/// A name that stands for a path: an import, a re-export, or an alias of a type.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// `None` for `*`.
    pub(crate) name: Option<String>,
    pub(crate) path: Written,
    /// Has a visibility of its own (`pub`, `pub(crate)`, …).
    pub(crate) public: bool,
}

#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// From `fn` to the closing brace.
    pub(crate) lines: usize,
}

impl Facts {
    pub(crate) fn read(source: &str) -> Self {
        match syn::parse_file(source) {
            Ok(file) => reader::read(&file),
            Err(error) => {
                Self { broken: Some((error.span().start().line, error.to_string())), ..Self::default() }
            }
        }
    }
}
