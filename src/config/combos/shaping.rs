//! What a combo says of the shaping of its requests.

use std::sync::Arc;

use super::PREFIX;
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, mismatch},
        layers::Overlay,
        node::Value,
        origin::Origin,
        schema::{Key, Section},
    },
    engine::settings::{Background, BySize, Shaping, Step, SystemPrompt, ThinkingMode, Wanted},
};

pub(super) const COMPRESS: Key = Key::new("compress", "true or false", "true");
pub(super) const THINKING: Key = Key::new(
    "thinking",
    "`passthrough`, `auto`, `adaptive`, or a number of tokens from 0 to 1000000",
    "adaptive",
);
pub(super) const SYSTEM: Key = Key::new("system_prompt", "a text", "\"Answer in English.\"");
pub(super) const SYSTEM_PLACE: Key = Key::new("system_prompt_place", "`before` or `after`", "after");
pub(super) const BACKGROUND: Key =
    Key::new("background", "a model's name, or a mapping with `to` and `phrases`", "gpt-5-nano");
pub(super) const SMALL: Key =
    Key::new("small", "a mapping with `tokens` and `to`", "{tokens: 500, to: gpt-5-nano}");
pub(super) const LARGE: Key =
    Key::new("large", "a mapping with `tokens` and `to`", "{tokens: 100000, to: gpt-5}");

const TO: Key = Key::new("to", "a model as clients name it, or `combo/` and an id", "gpt-5-nano");
const PHRASES: Key = Key::new("phrases", "a list of texts", "[\"name this chat\"]");
const TOKENS: Key = Key::new("tokens", "a number of tokens from 1 to 100000000", "100000");

static BACKGROUND_KEYS: Section = Section { name: "background", keys: &[TO, PHRASES] };
static SIZE_KEYS: Section = Section { name: "small", keys: &[TOKENS, TO] };

const PLACES: [(&str, bool); 2] = [("before", false), ("after", true)];

/// A name that requests are sent to instead, and where it was written.
pub(super) struct Elsewhere {
    pub(super) path: String,
    pub(super) step: Step,
    pub(super) origin: Origin,
}

/// The shaping, if there is any, and the names that it leads to.
pub(super) fn read(fields: &Fields<'_>, sink: &mut Sink) -> (Option<Arc<Shaping>>, Vec<Elsewhere>) {
    let mut elsewhere = Vec::new();
    let shaping = Shaping {
        compress: fields.truth(sink, &COMPRESS, false),
        thinking: thinking(fields, sink),
        system: system(fields, sink),
        background: background(fields, sink, &mut elsewhere),
        small: by_size(fields, &SMALL, sink, &mut elsewhere),
        large: by_size(fields, &LARGE, sink, &mut elsewhere),
    };
    ((shaping != Shaping::default()).then(|| Arc::new(shaping)), elsewhere)
}

fn thinking(fields: &Fields<'_>, sink: &mut Sink) -> ThinkingMode {
    let path = fields.path_of(&THINKING);
    let Some(written) = fields.text(sink, &THINKING) else {
        sink.holds(path, &THINKING, "passthrough", Origin::Default);
        return ThinkingMode::Passthrough;
    };
    let mode = match written.value.to_ascii_lowercase().as_str() {
        "passthrough" => Some(ThinkingMode::Passthrough),
        "auto" => Some(ThinkingMode::Auto),
        "adaptive" => Some(ThinkingMode::Adaptive),
        number => number.parse().ok().filter(|tokens| *tokens <= 1_000_000).map(ThinkingMode::Custom),
    };
    match (mode, fields.node(&THINKING)) {
        (Some(mode), _) => {
            sink.holds(path, &THINKING, written.value, written.origin);
            mode
        }
        (None, node) => {
            if let Some(node) = node {
                mismatch(sink, &path, &THINKING, node);
            }
            ThinkingMode::Passthrough
        }
    }
}

fn system(fields: &Fields<'_>, sink: &mut Sink) -> Option<SystemPrompt> {
    let path = fields.path_of(&SYSTEM);
    let after = fields.choice(sink, &SYSTEM_PLACE, &PLACES, false);
    let Some(written) = fields.text(sink, &SYSTEM).filter(|written| !written.value.is_empty()) else {
        sink.holds_not(path, Origin::Default);
        return None;
    };
    sink.holds(path, &SYSTEM, written.value.as_str(), written.origin);
    Some(SystemPrompt { text: written.value.into(), after })
}

fn background(fields: &Fields<'_>, sink: &mut Sink, elsewhere: &mut Vec<Elsewhere>) -> Option<Background> {
    let Some(node) = fields.node(&BACKGROUND) else {
        sink.holds_not(fields.path_of(&BACKGROUND), Origin::Default);
        return None;
    };
    if !matches!(node.value, Value::Map(_)) {
        let to = name(fields, &BACKGROUND, sink, elsewhere)?;
        return Some(Background { to, phrases: Vec::new() });
    }
    let overlay = Overlay::default();
    let inner = Fields::open(&BACKGROUND_KEYS, fields.path_of(&BACKGROUND), Some(node), &overlay, sink);
    let to = name(&inner, &TO, sink, elsewhere)?;
    let written = inner.texts(sink, &PHRASES).unwrap_or_default();
    let phrases = written.into_iter().map(|written| written.value.to_lowercase());
    Some(Background { to, phrases: phrases.filter(|phrase| !phrase.is_empty()).map(Into::into).collect() })
}

fn by_size(
    fields: &Fields<'_>,
    key: &Key,
    sink: &mut Sink,
    elsewhere: &mut Vec<Elsewhere>,
) -> Option<BySize> {
    let Some(node) = fields.node(key) else {
        sink.holds_not(fields.path_of(key), Origin::Default);
        return None;
    };
    let overlay = Overlay::default();
    let inner = Fields::open(&SIZE_KEYS, fields.path_of(key), Some(node), &overlay, sink);
    if inner.node(&TOKENS).is_none() {
        let remedy = format!("write for example `{}: {}`", key.name, key.example);
        sink.problems.error(&inner.path_of(&TOKENS), &node.origin, "`tokens` is missing", remedy);
    }
    let tokens = inner.number(sink, &TOKENS, 1..=100_000_000, 1);
    let to = name(&inner, &TO, sink, elsewhere)?;
    Some(BySize { tokens, to })
}

/// A name that must be there.
fn name(fields: &Fields<'_>, key: &Key, sink: &mut Sink, elsewhere: &mut Vec<Elsewhere>) -> Option<Arc<str>> {
    let path = fields.path_of(key);
    let Some(written) = fields.text(sink, key).filter(|written| !written.value.is_empty()) else {
        if fields.node(key).is_none() {
            let remedy = format!("say where the requests go, such as `{}: {}`", key.name, key.example);
            sink.problems.error(&path, fields.origin(), format!("`{}` is missing", key.name), remedy);
        }
        return None;
    };
    let name: Arc<str> = written.value.as_str().into();
    sink.holds(path.clone(), key, written.value.as_str(), written.origin.clone());
    let wanted = match name.strip_prefix(PREFIX) {
        Some(id) => Wanted::Combo(id.into()),
        None => Wanted::Model { name: Arc::clone(&name), connection: None },
    };
    elsewhere.push(Elsewhere { path, step: Step { wanted, weight: 1 }, origin: written.origin });
    Some(name)
}
