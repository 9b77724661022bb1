//! What is wrong with a request, and where.

use std::fmt;

/// A field that is not as it must be. Becomes `-32602`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The path of the field within the parameters: `message.parts[0].text`; `params` is the whole of them.
    pub field: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is required.
    Missing,
    /// It must have something in it.
    Empty,
    /// It is of another type or form: `a string`.
    Expected(&'static str),
    /// It is none of these words.
    OneOf(Vec<&'static str>),
    /// It is a number outside of these, ends included.
    Range(i64, i64),
    /// Exactly one of these fields must be there.
    ExactlyOne(&'static [&'static str]),
    /// It is said twice, and not the same.
    Contradicts(&'static str),
}

impl Invalid {
    pub(crate) fn new(field: impl Into<String>, problem: Problem) -> Self {
        Self { field: field.into(), problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => out.write_str("is required"),
            Self::Empty => out.write_str("must not be empty"),
            Self::Expected(what) => write!(out, "must be {what}"),
            Self::OneOf(words) => write!(out, "must be one of {}", words.join(", ")),
            Self::Range(least, most) => write!(out, "must be between {least} and {most}"),
            Self::ExactlyOne(fields) => write!(out, "must have exactly one of {}", fields.join(", ")),
            Self::Contradicts(other) => write!(out, "is not what {other} says"),
        }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` {}", self.field, self.problem)
    }
}

impl std::error::Error for Invalid {}
