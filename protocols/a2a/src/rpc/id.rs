//! The id of a call, which comes back as it was.

use serde::{Serialize, Serializer};
use serde_json::{Number, Value};

/// An id: text, number or `null`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    /// Text, which may be empty.
    Text(String),
    /// A number; negative ones and fractions too.
    Number(Number),
    /// Written as `null`.
    Null,
}

impl Id {
    /// The id that a value is, if it can be one.
    pub(super) fn of(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Null => Some(Self::Null),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => number.serialize(serializer),
            Self::Null => serializer.serialize_unit(),
        }
    }
}
