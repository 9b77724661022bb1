//! The section `webhooks`: whom the hub tells of events.

use std::{collections::HashSet, sync::Arc};

use super::{
    effective::Sink,
    fields::{Fields, Given},
    layers::Overlay,
    mask::shown,
    node::{Node, Value},
    schema::{Key, SWITCH, Section, nearest},
};
use crate::engine::settings::{HookEvent, Secret, Webhook};

const ID: Key = Key::new("id", "a name of letters, digits, `.`, `_` and `-`, at most 64", "on-call");
const URL: Key = Key::new("url", "an http or https URL", "https://hooks.example.com/trivium").secret();
const EVENTS: Key = Key::new("events", "a list of events, such as `quota.*`", "[\"budget.*\"]");
const SECRET: Key = Key::new("secret", "a text of at least 16 characters", "${WEBHOOK_SECRET}").secret();
const PRIVATE: Key = Key::new("allow_private", "`on` or `off`", "on");

pub(super) static SECTION: Section = Section { name: "webhooks", keys: &[ID, URL, EVENTS, SECRET, PRIVATE] };

/// Shorter secrets can be guessed.
const SHORTEST: usize = 16;

/// The webhooks in the order of the file.
pub(super) fn read(node: Option<&Node>, sink: &mut Sink) -> Vec<Arc<Webhook>> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Vec::new() };
    let Value::List(items) = &node.value else {
        let message = format!("expected a list of webhooks, found {}", node.value.shape());
        let remedy = "write each webhook as a list item: `- {id: on-call, url: https://…}`";
        sink.problems.error(SECTION.name, &node.origin, message, remedy);
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let mut webhooks = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let overlay = Overlay::default();
        let path = format!("{}[{index}]", SECTION.name);
        let fields = Fields::open(&SECTION, path, Some(item), &overlay, sink);
        let Some(webhook) = webhook(&fields, sink) else { continue };
        if seen.insert(Arc::clone(&webhook.id)) {
            webhooks.push(Arc::new(webhook));
        } else {
            let message = format!("the webhook `{}` is given twice", webhook.id);
            sink.problems.error(&fields.path_of(&ID), fields.origin(), message, "rename one of them");
        }
    }
    webhooks
}

fn webhook(fields: &Fields<'_>, sink: &mut Sink) -> Option<Webhook> {
    let (id, url) = (id(fields, sink), url(fields, sink));
    let (events, secret) = (events(fields, sink), secret(fields, sink));
    let allow_private = fields.choice(sink, &PRIVATE, &SWITCH, false);
    Some(Webhook { id: id?, url: url?, events: events?, secret: secret?, allow_private })
}

fn id(fields: &Fields<'_>, sink: &mut Sink) -> Option<Arc<str>> {
    let written = required(fields, &ID, sink)?;
    let harmless = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !(1..=64).contains(&written.0.len()) || !written.0.chars().all(harmless) {
        let message = format!("expected {}, found {}", ID.kind, shown(&written.0));
        sink.problems.error(&fields.path_of(&ID), &written.1, message, "write for example `id: on-call`");
        return None;
    }
    sink.holds(fields.path_of(&ID), &ID, written.0.as_str(), written.1);
    Some(written.0.into())
}

fn url(fields: &Fields<'_>, sink: &mut Sink) -> Option<Secret> {
    let (text, origin) = required(fields, &URL, sink)?;
    let path = fields.path_of(&URL);
    let parsed = url::Url::parse(&text);
    let good = parsed.is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if !good {
        let message = format!("expected {} without a user name or password", URL.kind);
        let remedy = format!("write for example `url: {}`", URL.example);
        sink.problems.error(&path, &origin, message, remedy);
        return None;
    }
    sink.holds(path, &URL, "", origin);
    Some(Secret::new(text))
}

/// What is there and no text, or not there, is reported.
fn required(fields: &Fields<'_>, key: &Key, sink: &mut Sink) -> Option<(String, super::origin::Origin)> {
    if let Some(written) = fields.text(sink, key) {
        return Some((written.value, written.origin));
    }
    if fields.node(key).is_none() {
        let message = format!("`{}` is missing", key.name);
        let remedy = format!("write for example `{}: {}`", key.name, key.example);
        sink.problems.error(&fields.path_of(key), fields.origin(), message, remedy);
    }
    None
}

/// All events where nothing is said.
fn events(fields: &Fields<'_>, sink: &mut Sink) -> Option<Vec<HookEvent>> {
    let path = fields.path_of(&EVENTS);
    let Some(written) = fields.texts(sink, &EVENTS) else {
        return fields.node(&EVENTS).is_none().then(|| HookEvent::ALL.to_vec());
    };
    let mut good = true;
    for pattern in &written {
        if HookEvent::ALL.iter().any(|event| event.is_meant(&pattern.value)) {
            continue;
        }
        good = false;
        let names: Vec<&str> = HookEvent::ALL.into_iter().map(HookEvent::as_str).collect();
        let near = nearest(&pattern.value, names.iter().copied());
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        let remedy = format!("{near}There are {}; `quota.*` means all of a kind", names.join(", "));
        let message = format!("there is no event {}", shown(&pattern.value));
        sink.problems.error(&path, &pattern.origin, message, remedy);
    }
    let meant = |event: &HookEvent| written.iter().any(|pattern| event.is_meant(&pattern.value));
    let events: Vec<HookEvent> = HookEvent::ALL.into_iter().filter(meant).collect();
    let names: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
    sink.holds(path, &EVENTS, names.join(","), fields.origin().clone());
    good.then_some(events)
}

/// `None` where it is wrong, which was reported.
#[expect(clippy::option_option, reason = "absent and wrong are two things")]
fn secret(fields: &Fields<'_>, sink: &mut Sink) -> Option<Option<Secret>> {
    let Some(written) = fields.credential(sink, &SECRET) else { return Some(None) };
    let path = fields.path_of(&SECRET);
    match written.value {
        Given::Text(text) if text.len() >= SHORTEST => {
            sink.holds(path, &SECRET, "", written.origin);
            Some(Some(Secret::new(text)))
        }
        Given::Text(_) => {
            let remedy = "make one with `openssl rand -base64 32`, or leave `secret` out for messages that are not signed";
            sink.problems.error(&path, &written.origin, format!("expected {}", SECRET.kind), remedy);
            None
        }
        Given::Unset(names) => {
            let message = format!("the environment variable {} is not set", names.join(", "));
            sink.problems.error(&path, &written.origin, message, "set it, or leave `secret` out");
            None
        }
        Given::Wrong => None,
    }
}
