//! The golden matrix: every fixture, translated into every other dialect, beside a file that a person has read. A
//! change of what a provider or a client gets shows up here as a diff, and is then wanted or is not.
//!
//! `UPDATE_GOLDEN=1 cargo test -p trivium-dialects --test golden` writes the files anew.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

#[path = "../support/fixtures.rs"]
mod fixtures;
mod identity;
mod rules;
mod snapshots;
#[path = "../support/streams.rs"]
mod streams;

use canon::{Asked, Dialect, Losses, Quirks, Target, ToolName};
use dialects::{decode, decode_answer, encode, encode_answer};
use fixtures::fixtures;
use serde_json::Value;
use snapshots::Snapshots;

/// The model that each dialect is asked for: those with a number decide how it is asked.
const fn model(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses => "target-model",
        Dialect::Messages => "claude-sonnet-5",
        Dialect::Gemini => "gemini-3.5-flash",
    }
}

/// What the encoders of answers know of the request. Clients whose dialect has custom tools have one.
fn asked(client: Dialect) -> Asked {
    let mut asked = Asked {
        id: "req_golden".into(),
        now: 1_767_225_600,
        model: "asked-model".into(),
        include_usage: true,
        ..Asked::default()
    };
    if matches!(client, Dialect::Chat | Dialect::Responses) {
        let custom = ToolName { name: "apply_patch".into(), namespace: None, custom: true };
        asked.tools.insert("apply_patch".into(), custom);
    }
    if client == Dialect::Responses {
        let spaced = ToolName { name: "search".into(), namespace: Some("github".into()), custom: false };
        asked.tools.insert("github__search".into(), spaced);
    }
    asked
}

/// The dialects that a body of `source` is translated into.
fn others(source: Dialect) -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(move |other| *other != source)
}

fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// A body with its losses, as it stands in a golden file.
fn pretty(body: &[u8], losses: &Losses) -> String {
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    let file = serde_json::json!({"losses": losses, "body": json(body)});
    format!("{file:#}\n")
}

#[test]
fn requests() {
    let mut snapshots = Snapshots::new("requests");
    for fixture in fixtures("requests") {
        let turn = decode(fixture.dialect, &fixture.body).unwrap();
        for to in others(fixture.dialect) {
            let target = Target {
                model: model(to),
                source: fixture.dialect,
                maker: "test:maker",
                quirks: Quirks::default(),
                max_output: None,
            };
            let encoded = encode(to, &turn, &target);
            let file = format!("{}/{}.{to}.json", fixture.dialect, fixture.name);
            snapshots.check(&file, &pretty(&encoded.body, &encoded.losses));
        }
    }
    snapshots.finish();
}

#[test]
fn answers() {
    let mut snapshots = Snapshots::new("answers");
    for fixture in fixtures("answers") {
        let mut answer = decode_answer(fixture.dialect, &fixture.body).unwrap();
        answer.sign("test:maker");
        for client in others(fixture.dialect) {
            let encoded = encode_answer(client, answer.clone(), &asked(client));
            let file = format!("{}/{}.{client}.json", fixture.dialect, fixture.name);
            snapshots.check(&file, &pretty(&encoded.body, &encoded.losses));
        }
    }
    snapshots.finish();
}

/// The first line is a field that readers of streams pass over: what was lost.
#[test]
fn streamed_answers() {
    let mut snapshots = Snapshots::new("streams");
    for fixture in fixtures("streams") {
        let mut events = streams::decoded(fixture.dialect, &fixture.body).unwrap();
        events.iter_mut().for_each(|event| event.sign("test:maker"));
        for client in others(fixture.dialect) {
            let (bytes, losses) = streams::encoded(client, events.clone(), asked(client));
            let file = format!("{}/{}.{client}.sse", fixture.dialect, fixture.name);
            snapshots.check(&file, &format!("losses: {losses}\n{}", String::from_utf8(bytes).unwrap()));
        }
    }
    snapshots.finish();
}
