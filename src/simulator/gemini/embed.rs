//! Google's embeddings, one or several.

use serde_json::{Value, json};

use super::super::ask::{Ask, Speaker};
use super::super::chat::embeddings::vector;
use super::super::problem::{Problem, Voice};
use super::super::speech::{Answer, Mark, Speech};
use super::request::parsed;
use super::{fields, proto};

/// A request for embeddings.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct EmbedRequest {
    ask: Ask,
    texts: Vec<(String, usize)>,
    several: bool,
}

/// The length of a vector if the request does not say.
const DIMENSIONS: usize = 16;

/// The longest vector.
const LONGEST: usize = 4_096;

impl EmbedRequest {
    /// Reads a body for a model that stands in the path.
    pub(in super::super) fn read(body: &[u8], model: &str, several: bool) -> Result<Self, Problem> {
        let fields = if several { fields::EMBEDS } else { fields::EMBED };
        let body = proto::message("", parsed(body)?, fields)?;
        let requests: Vec<&Value> =
            if several { body["requests"].as_array().into_iter().flatten().collect() } else { vec![&body] };
        let mut ask = Ask { model: model.to_owned(), ..Ask::default() };
        let mut texts = Vec::new();
        for request in requests {
            let parts = request["content"]["parts"].as_array().into_iter().flatten();
            let text: String = parts.filter_map(|part| part["text"].as_str()).collect();
            if text.is_empty() {
                return Err(Problem::invalid("* EmbedContentRequest.content: content is empty\n"));
            }
            let asked = request["outputDimensionality"].as_f64().map(|number| number as usize);
            ask.say(Speaker::User, text.clone());
            texts.push((text, asked.unwrap_or(DIMENSIONS).clamp(1, LONGEST)));
        }
        Ok(Self { ask, texts, several })
    }
}

impl Speech for EmbedRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        let values =
            |(text, dimensions): &(String, usize)| json!({"values": vector(answer.seed, text, *dimensions)});
        let mut vectors: Vec<Value> = self.texts.iter().map(values).collect();
        if self.several {
            return json!({"embeddings": vectors}).to_string();
        }
        json!({"embedding": vectors.pop()}).to_string()
    }

    fn stream(&self, _answer: &Answer<'_>) -> Vec<Mark> {
        Vec::new()
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, _begun: bool) -> String {
        problem.json(Voice::Gemini)
    }
}
