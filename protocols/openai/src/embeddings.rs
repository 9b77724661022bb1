//! Embeddings (`POST /v1/embeddings`): texts become vectors. Passed through only, and never streamed.

use canon::{Facts, ScanError, Spans, UnaryError, Usage, scan as pick};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{fault, usage};

/// The path below a base URL.
pub const PATH: &str = "/embeddings";

/// Finds the facts of a request.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or lacks what every such request has.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let [model, input] = pick::fields(text, ["model", "input"])?;
    let name = pick::model(model)?;
    input.ok_or(ScanError::Missing { param: "input" })?;
    let model = model.map(|model| pick::span(text, model));
    Ok(Facts { model: name, spans: Spans { model, ..Spans::default() }, ..Facts::default() })
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default)]
    data: Option<Vec<IgnoredAny>>,
    #[serde(borrow, default)]
    usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Checks an answer and reads its usage.
///
/// # Errors
/// When the body holds no list of embeddings.
pub fn read_unary(body: &[u8]) -> Result<Option<Usage>, UnaryError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(UnaryError::Empty);
    }
    let wire: Wire<'_> = serde_json::from_slice(body).map_err(|_| UnaryError::NotAnAnswer)?;
    if let Some(error) = wire.error.filter(|raw| raw.get() != "null") {
        return Err(UnaryError::Reported(fault::message_of(error.get().as_bytes())));
    }
    match wire.data {
        Some(data) if !data.is_empty() => Ok(usage::read(wire.usage)),
        Some(_) | None => Err(UnaryError::Empty),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_facts() {
        let facts = scan(include_bytes!("../fixtures/embeddings/requests/list.json")).unwrap();
        assert!(!facts.stream && !facts.model.is_empty() && facts.spans.model.is_some());
        assert_eq!(scan(br#"{"model":"m"}"#), Err(ScanError::Missing { param: "input" }));
        assert_eq!(scan(br#"{"input":"a"}"#), Err(ScanError::Missing { param: "model" }));
    }

    #[test]
    fn reads_answers() {
        let answer = include_bytes!("../fixtures/embeddings/answers/list.json");
        assert_eq!(read_unary(answer).unwrap().unwrap().input, 11);
        assert_eq!(read_unary(br#"{"object":"list"}"#), Err(UnaryError::Empty));
        assert_eq!(read_unary(b"no"), Err(UnaryError::NotAnAnswer));
        let reported = read_unary(br#"{"error":{"message":"busy"}}"#);
        assert_eq!(reported, Err(UnaryError::Reported("busy".into())));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (scan(&body), read_unary(&body));
        }
    }
}
