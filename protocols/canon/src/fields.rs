//! The fields of a JSON object, taken out one by one: what remains is what nobody understood.

use serde_json::{Map, Number, Value};

use crate::{DecodeError, Dialect, Rest};

/// An object that is being taken apart. A field of the wrong type is an error that names it; null is absent.
#[derive(Debug, Clone, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// The fields of `map`.
    #[must_use]
    pub const fn new(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// The fields of a value that should be an object.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(value: Value) -> Result<Self, DecodeError> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(DecodeError::new("", "must be an object")),
        }
    }

    /// Looks at a field and leaves it where it is.
    #[must_use]
    pub fn peek(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The text of a field, which stays where it is.
    #[must_use]
    pub fn peek_str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Takes a field, if it is there and not null. A null stays in the rest.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        if self.0.get(name)?.is_null() {
            return None;
        }
        self.0.shift_remove(name)
    }

    /// Puts a field back, for the rest.
    pub fn put(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Takes a text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn string(&mut self, name: &str) -> Result<Option<String>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(DecodeError::new(name, "must be a string")),
        }
    }

    /// Takes a text that must be there.
    ///
    /// # Errors
    /// When it is absent or something else.
    pub fn need_string(&mut self, name: &str) -> Result<String, DecodeError> {
        self.string(name)?.ok_or_else(|| DecodeError::new(name, "is missing"))
    }

    /// Takes a truth value.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(DecodeError::new(name, "must be a boolean")),
        }
    }

    /// Takes a number as it was written.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&mut self, name: &str) -> Result<Option<Number>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number)),
            Some(_) => Err(DecodeError::new(name, "must be a number")),
        }
    }

    /// Takes a whole number that is not negative.
    ///
    /// # Errors
    /// When it is something else.
    pub fn whole(&mut self, name: &str) -> Result<Option<u64>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .map(Some)
                .ok_or_else(|| DecodeError::new(name, "must be a whole number that is not negative")),
        }
    }

    /// Takes a list.
    ///
    /// # Errors
    /// When it is something else.
    pub fn list(&mut self, name: &str) -> Result<Option<Vec<Value>>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(DecodeError::new(name, "must be an array")),
        }
    }

    /// Takes an object.
    ///
    /// # Errors
    /// When it is something else.
    pub fn object(&mut self, name: &str) -> Result<Option<Self>, DecodeError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self(map))),
            Some(_) => Err(DecodeError::new(name, "must be an object")),
        }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is left, as the rest of `dialect`.
    #[must_use]
    pub fn rest(self, dialect: Dialect) -> Rest {
        Rest::new(dialect, self.0)
    }

    /// What is left.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}
