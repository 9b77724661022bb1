//! An entry of `providers` in the making.

use serde_json::{Map as Json, Value as JsonValue, json};

/// What is known of an account. Texts are as the file writes them: `${NAME}` is a variable, `$$` a dollar sign.
#[derive(Default, Clone)]
pub(super) struct Account {
    /// Its `type`.
    pub(super) provider: String,
    pub(super) key: Option<String>,
    pub(super) base_url: Option<String>,
    /// What it serves, each with what is said of it; all that the provider has if there are none.
    pub(super) models: Vec<Model>,
    pub(super) priority: Option<i64>,
    pub(super) tier: Option<&'static str>,
    pub(super) proxy: Option<String>,
    pub(super) limits: Vec<JsonValue>,
    pub(super) concurrent: Option<u64>,
    /// A part of the URL and its value.
    pub(super) variable: Option<(&'static str, String)>,
}

/// A model and what is said of it, in the keys of our file.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) about: Json<String, JsonValue>,
}

impl Model {
    pub(super) fn new(id: &str) -> Self {
        Self { id: id.to_owned(), about: Json::new() }
    }
}

/// Priorities that our file takes.
const PRIORITIES: std::ops::RangeInclusive<i64> = -1_000_000..=1_000_000;

impl Account {
    /// Adds a model, or what is said of one that is there.
    pub(super) fn serve(&mut self, model: Model) {
        match self.models.iter_mut().find(|known| known.id == model.id) {
            Some(known) => known.about.extend(model.about),
            None => self.models.push(model),
        }
    }

    /// In a few words, without the key.
    pub(super) fn in_words(&self) -> String {
        let key = match self.key.as_deref() {
            Some(key) if is_reference(key) => format!("key from {key}"),
            Some(_) => "key as it is written".to_owned(),
            None => "no key".to_owned(),
        };
        let models = match self.models.len() {
            0 => "all its models".to_owned(),
            1 => "1 model".to_owned(),
            count => format!("{count} models"),
        };
        format!("{}, {models}, {key}", self.provider)
    }

    pub(super) fn into_definition(self) -> Json<String, JsonValue> {
        let mut definition = Json::new();
        let mut put = |name: &str, value: Option<JsonValue>| {
            if let Some(value) = value {
                definition.insert(name.to_owned(), value);
            }
        };
        put("type", Some(self.provider.into()));
        put("base_url", self.base_url.map(JsonValue::from));
        put("variables", self.variable.map(|(name, value)| json!({name: value})));
        put("api_key", self.key.map(JsonValue::from));
        put("proxy", self.proxy.map(JsonValue::from));
        put("priority", self.priority.filter(|priority| PRIORITIES.contains(priority)).map(JsonValue::from));
        put("tier", self.tier.map(JsonValue::from));
        put("pace", self.concurrent.map(|concurrent| json!({"concurrent": concurrent.min(100_000)})));
        put("limits", Some(self.limits).filter(|limits| !limits.is_empty()).map(JsonValue::from));
        let models: Vec<JsonValue> = self.models.into_iter().map(written).collect();
        put("models", Some(models).filter(|models| !models.is_empty()).map(JsonValue::from));
        definition
    }
}

/// A model is a name, or a mapping if there is more to say.
fn written(model: Model) -> JsonValue {
    if model.about.is_empty() {
        return literal(&model.id).into();
    }
    let mut entry = Json::new();
    entry.insert("id".to_owned(), literal(&model.id).into());
    entry.extend(model.about);
    entry.into()
}

/// A text that means itself, as the file writes it.
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// A variable as the file writes it, if it can be named there.
pub(super) fn reference(name: &str) -> Option<String> {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let fits = starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    fits.then(|| format!("${{{name}}}"))
}

/// Whether this is a variable and nothing else.
pub(super) fn is_reference(text: &str) -> bool {
    text.strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
        .is_some_and(|name| reference(name).is_some())
}
