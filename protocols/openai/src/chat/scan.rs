//! One pass over a request body that finds what routing needs and checks what no provider could serve
//! without. Everything else is left to the provider, which knows its own fields best.

use std::{fmt, ops::Range};

use canon::{Facts, Spans};
use serde::{
    Deserialize,
    de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// Why a body is not a chat request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanError {
    /// The bytes are not UTF-8, from this offset on.
    NotUtf8 {
        /// Offset of the first wrong byte.
        at: usize,
    },
    /// The bytes are not JSON, or not a JSON object.
    NotJson {
        /// What the parser said, with line and column.
        message: String,
    },
    /// A required field is absent.
    Missing {
        /// The field.
        param: &'static str,
    },
    /// A text is longer than any that means something.
    TooLong {
        /// The field.
        param: &'static str,
        /// The most bytes that it may have.
        limit: usize,
    },
    /// A field has the wrong type.
    WrongType {
        /// The field.
        param: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: &'static str,
    },
}

impl ScanError {
    /// The field that is at fault, if a single one is.
    #[must_use]
    pub const fn param(&self) -> Option<&'static str> {
        match self {
            Self::Missing { param } | Self::WrongType { param, .. } | Self::TooLong { param, .. } => {
                Some(*param)
            }
            Self::NotUtf8 { .. } | Self::NotJson { .. } => None,
        }
    }
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { at } => {
                write!(
                    f,
                    "The request body is not valid UTF-8: the byte at offset {at} belongs to no character."
                )
            }
            Self::NotJson { message } => {
                write!(f, "The request body could not be read as a JSON object: {message}.")
            }
            Self::TooLong { param, limit } => write!(f, "`{param}` is longer than {limit} bytes."),
            Self::Missing { param } => write!(f, "You must provide the field `{param}`."),
            Self::WrongType { param, expected, found } => {
                write!(f, "Invalid type for `{param}`: expected {expected}, but got {found} instead.")
            }
        }
    }
}

impl std::error::Error for ScanError {}

/// The longest name of a model, in bytes as it is written. Names are compared with all known ones, kept in receipts and
/// put into errors; the longest that providers have are a quarter of this.
pub const MODEL_LIMIT: usize = 512;

/// Finds the facts of a chat request.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or lacks what every chat request has.
pub fn scan(body: &[u8]) -> Result<Facts, ScanError> {
    let text = std::str::from_utf8(body).map_err(|error| ScanError::NotUtf8 { at: error.valid_up_to() })?;
    let top: Top<'_> =
        serde_json::from_str(text).map_err(|error| ScanError::NotJson { message: error.to_string() })?;
    let model = top.model.ok_or(ScanError::Missing { param: "model" })?;
    let messages = top.messages.ok_or(ScanError::Missing { param: "messages" })?;
    if !messages.get().starts_with('[') {
        return Err(wrong_type("messages", "an array", messages));
    }
    let (wants_usage, stream_options) = match top.stream_options {
        Some(options) => (include_usage(options)?, Some(span(text, options))),
        None => (false, None),
    };
    if model.get().len() > MODEL_LIMIT {
        return Err(ScanError::TooLong { param: "model", limit: MODEL_LIMIT });
    }
    Ok(Facts {
        model: serde_json::from_str(model.get()).map_err(|_| wrong_type("model", "a string", model))?,
        stream: top.stream.map_or(Ok(false), flag)?,
        wants_usage,
        spans: Spans { model: span(text, model), stream_options },
    })
}

fn flag(raw: &RawValue) -> Result<bool, ScanError> {
    match raw.get() {
        "true" => Ok(true),
        "false" | "null" => Ok(false),
        _ => Err(wrong_type("stream", "a boolean", raw)),
    }
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
    let wrong = || wrong_type("stream_options", "an object with a boolean `include_usage`", raw);
    if !raw.get().starts_with('{') {
        return Err(wrong());
    }
    let options: Options = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
    Ok(options.include_usage.unwrap_or(false))
}

fn wrong_type(param: &'static str, expected: &'static str, raw: &RawValue) -> ScanError {
    let found = match raw.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    };
    ScanError::WrongType { param, expected, found }
}

/// Where a borrowed part stands in the text that it was borrowed from.
fn span(text: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.get().len()
}

/// The top level, with the values that matter left as they were written.
#[derive(Default)]
struct Top<'a> {
    model: Option<&'a RawValue>,
    messages: Option<&'a RawValue>,
    stream: Option<&'a RawValue>,
    stream_options: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Top<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(TopVisitor)
    }
}

struct TopVisitor;

impl<'de> Visitor<'de> for TopVisitor {
    type Value = Top<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut top = Top::default();
        while let Some(key) = map.next_key::<Key>()? {
            let slot = match key {
                Key::Model => &mut top.model,
                Key::Messages => &mut top.messages,
                Key::Stream => &mut top.stream,
                Key::StreamOptions => &mut top.stream_options,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            // Two values for one field mean different things to different readers: which of them
            // was routed by and which one the provider obeys must not be able to differ.
            if slot.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!("the field `{}` stands there twice", key.name())));
            }
        }
        Ok(top)
    }
}

#[derive(Clone, Copy)]
enum Key {
    Model,
    Messages,
    Stream,
    StreamOptions,
    Other,
}

impl Key {
    const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Messages => "messages",
            Self::Stream => "stream",
            Self::StreamOptions => "stream_options",
            Self::Other => "",
        }
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(match name {
                    "model" => Key::Model,
                    "messages" => Key::Messages,
                    "stream" => Key::Stream,
                    "stream_options" => Key::StreamOptions,
                    _ => Key::Other,
                })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_what_routing_needs() {
        let body = br#"{"messages":[{"role":"user","content":"hi"}], "model" : "a/b\u002dc","stream":true,
            "stream_options":{"include_usage":true},"future_field":{"x":[1,2]}}"#;
        let facts = scan(body).unwrap();
        assert_eq!(facts.model, "a/b-c");
        assert!(facts.stream && facts.wants_usage);
        assert_eq!(&body[facts.spans.model], br#""a/b\u002dc""#);
        assert_eq!(&body[facts.spans.stream_options.unwrap()], br#"{"include_usage":true}"#);
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
            prop_assert_eq!(serde_json::from_str::<String>(&body[facts.spans.model.clone()]).unwrap(), model.as_str());
            prop_assert_eq!(facts.model, model);
        }
    }
}
