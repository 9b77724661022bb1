//! The facts of a request, and the path that it is sent to.

use canon::{EXTENSION, Facts, ScanError, Spans, scan as pick};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The path below a base URL.
#[must_use]
pub fn path(model: &str, stream: bool) -> String {
    crate::path::of(model, if stream { "streamGenerateContent?alt=sse" } else { "generateContent" })
}

/// Finds the facts of a request. The model and whether to stream stand in its path.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or has no `contents`.
pub fn scan(body: &[u8], model: String, stream: bool) -> Result<Facts, ScanError> {
    if model.len() > canon::MODEL_LIMIT {
        return Err(ScanError::TooLong { param: "model", limit: canon::MODEL_LIMIT });
    }
    let text = pick::text(body)?;
    let names = ["contents", "tools", "generationConfig", "generation_config", EXTENSION];
    let [contents, tools, config, snake, extension] = pick::fields(text, names)?;
    let contents = contents.ok_or(ScanError::Missing { param: "contents" })?;
    // One content alone is taken for a list of one, as the API does.
    if !contents.get().starts_with(['[', '{']) {
        return Err(pick::wrong_type("contents", "an array", contents));
    }
    let config = config.or(snake);
    let has = |words: [&str; 4]| {
        config.is_some_and(|config| words.into_iter().any(|word| config.get().contains(word)))
    };
    Ok(Facts {
        model,
        stream,
        wants_usage: true,
        tools: pick::holds(tools),
        structured: has([
            "\"responseSchema\"",
            "\"response_schema\"",
            "\"responseJsonSchema\"",
            "\"response_json_schema\"",
        ]),
        max_output: config.and_then(most),
        spans: Spans {
            turns: Some(pick::span(text, contents)),
            extension: extension.map(|extension| pick::span(text, extension)),
            ..Spans::default()
        },
        ..Facts::default()
    })
}

fn most(config: &RawValue) -> Option<u64> {
    #[derive(Deserialize)]
    struct Config<'a> {
        #[serde(borrow, default, alias = "max_output_tokens", rename = "maxOutputTokens")]
        most: Option<&'a RawValue>,
    }
    let config: Config<'_> = serde_json::from_str(config.get()).ok()?;
    pick::number([config.most])
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_verb_says_whether_to_stream() {
        assert_eq!(path("m", false), "/models/m:generateContent");
        assert_eq!(path("models/m", true), "/models/m:streamGenerateContent?alt=sse");
    }

    #[test]
    fn contents_are_needed() {
        let of = |body: &[u8]| scan(body, "m".into(), true);
        let facts = of(br#"{"contents":[{"parts":[{"text":"hi"}]}],"new_field":1}"#).unwrap();
        assert!(facts.stream && facts.model == "m" && facts.spans.model.is_none());
        assert_eq!(of(b"{}"), Err(ScanError::Missing { param: "contents" }));
        assert_eq!(of(br#"{"contents":"hi"}"#).unwrap_err().param(), Some("contents"));
        assert!(matches!(of(b"[]"), Err(ScanError::NotJson { .. })));
    }

    #[test]
    fn finds_what_a_target_must_be_able_to_do() {
        let body =
            br#"{"contents":[],"tools":[{}],"generationConfig":{"maxOutputTokens":10,"responseSchema":{}}}"#;
        let facts = scan(body, "m".into(), false).unwrap();
        assert!(facts.tools && facts.structured && facts.max_output == Some(10));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = scan(&body, String::new(), false);
        }
    }
}
