//! Why something could not be decoded.

use std::fmt;

use crate::{Fields, ScanError};

/// A request that its dialect's decoder does not understand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// Where, as a path such as `messages[3].content`; empty for the whole body.
    pub at: String,
    /// What is wrong there, as a sentence without its subject: `must be a string`.
    pub problem: String,
}

impl DecodeError {
    /// An error at a place.
    #[must_use]
    pub fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }

    /// The same error, seen from the object that holds its place.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        self.at = match (outer, self.at.as_str()) {
            (outer, "") => outer.to_owned(),
            (outer, at) if at.starts_with('[') => format!("{outer}{at}"),
            (outer, at) => format!("{outer}.{at}"),
        };
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => write!(f, "The request body {}.", self.problem),
            at => write!(f, "`{at}` {}.", self.problem),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<ScanError> for DecodeError {
    fn from(error: ScanError) -> Self {
        Self::new(error.param().unwrap_or_default(), error.to_string())
    }
}

/// An answer, or a piece of one, that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerError {
    /// There is nothing in it.
    Empty,
    /// It is not JSON, or not in the shape of the dialect.
    Garbage,
    /// It is an error object, and this is its message.
    Reported(String),
}

/// Reads a body as a JSON object.
impl Fields {
    /// The object that a body holds.
    ///
    /// # Errors
    /// When it is not JSON, or not an object.
    pub fn parse(body: &[u8]) -> Result<Self, DecodeError> {
        match serde_json::from_slice(body) {
            Ok(serde_json::Value::Object(map)) => Ok(Self::new(map)),
            Ok(_) => Err(DecodeError::new("", "is not a JSON object")),
            Err(error) => Err(DecodeError::new("", format!("could not be read as JSON: {error}"))),
        }
    }
}
