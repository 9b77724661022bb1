//! Fields of one dialect that have no typed place: carried along for that dialect, a declared loss for others.

use serde_json::{Map, Value};

use crate::{Dialect, Losses};

/// The fields of an object that its decoder did not understand, and whose they are.
///
/// A decoder may also leave hints on spelling here (whether a content was a string or a list), under names that begin
/// with `$`. They are no part of any wire, are nobody's loss, and let an encoder of the same dialect write what was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rest {
    /// Whose fields these are; `None` while there are none.
    pub dialect: Option<Dialect>,
    /// The fields, in the order in which they stood.
    pub fields: Map<String, Value>,
}

impl Rest {
    /// The fields of `dialect`.
    #[must_use]
    pub fn new(dialect: Dialect, fields: Map<String, Value>) -> Self {
        Self { dialect: (!fields.is_empty()).then_some(dialect), fields }
    }

    /// Leaves a hint on spelling. `name` begins with `$`.
    pub fn hint(&mut self, dialect: Dialect, name: &str, value: impl Into<Value>) {
        self.dialect = Some(dialect);
        self.fields.insert(name.to_owned(), value.into());
    }

    /// A hint that an encoder of the same dialect may use.
    #[must_use]
    pub fn hinted(&self, dialect: Dialect, name: &str) -> Option<&Value> {
        self.of(dialect)?.get(name)
    }

    /// The fields, if they are `dialect`'s.
    #[must_use]
    pub fn of(&self, dialect: Dialect) -> Option<&Map<String, Value>> {
        (self.dialect == Some(dialect)).then_some(&self.fields)
    }

    /// Puts the fields back into `object` where they are `dialect`'s, without the hints and without replacing what
    /// stands there; declares them lost otherwise.
    pub fn write(&self, dialect: Dialect, object: &mut Map<String, Value>, losses: &mut Losses) {
        let Some(own) = self.of(dialect) else { return self.lost(losses) };
        for (name, value) in own.iter().filter(|(name, _)| !name.starts_with('$')) {
            if !object.contains_key(name) {
                object.insert(name.clone(), value.clone());
            }
        }
    }

    /// Declares the fields lost.
    pub fn lost(&self, losses: &mut Losses) {
        for (name, value) in &self.fields {
            if !name.starts_with('$') && !says_nothing(name, value) {
                losses.dropped(name);
            }
        }
    }
}

/// Whether an absent field says the same: a null, and the wish that nothing be stored, where nothing is.
fn says_nothing(name: &str, value: &Value) -> bool {
    value.is_null() || (name == "store" && value == &Value::Bool(false))
}
