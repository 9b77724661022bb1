//! The model list (`GET /v1beta/models`, `GET /v1beta/models/{id}`).

use std::borrow::Cow;

use serde::Serialize;

/// A page of models.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelList<'a> {
    /// The models.
    pub models: Vec<Model<'a>>,
    /// What to ask for the next page with, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<&'a str>,
}

impl<'a> ModelList<'a> {
    /// A list that is complete.
    #[must_use]
    pub const fn new(models: Vec<Model<'a>>) -> Self {
        Self { models, next_page_token: None }
    }
}

/// One model.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model<'a> {
    /// The resource's name: `models/` and the id under which it is asked for.
    pub name: String,
    /// The id without a version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_model_id: Option<Cow<'a, str>>,
    /// The version, which clients expect to be there.
    pub version: &'a str,
    /// The name for people.
    pub display_name: &'a str,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'a str>,
    /// The most tokens of a prompt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_token_limit: Option<u64>,
    /// The most tokens of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_token_limit: Option<u64>,
    /// The verbs that it knows.
    pub supported_generation_methods: &'a [&'a str],
}

/// The verbs of a model that generates text.
pub const GENERATION_METHODS: &[&str] = &["generateContent", "streamGenerateContent", "countTokens"];

impl<'a> Model<'a> {
    /// A model that generates text, of which no more than its id is known.
    #[must_use]
    pub fn new(id: &'a str) -> Self {
        Self {
            name: format!("models/{id}"),
            base_model_id: None,
            version: "1",
            display_name: id,
            description: None,
            input_token_limit: None,
            output_token_limit: None,
            supported_generation_methods: GENERATION_METHODS,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_in_the_shape_that_sdks_page_through() {
        let mut model = Model::new("gemini-2.5-pro");
        model.input_token_limit = Some(1_048_576);
        let expected = json!({"models": [{"name": "models/gemini-2.5-pro", "version": "1",
            "displayName": "gemini-2.5-pro", "inputTokenLimit": 1_048_576,
            "supportedGenerationMethods": GENERATION_METHODS}]});
        assert_eq!(serde_json::to_value(ModelList::new(vec![model])).unwrap(), expected);
    }
}
