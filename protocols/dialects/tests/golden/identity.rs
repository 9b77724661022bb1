//! Within one dialect nothing changes: what is decoded and encoded again is the same JSON, and nothing is lost.

use canon::{Dialect, Losses, Quirks, Target};
use dialects::{decode, decode_answer, encode, encode_answer};
use serde_json::Value;

use super::{asked, fixtures, json, streams};

fn same(name: &str, found: &Value, expected: &Value, losses: &Losses) {
    assert!(found == expected, "{name}:\n{found:#}\ninstead of\n{expected:#}");
    assert!(losses.is_empty(), "{name}: {losses}");
}

/// As JSON values, but for nulls at the top, which say no more than absent fields.
#[test]
fn requests_within_one_dialect() {
    for fixture in fixtures("requests") {
        let turn = decode(fixture.dialect, &fixture.body).unwrap();
        let target = Target {
            model: &turn.model,
            source: fixture.dialect,
            maker: "test:maker",
            quirks: Quirks::default(),
            max_output: None,
        };
        let encoded = encode(fixture.dialect, &turn, &target);
        same(&fixture.name, &json(&encoded.body), &json(&fixture.body), &encoded.losses);
    }
}

#[test]
fn answers_within_one_dialect() {
    for fixture in fixtures("answers") {
        let answer = decode_answer(fixture.dialect, &fixture.body).unwrap();
        let encoded = encode_answer(fixture.dialect, answer, &asked(Dialect::Gemini));
        same(&fixture.name, &json(&encoded.body), &json(&fixture.body), &encoded.losses);
    }
}

#[test]
fn streams_within_one_dialect() {
    for fixture in fixtures("streams") {
        let events = streams::decoded(fixture.dialect, &fixture.body).unwrap();
        let mut answer = streams::folded(events.clone());
        let (again, losses) = streams::encoded(fixture.dialect, events, asked(Dialect::Gemini));
        let again = streams::folded(streams::decoded(fixture.dialect, &again).unwrap());
        // What the provider leaves out is made up for: clients need it.
        if answer.id.is_empty() {
            answer.id.clone_from(&again.id);
        }
        assert_eq!(again, answer, "{}", fixture.name);
        assert!(losses.is_empty(), "{}: {losses}", fixture.name);
    }
}
