//! What was written, as a tree that remembers where. What it means is for the sections to say.

use std::fmt;

use super::origin::Origin;

/// One value and the place where it was written.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// The shapes that YAML knows.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Map),
}

/// A piece of text whose type is decided by whoever reads it: `5` may be a number or a model's name.
#[derive(Clone)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// Written without quotes, so that `null` means nothing and `true` is not text.
    pub(super) plain: bool,
    /// Environment variables that the text names and that are not set.
    pub(super) missing: Vec<String>,
}

/// A mapping in the order of the file, its keys unique.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    pub(super) entries: Vec<(Key, Node)>,
}

/// A mapping's key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) origin: Origin,
}

impl Node {
    pub(super) fn text(text: impl Into<String>, origin: Origin) -> Self {
        let scalar = Scalar { text: text.into(), plain: true, missing: Vec::new() };
        Self { value: Value::Scalar(scalar), origin }
    }

    /// `key:` with nothing after it is the same as no key at all.
    pub(super) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }
}

impl Value {
    /// The shape in words that follow "found".
    pub(super) fn shape(&self) -> &'static str {
        match self {
            Self::Scalar(scalar) => scalar.shape(),
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }

    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self, Self::List(items) if items.is_empty())
    }
}

impl Scalar {
    pub(super) fn is_null(&self) -> bool {
        self.plain
            && self.missing.is_empty()
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }

    pub(super) fn is_boolean(&self) -> bool {
        self.plain && matches!(self.text.as_str(), "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
    }

    pub(super) fn shape(&self) -> &'static str {
        if self.is_null() {
            "nothing"
        } else if self.is_boolean() {
            "true or false"
        } else if self.plain && self.text.parse::<f64>().is_ok() {
            "the number"
        } else {
            "the text"
        }
    }
}

impl Map {
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node)
    }

    pub(super) fn key(&self, name: &str) -> Option<&Key> {
        self.entries.iter().find(|(key, _)| key.name == name).map(|(key, _)| key)
    }
}

/// Any text may be a credential, so none is printed.
impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[scalar]")
    }
}
