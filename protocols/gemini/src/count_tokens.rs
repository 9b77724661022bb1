//! Token counts (`POST …/models/{model}:countTokens`).

use canon::{Facts, ScanError, scan as pick};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The path below a base URL.
#[must_use]
pub fn path(model: &str) -> String {
    crate::path::of(model, "countTokens")
}

/// Finds the facts of a request. It holds either `contents`, or a whole `generateContentRequest`.
///
/// # Errors
/// When the body is not a JSON object in UTF-8, or has nothing to count.
pub fn scan(body: &[u8], model: String) -> Result<Facts, ScanError> {
    let text = pick::text(body)?;
    let [contents, request, snake] =
        pick::fields(text, ["contents", "generateContentRequest", "generate_content_request"])?;
    if let Some(request) = request.or(snake) {
        if !request.get().starts_with('{') {
            return Err(pick::wrong_type("generateContentRequest", "an object", request));
        }
    } else if contents.is_none() {
        return Err(ScanError::Missing { param: "contents" });
    }
    Ok(Facts { model, ..Facts::default() })
}

/// The request for [`crate::generate::decode`]: what stands in `generateContentRequest`, where there is one, else the
/// body itself.
///
/// # Errors
/// When the body is not a JSON object in UTF-8.
pub fn generation(body: &[u8]) -> Result<&[u8], ScanError> {
    let text = pick::text(body)?;
    let [request, snake] = pick::fields(text, ["generateContentRequest", "generate_content_request"])?;
    Ok(request.or(snake).map_or(body, |raw: &RawValue| raw.get().as_bytes()))
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// Tokens of the prompt, cached ones included.
    #[serde(default)]
    pub total_tokens: u64,
    /// The part of them that comes from a cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_content_token_count: Option<u64>,
}

/// Reads an answer; `None` when it is none.
#[must_use]
pub fn read(body: &[u8]) -> Option<Count> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Wire {
        total_tokens: u64,
        #[serde(default)]
        cached_content_token_count: Option<u64>,
    }
    let wire: Wire = serde_json::from_slice(body).ok()?;
    Some(Count {
        total_tokens: wire.total_tokens,
        cached_content_token_count: wire.cached_content_token_count,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use super::*;

    #[test]
    fn both_kinds_of_request_are_taken() {
        assert_eq!(path("models/m"), "/models/m:countTokens");
        assert_eq!(scan(br#"{"contents":[]}"#, "m".into()).unwrap().model, "m");
        let whole = br#"{"generateContentRequest":{"model":"models/m","contents":[]}}"#;
        assert!(scan(whole, "m".into()).is_ok());
        assert_eq!(generation(whole).unwrap(), br#"{"model":"models/m","contents":[]}"#);
        assert_eq!(generation(br#"{"contents":[]}"#).unwrap(), br#"{"contents":[]}"#);
        assert_eq!(scan(b"{}", "m".into()), Err(ScanError::Missing { param: "contents" }));
        assert!(scan(br#"{"generateContentRequest":[]}"#, "m".into()).is_err());
    }

    #[test]
    fn the_count_is_read_and_written() {
        let body = br#"{"totalTokens":31,"promptTokensDetails":[{"modality":"TEXT","tokenCount":31}]}"#;
        let count = read(body).unwrap();
        assert_eq!(serde_json::to_string(&count).unwrap(), r#"{"totalTokens":31}"#);
        assert_eq!(read(br#"{"error":{}}"#), None);
    }
}
