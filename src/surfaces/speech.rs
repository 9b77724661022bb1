//! The chat dialect for operations that ask models themselves: what the routes of the model API do with a body, without a
//! route.

use bytes::Bytes;
use canon::Dialect;
use openai::chat;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{api::not_a_request, shape};
use crate::{
    engine::{pipeline::Snapshot, refusal::Refusal},
    ops::ports::{Cited, Said, Speech, Uttered},
};

/// Writes requests and reads answers in the chat dialect.
#[derive(Debug, Clone, Copy)]
pub struct ChatSpeech;

impl Speech for ChatSpeech {
    fn utter(&self, snapshot: &Snapshot, body: Map<String, Value>) -> Result<Uttered, Refusal> {
        let mut body = Bytes::from(Value::Object(body).to_string());
        let mut facts = chat::scan(&body).map_err(|error| not_a_request(&error))?;
        let shaped = shape::rerouted(snapshot, Dialect::Chat, &mut body, &mut facts);
        Ok(Uttered { body, facts, shaped })
    }

    fn read(&self, data: &[u8]) -> Said {
        // What ends a stream is no JSON, and says nothing.
        let Ok(answer) = serde_json::from_slice::<Answer>(data) else { return Said::default() };
        let choice = answer.choices.into_iter().next().unwrap_or_default();
        let spoken = choice.message.or(choice.delta).unwrap_or_default();
        let cited = spoken.annotations.into_iter().filter_map(|one| one.url_citation);
        Said {
            text: spoken.content.or(spoken.refusal).unwrap_or_default(),
            model: answer.model,
            finish: choice.finish_reason,
            cited: cited.map(|page| Cited { url: page.url, title: page.title }).collect(),
        }
    }
}

/// The part of an answer, or of a chunk, that is told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    model: Option<String>,
    choices: Vec<Choice>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Choice {
    message: Option<Spoken>,
    delta: Option<Spoken>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spoken {
    content: Option<String>,
    refusal: Option<String>,
    annotations: Vec<Annotation>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Annotation {
    url_citation: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    url: String,
    #[serde(default)]
    title: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_their_pieces_are_read_alike() {
        let whole = ChatSpeech.read(
            br#"{"model":"m","choices":[{"message":{"role":"assistant","content":"hello","annotations":
            [{"type":"url_citation","url_citation":{"url":"https://a.example","title":"A"}}]},"finish_reason":"stop"}]}"#,
        );
        assert_eq!((whole.text.as_str(), whole.finish.as_deref()), ("hello", Some("stop")));
        assert_eq!(whole.cited, [Cited { url: "https://a.example".into(), title: Some("A".into()) }]);
        let piece = ChatSpeech.read(br#"{"model":"m","choices":[{"delta":{"content":"he"}}]}"#);
        assert_eq!((piece.text.as_str(), piece.model.as_deref()), ("he", Some("m")));
        let usage = ChatSpeech.read(br#"{"model":"m","choices":[],"usage":{"prompt_tokens":1}}"#);
        assert_eq!(usage.text, "");
        assert_eq!(ChatSpeech.read(b"[DONE]"), Said::default());
    }
}
