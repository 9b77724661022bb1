//! The section `providers`: the list of connections, in MultiRouter's format. One entry is read in
//! `instance`; here is what concerns the list.

pub(super) mod address;
mod allowance;
mod endpoints;
pub(super) mod instance;
pub(super) mod key;
mod kind;
mod limits;
mod models;
mod oauth;
pub(super) mod price;
mod variables;

use std::{collections::HashMap, sync::Arc};

use canon::Dialect;

use self::instance::Instance;
use super::{
    effective::Sink,
    layers::Overlay,
    node::{Node, Value},
    origin::Origin,
    proxy::{self, Proxies},
    schema::{Key, Section},
};
use crate::engine::settings::{Catalogue, Connection, Known};

const ID: Key = Key::new("id", "a name of letters, digits, `.`, `_` and `-`, at most 64", "groq-1");
const TYPE: Key = Key::new("type", "the name of a provider", "groq");
const API_KEY: Key = Key::new("api_key", "a key as text", "${GROQ_API_KEY}").secret();
const OAUTH: Key = Key::new("oauth", "a mapping of settings", "{client_id: my-application}");
const BASE_URL: Key = Key::new("base_url", "an http or https URL", "http://localhost:11434/v1");
const MODELS: Key = Key::new("models", "a list of model names", "[llama-3.3-70b-versatile]");
const TAGS: Key = Key::new("tags", "a list of words", "[web-search]");
const RANK: Key = Key::new("rank", "a whole number from 0 to 1000000", "10");
const MAX_OUTPUT: Key = Key::new("max_output", "a number of tokens from 1 to 10000000", "16384");
const DIALECTS: Key =
    Key::new("dialects", "a list of `chat`, `responses`, `messages`, `gemini`", "[responses]");
const PRIORITY: Key = Key::new("priority", "a whole number from -1000000 to 1000000", "1");
const ENABLED: Key = Key::new("enabled", "true or false", "true");
const CONTEXT: Key = Key::new("context", "a number of tokens from 1 to 1000000000", "131072");
const TOOLS: Key = Key::new("tools", "true or false", "true");
const VISION: Key = Key::new("vision", "true or false", "true");
const STRUCTURED: Key = Key::new("structured", "true or false", "true");
const REASONING: Key = Key::new("reasoning", "true or false", "true");
const PRICE: Key =
    Key::new("price", "a mapping of prices in dollars per million tokens", "{input: 0.5, output: 1.5}");
const NO_TRAINING: Key = Key::new("no_training", "true or false", "true");
const TIER: Key = Key::new("tier", "`subscription`, `key`, `cheap` or `free`", "key");
const PROXY: Key = Key::new("proxy", proxy::KIND, "socks5://127.0.0.1:1080").secret();
const VARIABLES: Key = Key::new("variables", "a mapping of names to texts", "{account_id: \"1234\"}");

const LIMITS: Key = Key::new("limits", "a list of limits", "[{per: day, requests: 1000}]");
const WINDOWS: Key = Key::new("windows", "a mapping of settings", "{5h: on, weekly: off, threshold: 0.9}");
const PACE: Key = Key::new("pace", "a mapping of settings", "{preset: steady}");
const PER: Key = Key::new(
    "per",
    "`minute`, `hour`, `day`, `week`, `month` or a time of up to 31 days such as `5h`",
    "minute",
);
const MODEL_OF: Key = Key::new("model", "the name of a model", "llama-3.3-70b-versatile");
const RESET: Key = Key::new("reset", "`rolling`, `first-use` or a time of day in UTC", "\"07:00\"");

pub(super) static SECTION: Section = Section {
    name: "providers",
    keys: &[
        ID,
        TYPE,
        API_KEY,
        OAUTH,
        BASE_URL,
        MODELS,
        PRIORITY,
        TIER,
        NO_TRAINING,
        ENABLED,
        VARIABLES,
        LIMITS,
        WINDOWS,
        PACE,
        PROXY,
    ],
};

/// A model of which more is said than its name.
static MODEL: Section = Section {
    name: "models",
    keys: &[ID, TAGS, RANK, MAX_OUTPUT, DIALECTS, CONTEXT, TOOLS, VISION, STRUCTURED, REASONING, PRICE],
};

/// What the list is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Against<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) spoken: &'a [Dialect],
    pub(super) known: &'a Arc<Known>,
    pub(super) proxies: &'a Proxies,
}

/// The connections that can be used, in the order in which they are tried.
pub(super) fn read(node: Option<&Node>, against: Against<'_>, sink: &mut Sink) -> Vec<Arc<Connection>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of providers, found {}", node.value.shape());
        let remedy = "write each provider as a list item: `- id: groq-1`, its other settings indented below";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let overlay = Overlay::default();
    let mut seen = HashMap::new();
    let mut ready = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let instance = Instance::open(item, index, &overlay, against, sink);
        let id = instance.id(sink);
        if let Some(id) = &id {
            note_id(&mut seen, instance.path(), &id.value, &id.origin, sink);
        }
        ready.extend(instance.check(id.as_ref(), sink).map(Arc::new));
    }
    if ready.is_empty() && !items.is_empty() && !sink.problems.has_errors() {
        let remedy = "give at least one of them a key; each one's own warning says what is missing";
        sink.problems.warning(SECTION.name, &node.origin, "none of the providers can be used", remedy);
    }
    // Stable, so equals keep the order of the file.
    ready.sort_by_key(|connection| connection.priority);
    ready
}

/// How many entries there are, whether they can be used or not.
pub(super) fn count(node: Option<&Node>) -> usize {
    match node.map(|node| &node.value) {
        Some(Value::List(items)) => items.len(),
        _ => 0,
    }
}

/// Remembers an id, and reports one that was given before.
fn note_id(seen: &mut HashMap<String, Origin>, path: &str, id: &str, here: &Origin, sink: &mut Sink) {
    let Some(first) = seen.get(id) else {
        seen.insert(id.to_owned(), here.clone());
        return;
    };
    let message = format!("the id `{id}` is given twice, {}", first.both(here));
    let remedy = format!("give each account an id of its own, such as `{id}-2`");
    sink.problems.error(&format!("{path}.{}", ID.name), here, message, remedy);
}
