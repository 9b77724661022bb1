//! Embeddings: vectors that depend on the text alone, as numbers or as Base64.

use serde_json::{Value, json};

use super::super::ask::{Ask, Speaker};
use super::super::dice::Dice;
use super::super::problem::{Problem, Voice};
use super::super::speech::{Answer, Mark, Speech};
use super::request::{missing, model, object, whole, wrong_type};

/// A request for embeddings.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct EmbeddingRequest {
    ask: Ask,
    texts: Vec<String>,
    dimensions: usize,
    base64: bool,
}

/// The length of a vector if the request does not say.
const DIMENSIONS: usize = 16;

/// The longest vector.
const LONGEST: usize = 4_096;

/// The most texts of one request.
const TEXTS: usize = 2_048;

impl EmbeddingRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let body = object(body)?;
        let model = model(&body)?;
        let texts = match body.get("input") {
            None | Some(Value::Null) => return Err(missing("input")),
            Some(input) => texts(input)?,
        };
        let base64 = match body.get("encoding_format").and_then(Value::as_str) {
            None | Some("float") => false,
            Some("base64") => true,
            Some(other) => {
                return Err(Problem::bad(
                    format!("Invalid value: '{other}'. Supported values are: 'float' and 'base64'."),
                    Some("encoding_format"),
                    Some("invalid_value"),
                ));
            }
        };
        let mut ask = Ask { model, ..Ask::default() };
        for text in &texts {
            ask.say(Speaker::User, text.clone());
        }
        let dimensions = whole(&body, "dimensions", 1, LONGEST)?.unwrap_or(DIMENSIONS);
        Ok(Self { ask, texts, dimensions, base64 })
    }
}

/// A text, texts, tokens or lists of tokens.
fn texts(input: &Value) -> Result<Vec<String>, Problem> {
    let wrong = || wrong_type("input", "one of a string or array of strings or tokens", input);
    let tokens = |list: &[Value]| list.iter().all(Value::is_u64);
    let read = |one: &Value| match one {
        Value::String(text) => Some(text.clone()),
        Value::Array(list) if tokens(list) => Some(one.to_string()),
        _ => None,
    };
    let texts = match input {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) if !list.is_empty() && tokens(list) => vec![input.to_string()],
        Value::Array(list) if list.len() <= TEXTS => {
            list.iter().map(read).collect::<Option<_>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err(Problem::bad(
            "'$.input' is invalid. Please check the API reference.",
            Some("input"),
            None,
        ));
    }
    Ok(texts)
}

/// The vector of a text, of length one.
pub(in super::super) fn vector(seed: u64, text: &str, dimensions: usize) -> Vec<f32> {
    let mut dice = Dice::new(seed, &[b"embedding", text.as_bytes()]);
    let drawn: Vec<f32> = (0..dimensions).map(|_| dice.below(2_001) as f32 / 1_000.0 - 1.0).collect();
    let length = drawn.iter().map(|part| part * part).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    drawn.into_iter().map(|part| part / length).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(*group.get(at).unwrap_or(&0)));
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

impl Speech for EmbeddingRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        let embedding = |text: &String| {
            let vector = vector(answer.seed, text, self.dimensions);
            if self.base64 {
                let bytes: Vec<u8> = vector.iter().flat_map(|part| part.to_le_bytes()).collect();
                return json!(base64(&bytes));
            }
            json!(vector)
        };
        let data: Vec<Value> = self
            .texts
            .iter()
            .enumerate()
            .map(|(index, text)| json!({"object": "embedding", "index": index, "embedding": embedding(text)}))
            .collect();
        let mut whole = json!({"object": "list", "data": data, "model": self.ask.model});
        if let Some(usage) = answer.usage {
            whole["usage"] = json!({"prompt_tokens": usage.input, "total_tokens": usage.input});
        }
        whole.to_string()
    }

    fn stream(&self, _answer: &Answer<'_>) -> Vec<Mark> {
        Vec::new()
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, _begun: bool) -> String {
        problem.json(Voice::Openai)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE=");
        assert_eq!(base64(b"M"), "TQ==");
        assert_eq!(base64(b""), "");
    }

    #[test]
    fn vectors_repeat_and_have_length_one() {
        let vector_of = |text| vector(1, text, 8);
        assert_eq!(vector_of("a"), vector_of("a"));
        assert_ne!(vector_of("a"), vector_of("b"));
        let length: f32 = vector_of("a").iter().map(|part| part * part).sum();
        assert!((length - 1.0).abs() < 1e-5);
    }
}
