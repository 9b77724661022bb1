//! The catalogue: every provider that can be named, and every prefix that is declined, found by the words users write.
//! The rows are handed in; where they come from, and whether a connection for them exists, is not known here.

use std::{collections::HashMap, sync::Arc};

use thiserror::Error;

use super::{
    ModelBook,
    provider::{Declined, Provider},
};

/// All rows, indexed by id and by prefix. Immutable once built.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    providers: Vec<Provider>,
    declined: Vec<Declined>,
    words: HashMap<String, Row>,
    book: Arc<ModelBook>,
}

/// What an address prefix stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PrefixMatch<'a> {
    /// A provider, by its id or one of its prefixes.
    Provider(&'a Provider),
    /// A prefix that Trivium knows and does not serve.
    Declined(&'a Declined),
}

/// One word claimed by two rows, or twice by one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{word}` is claimed by both {first} and {second}")]
pub struct Clash {
    /// The id or prefix in question.
    pub word: String,
    /// The row that came first: a provider's id, or a declined entry's first prefix.
    pub first: String,
    /// The row that came second.
    pub second: String,
}

#[derive(Debug, Clone, Copy)]
enum Row {
    Provider(usize),
    Declined(usize),
}

impl Catalogue {
    /// Builds the index over the rows, keeping their order.
    ///
    /// # Errors
    ///
    /// When a word is an id or a prefix of more than one row: an address must mean one thing.
    pub fn new(providers: Vec<Provider>, declined: Vec<Declined>) -> Result<Self, Clash> {
        let mut catalogue = Self { providers, declined, words: HashMap::new(), book: Arc::default() };
        for index in 0..catalogue.providers.len() {
            let provider = &catalogue.providers[index];
            let words: Vec<String> =
                std::iter::once(&provider.id).chain(&provider.prefixes).cloned().collect();
            catalogue.claim(words, Row::Provider(index))?;
        }
        for index in 0..catalogue.declined.len() {
            let words = catalogue.declined[index].prefixes.clone();
            catalogue.claim(words, Row::Declined(index))?;
        }
        Ok(catalogue)
    }

    /// The same with what is known of models.
    #[must_use]
    pub fn with_models(mut self, book: ModelBook) -> Self {
        self.book = Arc::new(book);
        self
    }

    /// What is known of models.
    #[must_use]
    pub const fn book(&self) -> &Arc<ModelBook> {
        &self.book
    }

    /// Every provider, in the order of the data.
    #[must_use]
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// Every declined entry, in the order of the data.
    #[must_use]
    pub fn declined(&self) -> &[Declined] {
        &self.declined
    }

    /// The provider with this id. Prefixes do not count: configuration files name providers by id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Provider> {
        match self.by_prefix(id)? {
            PrefixMatch::Provider(provider) if provider.id == id => Some(provider),
            _ => None,
        }
    }

    /// What this address prefix (without its slash) stands for. Ids are prefixes too.
    ///
    /// Vendors put words such as `openai` before a slash in their own model ids, so a caller that holds a list of
    /// known models should look there first.
    #[must_use]
    pub fn by_prefix(&self, prefix: &str) -> Option<PrefixMatch<'_>> {
        Some(match *self.words.get(prefix)? {
            Row::Provider(index) => PrefixMatch::Provider(&self.providers[index]),
            Row::Declined(index) => PrefixMatch::Declined(&self.declined[index]),
        })
    }

    /// The provider id or prefix that a mistyped word most likely means, if one is near. Declined prefixes are never
    /// suggested, and of equally near words the one that comes first in the data wins.
    #[must_use]
    pub fn nearest(&self, word: &str) -> Option<&str> {
        let word = word.to_ascii_lowercase();
        // A third of the letters may differ; of two letters none, since every pair of them is near some prefix.
        let allowed = word.chars().count() / 3;
        self.providers
            .iter()
            .flat_map(|provider| std::iter::once(&provider.id).chain(&provider.prefixes))
            .map(|known| (strsim::osa_distance(&word, known), known.as_str()))
            .filter(|(distance, _)| *distance <= allowed)
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, known)| known)
    }

    fn claim(&mut self, words: Vec<String>, row: Row) -> Result<(), Clash> {
        for word in words {
            if let Some(earlier) = self.words.get(&word) {
                return Err(Clash { first: self.label(*earlier), second: self.label(row), word });
            }
            self.words.insert(word, row);
        }
        Ok(())
    }

    fn label(&self, row: Row) -> String {
        match row {
            Row::Provider(index) => self.providers[index].id.clone(),
            Row::Declined(index) => {
                let declined = &self.declined[index];
                declined.prefixes.first().unwrap_or(&declined.name).clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn provider(id: &str, prefixes: &[&str]) -> Provider {
        serde_json::from_value(
            serde_json::json!({ "id": id, "prefixes": prefixes, "name": id, "auth": "bearer" }),
        )
        .unwrap()
    }

    fn declined(prefixes: &[&str]) -> Declined {
        serde_json::from_value(
            serde_json::json!({ "prefixes": prefixes, "name": "n", "reason": "r", "instead": "i" }),
        )
        .unwrap()
    }

    #[test]
    fn finds_rows_by_id_and_by_prefix() {
        let catalogue =
            Catalogue::new(vec![provider("deepseek", &["ds"])], vec![declined(&["cc", "claude"])]).unwrap();
        assert_eq!(catalogue.get("deepseek").map(|row| row.id.as_str()), Some("deepseek"));
        assert!(catalogue.get("ds").is_none(), "a prefix is no id");
        assert!(
            matches!(catalogue.by_prefix("ds"), Some(PrefixMatch::Provider(row)) if row.id == "deepseek")
        );
        assert!(matches!(catalogue.by_prefix("deepseek"), Some(PrefixMatch::Provider(_))));
        assert!(matches!(catalogue.by_prefix("claude"), Some(PrefixMatch::Declined(_))));
        assert!(catalogue.by_prefix("nobody").is_none());
    }

    #[test]
    fn a_word_belongs_to_one_row() {
        let clash = |providers, declined| Catalogue::new(providers, declined).unwrap_err().to_string();
        assert_eq!(
            clash(vec![provider("a", &["x"]), provider("b", &["x"])], vec![]),
            "`x` is claimed by both a and b"
        );
        assert_eq!(
            clash(vec![provider("a", &[]), provider("a", &[])], vec![]),
            "`a` is claimed by both a and a"
        );
        assert_eq!(
            clash(vec![provider("a", &["x"])], vec![declined(&["y", "x"])]),
            "`x` is claimed by both a and y"
        );
    }

    #[test]
    fn suggests_what_is_near_and_nothing_else() {
        let rows =
            vec![provider("groq", &[]), provider("cerebras", &[]), provider("glm", &[]), provider("hf", &[])];
        let catalogue = Catalogue::new(rows, vec![declined(&["cursor"])]).unwrap();
        assert_eq!(catalogue.nearest("gorq"), Some("groq"));
        assert_eq!(catalogue.nearest("Groq"), Some("groq"));
        assert_eq!(catalogue.nearest("cerberas"), Some("cerebras"));
        assert_eq!(catalogue.nearest("hx"), None, "two letters say too little");
        assert_eq!(catalogue.nearest("cursr"), None, "declined prefixes are not offered");
        assert_eq!(catalogue.nearest("something-else"), None);
    }
}
