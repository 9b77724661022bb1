//! One pass over a request body that finds what routing needs and checks what no provider could serve without.
//! Everything else is left to the provider, which knows its own fields best. Which fields those are is each dialect's
//! business; here is how they are found without decoding the rest.

use std::{fmt, ops::Range};

use serde::de::{DeserializeSeed, Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why a body is not a request.
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

/// A body's text.
///
/// # Errors
/// When the bytes are not UTF-8.
pub fn text(body: &[u8]) -> Result<&str, ScanError> {
    std::str::from_utf8(body).map_err(|error| ScanError::NotUtf8 { at: error.valid_up_to() })
}

/// The values of the top-level fields with these names, as they stand in the text.
///
/// # Errors
/// When the text is not a JSON object, or one of the fields stands there twice: two values for one field mean
/// different things to different readers, and which one was routed by must be the one that the provider obeys.
pub fn fields<'a, const N: usize>(
    text: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a RawValue>; N], ScanError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let not_json = |error: serde_json::Error| ScanError::NotJson { message: error.to_string() };
    let found = (&mut json).deserialize_map(Picker { names }).map_err(not_json)?;
    json.end().map_err(not_json)?;
    Ok(found)
}

/// Where a borrowed part stands in the text that it was borrowed from.
#[must_use]
pub fn span(text: &str, part: &RawValue) -> Range<usize> {
    let start = part.get().as_ptr() as usize - text.as_ptr() as usize;
    start..start + part.get().len()
}

/// A model's name, which must be there.
///
/// # Errors
/// When it is absent, no string, or too long.
pub fn model(raw: Option<&RawValue>) -> Result<String, ScanError> {
    let raw = raw.ok_or(ScanError::Missing { param: "model" })?;
    if raw.get().len() > MODEL_LIMIT {
        return Err(ScanError::TooLong { param: "model", limit: MODEL_LIMIT });
    }
    serde_json::from_str(raw.get()).map_err(|_| wrong_type("model", "a string", raw))
}

/// A truth value; absent and null are false.
///
/// # Errors
/// When it is something else.
pub fn flag(param: &'static str, raw: Option<&RawValue>) -> Result<bool, ScanError> {
    match raw.map(RawValue::get) {
        Some("true") => Ok(true),
        None | Some("false" | "null") => Ok(false),
        Some(_) => Err(raw.map_or(ScanError::Missing { param }, |raw| wrong_type(param, "a boolean", raw))),
    }
}

/// Whether a list is there that holds something.
#[must_use]
pub fn holds(raw: Option<&RawValue>) -> bool {
    let inside = raw.and_then(|raw| raw.get().strip_prefix('[')?.strip_suffix(']'));
    inside.is_some_and(|inside| !inside.trim().is_empty())
}

/// The largest of some numbers that are there; what else stands there the provider judges.
#[must_use]
pub fn number<'a>(raw: impl IntoIterator<Item = Option<&'a RawValue>>) -> Option<u64> {
    raw.into_iter().flatten().filter_map(|raw| raw.get().parse().ok()).max()
}

/// A text that is there and is not too long to be a name; what else stands there the provider judges.
#[must_use]
pub fn short(raw: Option<&RawValue>) -> Option<String> {
    let raw = raw.filter(|raw| raw.get().len() <= MODEL_LIMIT)?;
    serde_json::from_str(raw.get()).ok()
}

/// A field of the wrong type, with the type that it has.
#[must_use]
pub fn wrong_type(param: &'static str, expected: &'static str, raw: &RawValue) -> ScanError {
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

struct Picker<const N: usize> {
    names: [&'static str; N],
}

impl<'de, const N: usize> Visitor<'de> for Picker<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(at) = map.next_key_seed(Name { names: &self.names })? {
            let Some(at) = at else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if found[at].replace(map.next_value()?).is_some() {
                let name = self.names[at];
                return Err(A::Error::custom(format_args!("the field `{name}` stands there twice")));
            }
        }
        Ok(found)
    }
}

/// Which of the names a key is.
struct Name<'n, const N: usize> {
    names: &'n [&'static str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Name<'_, N> {
    type Value = Option<usize>;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<const N: usize> Visitor<'_> for Name<'_, N> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.names.iter().position(|known| *known == name))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn finds_fields_where_they_stand() {
        let text = r#"{"a":[1,{"model":"no"}], "model" : "a/b\u002dc","stream":true}"#;
        let [found, stream, none] = fields(text, ["model", "stream", "other"]).unwrap();
        assert_eq!(model(found).unwrap(), "a/b-c");
        assert_eq!(&text[span(text, found.unwrap())], r#""a/b\u002dc""#);
        assert!(flag("stream", stream).unwrap() && none.is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(matches!(fields("[]", ["model"]), Err(ScanError::NotJson { .. })));
        assert!(matches!(fields("{} x", ["model"]), Err(ScanError::NotJson { .. })));
        let twice = fields(r#"{"model":"a","model":"b"}"#, ["model"]).unwrap_err().to_string();
        assert!(twice.contains("the field `model` stands there twice"), "{twice}");
        assert!(matches!(text(b"\xff"), Err(ScanError::NotUtf8 { at: 0 })));
        assert_eq!(model(None), Err(ScanError::Missing { param: "model" }));
        let [found] = fields(r#"{"model":7}"#, ["model"]).unwrap();
        let error = model(found).unwrap_err().to_string();
        assert_eq!(error, "Invalid type for `model`: expected a string, but got a number instead.");
    }
}
