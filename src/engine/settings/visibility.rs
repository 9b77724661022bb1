//! Models that the operator hides: they are served to whoever names them, and neither listed nor chosen otherwise.

use std::collections::{HashMap, HashSet};

use super::provider::matches;

/// The hidden models. Cheap to ask where there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden {
    /// As they were written: `model`, or `connection/model`; `*` stands for any text in the model's part.
    written: Vec<String>,
    everywhere: HashSet<String>,
    at: HashMap<String, HashSet<String>>,
    patterns: Vec<String>,
}

impl Hidden {
    /// These models, each by its name, or by a connection's id, a slash and its name.
    #[must_use]
    pub fn new(written: Vec<String>) -> Self {
        let mut hidden = Self::default();
        for entry in &written {
            if entry.contains('*') {
                hidden.patterns.push(entry.clone());
                continue;
            }
            if let Some((connection, model)) = entry.split_once('/') {
                hidden.at.entry(connection.to_owned()).or_default().insert(model.to_owned());
            }
            // Vendors put slashes into their own names: both readings hold.
            hidden.everywhere.insert(entry.clone());
        }
        Self { written, ..hidden }
    }

    /// The entries as they were written.
    #[must_use]
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// Whether a model is hidden on a connection.
    #[must_use]
    pub fn hides(&self, connection: &str, model: &str) -> bool {
        if self.written.is_empty() {
            return false;
        }
        self.everywhere.contains(model)
            || self.at.get(connection).is_some_and(|models| models.contains(model))
            || self.patterns.iter().any(|pattern| {
                let here = pattern.split_once('/').filter(|(at, _)| *at == connection);
                matches(pattern, model) || here.is_some_and(|(_, rest)| matches(rest, model))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_hidden_everywhere_at_one_connection_or_by_pattern() {
        let entries = ["gpt-4", "a/llama", "openai/gpt-oss", "old-*", "b/x-*"];
        let hidden = Hidden::new(entries.map(str::to_owned).to_vec());
        for (connection, model, is_hidden) in [
            ("a", "gpt-4", true),
            ("b", "gpt-4", true),
            ("a", "llama", true),
            ("b", "llama", false),
            ("a", "openai/gpt-oss", true),
            ("a", "old-one", true),
            ("b", "x-1", true),
            ("a", "x-1", false),
            ("a", "gpt-5", false),
        ] {
            assert_eq!(hidden.hides(connection, model), is_hidden, "{connection} {model}");
        }
        assert!(!Hidden::default().hides("a", "m"));
    }
}
