//! The facts of a chat request.

use canon::{EXTENSION, Facts, ScanError, Spans, scan as pick};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Finds the facts of a chat request.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or lacks what every chat request has.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let names = [
        "model",
        "messages",
        "stream",
        "stream_options",
        "tools",
        "response_format",
        "max_completion_tokens",
        "max_tokens",
        "prompt_cache_key",
        EXTENSION,
    ];
    let [model, messages, stream, options, tools, format, most, most_before, session, extension] =
        pick::fields(text, names)?;
    let name = pick::model(model)?;
    let messages = messages.ok_or(ScanError::Missing { param: "messages" })?;
    if !messages.get().starts_with('[') {
        return Err(pick::wrong_type("messages", "an array", messages));
    }
    Ok(Facts {
        model: name,
        stream: pick::flag("stream", stream)?,
        wants_usage: options.map_or(Ok(false), include_usage)?,
        continues: None,
        tools: pick::holds(tools),
        structured: format.is_some_and(|format| format.get().contains("\"json_schema\"")),
        max_output: pick::number([most, most_before]),
        session: pick::short(session),
        spans: Spans {
            model: model.map(|model| pick::span(text, model)),
            stream_options: options.map(|options| pick::span(text, options)),
            turns: Some(pick::span(text, messages)),
            extension: extension.map(|extension| pick::span(text, extension)),
        },
    })
}

fn include_usage(raw: &RawValue) -> Result<bool, ScanError> {
    #[derive(Deserialize)]
    struct Options {
        #[serde(default)]
        include_usage: Option<bool>,
    }
    if raw.get() == "null" {
        return Ok(false);
    }
    let wrong = || pick::wrong_type("stream_options", "an object with a boolean `include_usage`", raw);
    if !raw.get().starts_with('{') {
        return Err(wrong());
    }
    let options: Options = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    Ok(options.include_usage.unwrap_or(false))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use canon::MODEL_LIMIT;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_routing_needs() {
        let body = br#"{"messages":[{"role":"user","content":"hi"}], "model" : "a/b\u002dc","stream":true,
            "stream_options":{"include_usage":true},"future_field":{"x":[1,2]}}"#;
        let facts = scan(body).unwrap();
        assert_eq!(facts.model, "a/b-c");
        assert!(facts.stream && facts.wants_usage);
        assert_eq!(&body[facts.spans.model.unwrap()], br#""a/b\u002dc""#);
        assert_eq!(&body[facts.spans.stream_options.unwrap()], br#"{"include_usage":true}"#);
    }

    #[test]
    fn finds_what_a_target_must_be_able_to_do() {
        let body = br#"{"model":"m","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function"}],
            "response_format":{"type":"json_schema","json_schema":{}},"max_tokens":5,"max_completion_tokens":7,"prompt_cache_key":"k"}"#;
        let facts = scan(body).unwrap();
        assert!(facts.tools && facts.structured);
        assert_eq!((facts.max_output, facts.session.as_deref()), (Some(7), Some("k")));
        assert_eq!(&body[facts.spans.turns.unwrap()], br#"[{"role":"user","content":"hi"}]"#);
        let odd = br#"{"model":"m","messages":[],"tools":[ ],"max_tokens":-1,"prompt_cache_key":7,"response_format":null}"#;
        let facts = scan(odd).unwrap();
        assert!(!facts.tools && !facts.structured && facts.max_output.is_none() && facts.session.is_none());
    }

    #[test]
    fn stream_defaults_to_false_and_null_is_no_choice() {
        assert!(!scan(br#"{"model":"m","messages":[]}"#).unwrap().stream);
        let facts = scan(br#"{"model":"m","messages":[],"stream":null,"stream_options":null}"#).unwrap();
        assert!(!facts.stream && !facts.wants_usage);
    }

    #[test]
    fn says_what_is_wrong() {
        let of = |body: &[u8]| scan(body).unwrap_err();
        assert_eq!(of(b"{\"model\":\"\xff\"}"), ScanError::NotUtf8 { at: 10 });
        assert!(matches!(of(b"hello"), ScanError::NotJson { .. }));
        assert!(matches!(of(b"[]"), ScanError::NotJson { .. }));
        assert!(matches!(of(br#"{"model":"x", "#), ScanError::NotJson { .. }));
        assert_eq!(of(br#"{"messages":[]}"#), ScanError::Missing { param: "model" });
        assert_eq!(of(br#"{"model":"m"}"#), ScanError::Missing { param: "messages" });
        assert_eq!(of(br#"{"model":5,"messages":[]}"#).param(), Some("model"));
        assert_eq!(of(br#"{"model":"m","messages":{}}"#).param(), Some("messages"));
        assert_eq!(of(br#"{"model":"m","messages":[],"stream":"yes"}"#).param(), Some("stream"));
        assert_eq!(of(br#"{"model":"m","messages":[],"stream_options":[]}"#).param(), Some("stream_options"));
        let long = format!(r#"{{"model":"{}","messages":[]}}"#, "x".repeat(MODEL_LIMIT));
        assert_eq!(of(long.as_bytes()), ScanError::TooLong { param: "model", limit: MODEL_LIMIT });
        let twice = of(br#"{"model":"cheap","messages":[],"model":"dear"}"#).to_string();
        assert!(twice.contains("`model` stands there twice"), "{twice}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_and_never_break_it(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = scan(&body);
        }

        #[test]
        fn spans_point_at_what_was_written(model in "[a-z/\\-\"\\\\é]{0,20}", before in "[ \n]{0,3}") {
            let body = format!("{before}{{\"messages\":[],{before}\"model\":{before}{}}}", serde_json::to_string(&model).unwrap());
            let facts = scan(body.as_bytes()).unwrap();
            prop_assert_eq!(serde_json::from_str::<String>(&body[facts.spans.model.clone().unwrap()]).unwrap(), model.as_str());
            prop_assert_eq!(facts.model, model);
        }
    }
}
