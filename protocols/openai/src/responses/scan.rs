//! The facts of a Responses request.

use canon::{EXTENSION, Facts, ScanError, Spans, scan as pick};
use serde_json::value::RawValue;

/// Finds the facts of a Responses request.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or names no model, or gives nothing to answer.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let names = [
        "model",
        "input",
        "stream",
        "previous_response_id",
        "prompt",
        "conversation",
        "tools",
        "text",
        "max_output_tokens",
        "prompt_cache_key",
        EXTENSION,
    ];
    let [model, input, stream, previous, prompt, conversation, tools, format, most, session, extension] =
        pick::fields(text, names)?;
    let name = pick::model(model)?;
    let input = said(input);
    if let Some(input) = input
        && !input.get().starts_with(['"', '['])
    {
        return Err(pick::wrong_type("input", "a string or an array", input));
    }
    // Each of these brings an input of its own.
    if input.is_none() && [previous, prompt, conversation].into_iter().all(|other| said(other).is_none()) {
        return Err(ScanError::Missing { param: "input" });
    }
    Ok(Facts {
        model: name,
        stream: pick::flag("stream", stream)?,
        wants_usage: true,
        continues: said(previous).map(continues).transpose()?,
        tools: pick::holds(tools),
        structured: format.is_some_and(|format| format.get().contains("\"json_schema\"")),
        max_output: pick::number([most]),
        session: pick::short(session),
        spans: Spans {
            model: model.map(|model| pick::span(text, model)),
            turns: input.map(|input| pick::span(text, input)),
            extension: extension.map(|extension| pick::span(text, extension)),
            ..Spans::default()
        },
    })
}

fn continues(raw: &RawValue) -> Result<String, ScanError> {
    serde_json::from_str(raw.get()).map_err(|_| pick::wrong_type("previous_response_id", "a string", raw))
}

/// A field that says something: null says no more than an absent one.
fn said(raw: Option<&RawValue>) -> Option<&RawValue> {
    raw.filter(|raw| raw.get() != "null")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_routing_needs() {
        let body = br#"{"input":[{"role":"user","content":"hi"}],"stream":true, "model" : "a/b\u002dc",
            "previous_response_id":"resp_1"}"#;
        let facts = scan(body).unwrap();
        assert_eq!(facts.model, "a/b-c");
        assert!(facts.stream);
        assert_eq!(facts.continues.as_deref(), Some("resp_1"));
        assert_eq!(&body[facts.spans.model.unwrap()], br#""a/b\u002dc""#);
    }

    #[test]
    fn finds_what_a_target_must_be_able_to_do() {
        let body = br#"{"model":"m","input":"hi","tools":[{}],"text":{"format":{"type":"json_schema"}},"max_output_tokens":8,"prompt_cache_key":"k"}"#;
        let facts = scan(body).unwrap();
        assert!(facts.tools && facts.structured);
        assert_eq!((facts.max_output, facts.session.as_deref()), (Some(8), Some("k")));
        assert_eq!(&body[facts.spans.turns.unwrap()], br#""hi""#);
    }

    #[test]
    fn input_may_be_a_text_a_list_or_somewhere_else() {
        assert!(scan(br#"{"model":"m","input":"hi"}"#).is_ok());
        assert!(scan(br#"{"model":"m","input":[]}"#).is_ok());
        assert!(scan(br#"{"model":"m","input":null,"previous_response_id":"resp_1"}"#).is_ok());
        assert!(scan(br#"{"model":"m","conversation":"conv_1"}"#).is_ok());
        assert!(scan(br#"{"model":"m","prompt":{"id":"pmpt_1"}}"#).is_ok());
    }

    #[test]
    fn says_what_is_wrong() {
        let of = |body: &[u8]| scan(body).unwrap_err();
        assert_eq!(of(br#"{"input":"x"}"#), ScanError::Missing { param: "model" });
        assert_eq!(
            of(br#"{"model":"m","previous_response_id":null}"#),
            ScanError::Missing { param: "input" }
        );
        assert_eq!(of(br#"{"model":"m","input":{}}"#).param(), Some("input"));
        assert_eq!(of(br#"{"model":"m","input":"x","stream":1}"#).param(), Some("stream"));
        assert_eq!(of(br#"{"model":"m","previous_response_id":7}"#).param(), Some("previous_response_id"));
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_scanned(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = scan(&bytes);
        }
    }
}
