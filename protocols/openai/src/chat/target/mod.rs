//! A request for a target of this dialect: the canonical turn to chat completions.

mod assistant;
mod content;
mod messages;
mod settings;
mod shared;
mod tools;

use canon::{Dialect, Encoded, Losses, Target, Turn};
use serde_json::{Map, Value};

use super::kept::{CHAT, restore};

/// Writes a request.
#[must_use]
pub fn encode(turn: &Turn, target: &Target<'_>) -> Encoded {
    let mut writer =
        Writer { target, native: target.source == CHAT, losses: Losses::default(), ids: Ids::default() };
    let mut body = Map::new();
    body.insert("model".to_owned(), target.model.into());
    body.insert("messages".to_owned(), messages::write(&mut writer, turn).into());
    tools::write(&mut writer, turn, &mut body);
    settings::write(&mut writer, turn, &mut body);
    match turn.rest.of(Dialect::Responses) {
        Some(own) => restore(&shared::taken(own, &mut body), &mut body, &mut writer.losses),
        None => restore(&turn.rest, &mut body, &mut writer.losses),
    }
    if target.quirks.no_stream_options {
        body.shift_remove("stream_options");
    }
    let body = serde_json::to_vec(&Value::Object(body)).unwrap_or_default();
    Encoded { body, losses: writer.losses }
}

/// What every part of a request needs while it is written.
struct Writer<'a> {
    target: &'a Target<'a>,
    /// Whether the client spoke this dialect too: then what it wrote is written again, and nothing is tidied up.
    native: bool,
    losses: Losses,
    ids: Ids,
}

/// Ids for calls that came without: counted, so that the n-th result without an id belongs to the n-th such call.
#[derive(Default)]
struct Ids {
    calls: u32,
    results: u32,
}

impl Writer<'_> {
    /// The cache mark of a block or a tool, if it may be written.
    fn cache(&mut self, mark: Option<&Value>) -> Option<Value> {
        if !self.native && mark.is_some() {
            self.losses.dropped("cache_control");
        }
        mark.filter(|_| self.native).cloned()
    }
}
