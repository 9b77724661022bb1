//! Legacy completions (`POST /v1/completions`): a prompt goes on as text. Passed through only, never translated.

use canon::{Facts, Mark, Piece, ScanError, Spans, UnaryError, Usage, scan as pick, sse};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{fault, usage};

/// The path below a base URL.
pub const PATH: &str = "/completions";

/// Finds the facts of a request.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or lacks what every such request has.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let [model, prompt, stream, options, most] =
        pick::fields(text, ["model", "prompt", "stream", "stream_options", "max_tokens"])?;
    let name = pick::model(model)?;
    prompt.ok_or(ScanError::Missing { param: "prompt" })?;
    Ok(Facts {
        model: name,
        stream: pick::flag("stream", stream)?,
        wants_usage: options.map_or(Ok(false), include_usage)?,
        spans: Spans {
            model: model.map(|model| pick::span(text, model)),
            stream_options: options.map(|options| pick::span(text, options)),
            ..Spans::default()
        },
        max_output: pick::number([most]),
        ..Facts::default()
    })
}

fn include_usage(raw: &RawValue) -> Result<bool, ScanError> {
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    let wrong = |_| pick::wrong_type("stream_options", "an object with a boolean `include_usage`", raw);
    let options: Option<Options> = serde_json::from_str(raw.get()).map_err(wrong)?;
    Ok(options.and_then(|options| options.include_usage).unwrap_or(false))
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    finish_reason: Option<String>,
}

/// Reads one event of a stream, blank line included or not.
#[must_use]
pub fn read_event(event: &[u8]) -> Piece {
    let Some(data) = sse::data(event) else { return Piece::Nothing };
    match data.trim_ascii() {
        b"" => Piece::Nothing,
        b"[DONE]" => Piece::Done,
        data => read_chunk(data),
    }
}

fn read_chunk(data: &[u8]) -> Piece {
    let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
        // Valid JSON in a shape that is not known here is the client's to judge; anything else is broken.
        return match serde_json::from_slice::<IgnoredAny>(data) {
            Ok(_) => Piece::Chunk { mark: Mark::Content, usage: None, finished: false, usage_only: false },
            Err(_) => Piece::Garbage,
        };
    };
    if let Some(error) = chunk.error.filter(|raw| raw.get() != "null") {
        return Piece::Error(fault::message_of(error.get().as_bytes()));
    }
    let choices = chunk.choices.unwrap_or_default();
    let says = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let finished = choices.iter().any(|choice| says(&choice.finish_reason));
    let content = finished || choices.iter().any(|choice| says(&choice.text));
    let usage = usage::read(chunk.usage);
    Piece::Chunk {
        mark: if content { Mark::Content } else { Mark::Empty },
        usage,
        finished,
        usage_only: choices.is_empty() && usage.is_some(),
    }
}

/// Checks a unary answer and reads its usage.
///
/// # Errors
/// When the body is not a completion.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    // The frame around the choices is that of chat.
    crate::chat::read_unary(body)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_facts() {
        let body = include_bytes!("../fixtures/completions/requests/stream.json");
        let facts = scan(body).unwrap();
        assert!(facts.stream && facts.wants_usage && !facts.model.is_empty());
        assert!(!scan(include_bytes!("../fixtures/completions/requests/plain.json")).unwrap().stream);
        assert_eq!(scan(br#"{"model":"m"}"#), Err(ScanError::Missing { param: "prompt" }));
        let odd = scan(br#"{"model":"m","prompt":"a","stream_options":7}"#).unwrap_err();
        assert_eq!(odd.param(), Some("stream_options"));
        let null = scan(br#"{"model":"m","prompt":["a"],"stream_options":null}"#).unwrap();
        assert!(!null.wants_usage);
    }

    #[test]
    fn reads_events() {
        let mark = |data: &str| match read_event(format!("data: {data}\n\n").as_bytes()) {
            Piece::Chunk { mark, finished, .. } => (mark, finished),
            other => unreachable!("{other:?}"),
        };
        assert_eq!(mark(r#"{"choices":[{"text":"a","finish_reason":null}]}"#), (Mark::Content, false));
        assert_eq!(mark(r#"{"choices":[{"text":""}]}"#), (Mark::Empty, false));
        assert_eq!(mark(r#"{"choices":[{"text":"","finish_reason":"length"}]}"#), (Mark::Content, true));
        let usage = read_event(br#"data: {"choices":[],"usage":{"prompt_tokens":2,"completion_tokens":1}}"#);
        assert!(matches!(usage, Piece::Chunk { usage_only: true, .. }));
        assert_eq!(read_event(b"data: [DONE]\n\n"), Piece::Done);
        assert_eq!(read_event(b": wait\n\n"), Piece::Nothing);
        assert_eq!(read_event(b"data: {\n\n"), Piece::Garbage);
        assert_eq!(read_event(br#"data: {"error":{"message":"late"}}"#), Piece::Error("late".into()));
    }

    #[test]
    fn reads_a_whole_stream() {
        let stream = include_str!("../fixtures/completions/streams/plain.sse");
        let pieces: Vec<Piece> = stream.split_inclusive("\n\n").map(|it| read_event(it.as_bytes())).collect();
        assert!(matches!(pieces[0], Piece::Chunk { mark: Mark::Content, finished: false, usage: None, .. }));
        assert!(matches!(pieces[1], Piece::Chunk { finished: true, usage: Some(_), usage_only: false, .. }));
        assert_eq!(pieces[2..], [Piece::Done]);
    }

    #[test]
    fn reads_a_unary_answer() {
        let body = include_bytes!("../fixtures/completions/answers/plain.json");
        assert_eq!(read_unary(body).unwrap().unwrap().output, 7);
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (scan(&body), read_event(&body), read_unary(&body));
        }
    }
}
