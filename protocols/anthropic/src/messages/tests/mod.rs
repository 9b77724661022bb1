//! Tests of the translation as a whole, each file about one of its promises.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

mod answers;
mod foreign;
mod from_others;
mod identity;
mod robust;
mod settings;

use std::{fs, path::PathBuf};

use bytes::Bytes;
use canon::{
    Answer, Asked, Block, Dialect, Event, Fold, Kind, Message, Quirks, Role, Signature, Target, ToolCall,
    ToolResult, Turn, sse::Splitter,
};
use serde_json::Value;

use super::{Decoder, Encoder, encode};

/// The fixtures of one kind, with their names.
fn fixtures(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/messages").join(kind);
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(path).unwrap()))
        .collect();
    found.sort();
    assert!(found.len() > 1, "{kind}");
    found
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

fn target(model: &str, source: Dialect) -> Target<'_> {
    Target { model, source, maker: "anthropic", quirks: Quirks::default(), max_output: None }
}

/// The body for a target, of a turn that came in chat, and the names of its losses.
fn written(turn: &Turn, model: &str) -> (Value, String) {
    let encoded = encode(turn, &target(model, Dialect::Chat));
    (json(&encoded.body), encoded.losses.to_string())
}

fn events_of(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut splitter = Splitter::default();
    splitter.push(Bytes::copy_from_slice(stream));
    let mut events: Vec<Vec<u8>> =
        std::iter::from_fn(|| splitter.next_event()).map(|it| it.to_vec()).collect();
    events.extend(splitter.rest().map(|rest| rest.to_vec()));
    events
}

fn decoded(stream: &[u8]) -> Vec<Event> {
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    for event in events_of(stream) {
        decoder.push(&event, &mut out).unwrap();
    }
    decoder.finish(&mut out).unwrap();
    out
}

fn folded(events: impl IntoIterator<Item = Event>) -> Answer {
    let mut fold = Fold::default();
    events.into_iter().for_each(|event| fold.push(event));
    fold.finish()
}

/// The stream for a client, and its losses.
fn streamed(events: impl IntoIterator<Item = Event>, asked: Asked) -> (String, String) {
    let (mut encoder, mut out) = (Encoder::new(asked), Vec::new());
    events.into_iter().for_each(|event| encoder.push(event, &mut out));
    (String::from_utf8(out).unwrap(), encoder.losses().to_string())
}

fn user(text: &str) -> Message {
    Message::new(Role::User, vec![Block::text(text)])
}

fn call(id: &str, arguments: &str, signature: Option<Signature>) -> Block {
    let (name, arguments) = ("look".to_owned(), arguments.to_owned());
    Block::new(Kind::ToolCall(ToolCall {
        id: id.to_owned(),
        name,
        namespace: None,
        arguments,
        custom: false,
        signature,
    }))
}

fn result(id: &str, content: Vec<Block>) -> Block {
    let call = id.to_owned();
    Block::new(Kind::ToolResult(ToolResult { call, name: None, content, failed: false, custom: false }))
}
