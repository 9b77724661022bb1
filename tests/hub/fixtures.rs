//! Every example of a client's request, put to a provider of every other dialect. The simulator is as strict as the
//! vendors: what it takes is well-formed in their eyes.

use std::{fs, path::Path};

use canon::Dialect;
use serde_json::Value;

use super::support::{TestHub, speech};

/// Examples that cannot be served: the client is told so (400).
const REFUSED: &[&str] = &[
    // They go on from what only OpenAI keeps.
    "responses/continues at chat",
    "responses/continues at messages",
    "responses/continues at gemini",
    "responses/continues_without_input at chat",
    "responses/continues_without_input at messages",
    "responses/continues_without_input at gemini",
    // A drawing in SVG, which Google does not take.
    "responses/images at gemini",
];

fn folder(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Chat => "protocols/openai/fixtures/chat/requests",
        Dialect::Responses => "protocols/openai/fixtures/responses/requests",
        Dialect::Messages => "protocols/anthropic/fixtures/messages/requests",
        Dialect::Gemini => "protocols/gemini/fixtures/generate/requests",
    }
}

fn examples(dialect: Dialect) -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder(dialect));
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let body = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
            (format!("{dialect}/{}", file.file_stem().unwrap().to_str().unwrap()), body)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn every_example_is_well_formed_in_every_other_dialect() {
    let mut wrong = Vec::new();
    for client in Dialect::ALL {
        for (name, mut body) in examples(client) {
            if client != Dialect::Gemini {
                body["model"] = "m".into();
            }
            for provider in Dialect::ALL.into_iter().filter(|provider| *provider != client) {
                let hub = TestHub::builder().account_at(provider, "a", "sim-ok").build().await;
                let stream = body["stream"] == true;
                let answer = hub.send(speech::request(client, "m", stream, &body)).await;
                let name = format!("{name} at {provider}");
                let expected = if REFUSED.contains(&name.as_str()) { 400 } else { 200 };
                if answer.status.as_u16() != expected {
                    let sent = hub.upstream().pop().map(|entry| entry.body).unwrap_or_default();
                    wrong.push(format!("{name}: {}\n    sent {sent}", answer.text));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
