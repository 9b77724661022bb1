//! What a translation could not say: declared, never silent.

use std::fmt;

/// How much of a thing got across.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// Nothing.
    Dropped,
    /// Something like it.
    Changed,
}

/// One thing that did not get across unchanged. Written `cache_control` when dropped, `~max_tokens` when changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// Its name: a field, or a kind of block, in the words of the dialect that it came from.
    pub what: String,
    /// How much of it got across.
    pub how: How,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            How::Dropped => f.write_str(&self.what),
            How::Changed => write!(f, "~{}", self.what),
        }
    }
}

/// All that one translation lost: each thing once, however often it occurred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses(Vec<Loss>);

impl Losses {
    /// The most that are told apart: field names come from clients, and receipts have an end.
    pub const LIMIT: usize = 64;

    /// The longest name that is kept, in characters.
    const NAME: usize = 64;

    /// Notes that `what` was dropped.
    pub fn dropped(&mut self, what: &str) {
        self.add(what, How::Dropped);
    }

    /// Notes that `what` was changed.
    pub fn changed(&mut self, what: &str) {
        self.add(what, How::Changed);
    }

    fn add(&mut self, what: &str, how: How) {
        // A name becomes part of a header: anything that is not printable ASCII is shown as `?`.
        let clean = |letter: char| if letter.is_ascii_graphic() && letter != ',' { letter } else { '?' };
        let what: String = what.chars().take(Self::NAME).map(clean).collect();
        let loss = Loss { what, how };
        if self.0.len() < Self::LIMIT && !self.0.contains(&loss) {
            self.0.push(loss);
        }
    }

    /// Adds what another translation lost.
    pub fn extend(&mut self, other: Self) {
        for loss in other.0 {
            self.add(&loss.what, loss.how);
        }
    }

    /// What was lost, in the order in which it was met.
    pub fn iter(&self) -> impl Iterator<Item = &Loss> {
        self.0.iter()
    }

    /// Whether everything got across.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many things were lost.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, loss) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{loss}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_is_told_once_and_fits_into_a_header() {
        let mut losses = Losses::default();
        losses.dropped("cache_control");
        losses.dropped("cache_control");
        losses.changed("max_tokens");
        losses.dropped("a,\u{fc}\nb");
        assert_eq!(losses.to_string(), "cache_control, ~max_tokens, a???b");
        for number in 0..200 {
            losses.dropped(&number.to_string());
        }
        assert_eq!(losses.len(), Losses::LIMIT);
    }
}
