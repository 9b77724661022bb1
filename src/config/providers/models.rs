//! What a connection serves: names, and what the user says of single models.

use std::sync::Arc;

use canon::Dialect;

use super::{
    CONTEXT, DIALECTS, ID, MAX_OUTPUT, MODEL, MODELS, PRICE, RANK, REASONING, STRUCTURED, TAGS, TOOLS,
    VISION, price,
};
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written, items_of, mismatch},
        layers::Overlay,
        mask::shown,
        node::{Node, Value},
        origin::Origin,
        schema::Key,
    },
    engine::settings::{About, Known, ModelFacts, Models, PriceSource, Provider},
};

/// The user's list, which is closed; without one the catalogue's, which is not. The facts of what is listed are looked
/// up here, once.
pub(super) fn read(fields: &Fields<'_>, provider: &Provider, known: &Arc<Known>, sink: &mut Sink) -> Models {
    let mut models = named(fields, provider, sink);
    for model in &models.listed {
        let about = models.about.entry(Arc::clone(model)).or_default();
        let facts = known.facts_of(&provider.id, model);
        about.facts =
            if *about.facts == ModelFacts::default() { facts } else { about.facts.over(&facts).into() };
    }
    models.known = Arc::clone(known);
    models
}

fn named(fields: &Fields<'_>, provider: &Provider, sink: &mut Sink) -> Models {
    let path = fields.path_of(&MODELS);
    let Some(node) = fields.node(&MODELS) else {
        let listed: Vec<Arc<str>> = provider.models.iter().map(|model| Arc::from(model.as_str())).collect();
        sink.holds(path, &MODELS, format!("{} and any other", in_brackets(&listed)), Origin::Catalogue);
        return Models { listed, open: true, ..Models::default() };
    };
    if node.value.is_empty_list() {
        let remedy = "name the models, or remove `models` to serve all that the provider has";
        sink.problems.error(&path, &node.origin, "the list of models is empty", remedy);
    }
    let mut models = Models::default();
    for (written, about) in entries(&path, node, sink) {
        let Written { value, origin } = written;
        if !is_name(&value) {
            let message = format!("{} cannot be a model's name", shown(&value));
            sink.problems.error(&path, &origin, message, "write the name as the provider spells it");
        } else if models.listed.iter().any(|known| **known == *value) {
            let message = format!("the model {} is listed twice", shown(&value));
            sink.problems.warning(&path, &origin, message, "remove one of them");
        } else {
            let name: Arc<str> = Arc::from(value);
            models.listed.push(Arc::clone(&name));
            models.about.extend(about.map(|about| (name, about)));
        }
    }
    sink.holds(path, &MODELS, in_brackets(&models.listed), node.origin.clone());
    models
}

/// Each entry is a name, or a mapping that says more of one.
fn entries(path: &str, node: &Node, sink: &mut Sink) -> Vec<(Written<String>, Option<About>)> {
    let Value::List(items) = &node.value else {
        mismatch(sink, path, &MODELS, node);
        return Vec::new();
    };
    let mut entries = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        if let Value::Map(_) = &item.value {
            entries.extend(described(format!("{path}[{index}]"), item, sink));
        } else {
            let names = items_of(sink, path, &MODELS, std::slice::from_ref(item));
            entries.extend(names.into_iter().map(|name| (name, None)));
        }
    }
    entries
}

fn described(path: String, item: &Node, sink: &mut Sink) -> Option<(Written<String>, Option<About>)> {
    let overlay = Overlay::default();
    let fields = Fields::open(&MODEL, path, Some(item), &overlay, sink);
    let max_output = fields.node(&MAX_OUTPUT).map(|_| fields.number(sink, &MAX_OUTPUT, 1..=10_000_000, 1));
    let about = About {
        tags: words(&fields, sink),
        rank: fields.node(&RANK).map(|_| fields.number(sink, &RANK, 0..=1_000_000, 0)),
        max_output,
        dialects: dialects(&fields, sink),
        facts: Arc::new(facts(&fields, max_output, sink)),
    };
    let Some(name) = fields.text(sink, &ID) else {
        if fields.node(&ID).is_none() {
            let remedy = "write the model's name, such as `id: llama-3.3-70b-versatile`";
            sink.problems.error(&fields.path_of(&ID), &item.origin, "`id` is missing", remedy);
        }
        return None;
    };
    Some((name, Some(about)))
}

/// What the user said of the model; what was not written stays open.
fn facts(fields: &Fields<'_>, max_output: Option<u64>, sink: &mut Sink) -> ModelFacts {
    let mut said = |key: &Key| fields.node(key).map(|_| fields.truth(sink, key, false));
    let (tools, vision) = (said(&TOOLS), said(&VISION));
    let (structured, reasoning) = (said(&STRUCTURED), said(&REASONING));
    let price = fields.node(&PRICE).and_then(|node| price::read(fields.path_of(&PRICE), node, sink));
    ModelFacts {
        context: fields.node(&CONTEXT).map(|_| fields.number(sink, &CONTEXT, 1..=1_000_000_000, 1)),
        max_output,
        tools,
        vision,
        structured,
        reasoning,
        price,
        price_source: price.map(|_| PriceSource::Configured),
    }
}

fn words(fields: &Fields<'_>, sink: &mut Sink) -> Vec<String> {
    let written = fields.texts(sink, &TAGS).unwrap_or_default();
    written.into_iter().map(|word| word.value).collect()
}

fn dialects(fields: &Fields<'_>, sink: &mut Sink) -> Vec<Dialect> {
    let mut dialects = Vec::new();
    for word in fields.texts(sink, &DIALECTS).unwrap_or_default() {
        match word.value.parse() {
            Ok(dialect) => dialects.push(dialect),
            Err(_) => {
                let message = format!("expected {}, found {}", DIALECTS.kind, shown(&word.value));
                let remedy = format!("write for example `{}: {}`", DIALECTS.name, DIALECTS.example);
                sink.problems.error(&fields.path_of(&DIALECTS), &word.origin, message, remedy);
            }
        }
    }
    dialects
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn in_brackets(models: &[Arc<str>]) -> String {
    format!("[{}]", models.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "))
}
