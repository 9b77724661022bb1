//! An object that is being written, field by field. What is missing or empty is left out.

use serde_json::{Map, Value};

use crate::model::Metadata;

/// An object in the making.
#[derive(Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    pub(crate) fn text(self, name: &str, text: Option<&String>) -> Self {
        self.some(name, text.map(String::as_str))
    }

    pub(crate) fn texts(self, name: &str, texts: &[String]) -> Self {
        if texts.is_empty() { self } else { self.set(name, texts) }
    }

    pub(crate) fn flag(self, name: &str, flag: bool) -> Self {
        if flag { self.set(name, true) } else { self }
    }

    pub(crate) fn list<T>(self, name: &str, items: &[T], write: impl Fn(&T) -> Value) -> Self {
        if items.is_empty() { self } else { self.set(name, items.iter().map(write).collect::<Vec<_>>()) }
    }

    pub(crate) fn metadata(self, metadata: &Metadata) -> Self {
        self.some("metadata", metadata.clone())
    }

    pub(crate) fn done(self) -> Value {
        Value::Object(self.0)
    }

    /// Nothing, if nothing was said.
    pub(crate) fn unless_empty(self) -> Option<Value> {
        if self.0.is_empty() { None } else { Some(self.done()) }
    }
}
