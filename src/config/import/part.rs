//! A value of a foreign file, read leniently: what is not there, or of another type, is nothing. What matters about
//! that is for the reader to say.

use crate::config::{
    node::{Key, Node, Value},
    origin::Origin,
};

/// A value and everything below it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a>(pub(super) &'a Node);

impl<'a> Part<'a> {
    /// Where it was written.
    pub(super) fn place(self) -> &'a Origin {
        &self.0.origin
    }

    /// What a mapping has under a name, unless that is nothing.
    pub(super) fn get(self, name: &str) -> Option<Self> {
        match &self.0.value {
            Value::Map(map) => map.get(name).filter(|node| !node.is_null()).map(Part),
            _ => None,
        }
    }

    /// The first of several names that is there.
    pub(super) fn first(self, names: &[&str]) -> Option<Self> {
        names.iter().find_map(|name| self.get(name))
    }

    pub(super) fn is_map(self) -> bool {
        matches!(self.0.value, Value::Map(_))
    }

    pub(super) fn is_list(self) -> bool {
        matches!(self.0.value, Value::List(_))
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(self) -> impl Iterator<Item = Self> + 'a {
        let items = match &self.0.value {
            Value::List(items) => items.as_slice(),
            _ => &[],
        };
        items.iter().map(Part)
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(self) -> impl Iterator<Item = (&'a Key, Self)> + 'a {
        let entries = match &self.0.value {
            Value::Map(map) => map.entries.as_slice(),
            _ => &[],
        };
        entries.iter().map(|(key, node)| (key, Part(node)))
    }

    /// A text that is not empty. Numbers are texts, since names and keys may be some; `true` is none.
    pub(super) fn text(self) -> Option<&'a str> {
        match &self.0.value {
            Value::Scalar(scalar) if !scalar.is_null() && !scalar.is_boolean() => {
                Some(scalar.text.trim()).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }

    /// The text under a name.
    pub(super) fn text_at(self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }

    /// A number that is one.
    pub(super) fn number(self) -> Option<f64> {
        self.text()?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The number under a name.
    pub(super) fn number_at(self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    /// A whole number above nothing, under a name.
    pub(super) fn count_at(self, name: &str) -> Option<u64> {
        let number = self.number_at(name)?;
        let fits = (1.0..=1e12).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the range that was just looked at"
        )]
        fits.then_some(number as u64)
    }

    /// Whether it says yes or no.
    pub(super) fn truth(self) -> Option<bool> {
        match &self.0.value {
            Value::Scalar(scalar) => match scalar.text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(true),
                "false" | "no" | "off" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// The yes or no under a name.
    pub(super) fn truth_at(self, name: &str) -> Option<bool> {
        self.get(name)?.truth()
    }

    /// A text, or the texts of a list.
    pub(super) fn texts(self) -> Vec<&'a str> {
        match self.text() {
            Some(text) => vec![text],
            None => self.items().filter_map(Part::text).collect(),
        }
    }
}
