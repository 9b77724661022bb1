//! The facts of a Messages request, and of one that only counts tokens.

use canon::{EXTENSION, Facts, ScanError, Spans, scan as pick};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Finds the facts of a Messages request. What else a request needs (`max_tokens`) the provider judges.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or lacks what every request has.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let names = [
        "model",
        "messages",
        "stream",
        "tools",
        "max_tokens",
        "metadata",
        "output_format",
        "output_config",
        EXTENSION,
    ];
    let [model, messages, stream, tools, most, metadata, format, config, extension] =
        pick::fields(text, names)?;
    let name = pick::model(model)?;
    let messages = messages.ok_or(ScanError::Missing { param: "messages" })?;
    if !messages.get().starts_with('[') {
        return Err(pick::wrong_type("messages", "an array", messages));
    }
    Ok(Facts {
        model: name,
        stream: pick::flag("stream", stream)?,
        // A stream of this dialect always reports its usage.
        wants_usage: true,
        continues: None,
        tools: pick::holds(tools),
        structured: [format, config]
            .into_iter()
            .flatten()
            .any(|format| format.get().contains("\"json_schema\"")),
        max_output: pick::number([most]),
        session: metadata.and_then(user),
        spans: Spans {
            model: model.map(|model| pick::span(text, model)),
            turns: Some(pick::span(text, messages)),
            extension: extension.map(|extension| pick::span(text, extension)),
            ..Spans::default()
        },
    })
}

/// The user that the client names; coding agents write their session into it.
fn user(metadata: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Metadata<'a> {
        #[serde(borrow, default)]
        user_id: Option<&'a RawValue>,
    }
    let metadata: Metadata<'_> = serde_json::from_str(metadata.get()).ok()?;
    pick::short(metadata.user_id)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_routing_needs() {
        let body = br#"{"max_tokens":5,"messages":[], "model" : "claude\u002dx","stream":true,"future":{}}"#;
        let facts = scan(body).unwrap();
        assert_eq!(facts.model, "claude-x");
        assert!(facts.stream && facts.wants_usage);
        assert_eq!(&body[facts.spans.model.unwrap()], br#""claude\u002dx""#);
        assert!(!scan(br#"{"model":"m","messages":[]}"#).unwrap().stream);
    }

    #[test]
    fn finds_what_a_target_must_be_able_to_do() {
        let body = br#"{"model":"m","messages":[],"tools":[{}],"output_config":{"format":{"type":"json_schema"}},"max_tokens":9,"metadata":{"user_id":"u"}}"#;
        let facts = scan(body).unwrap();
        assert!(facts.tools && facts.structured);
        assert_eq!((facts.max_output, facts.session.as_deref()), (Some(9), Some("u")));
    }

    #[test]
    fn says_what_is_wrong() {
        let of = |body: &[u8]| scan(body).unwrap_err();
        assert!(matches!(of(b"hello"), ScanError::NotJson { .. }));
        assert_eq!(of(br#"{"messages":[]}"#), ScanError::Missing { param: "model" });
        assert_eq!(of(br#"{"model":"m"}"#), ScanError::Missing { param: "messages" });
        assert_eq!(of(br#"{"model":"m","messages":"hi"}"#).param(), Some("messages"));
        assert_eq!(of(br#"{"model":"m","messages":[],"stream":1}"#).param(), Some("stream"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_and_never_break_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = scan(&body);
        }
    }
}
