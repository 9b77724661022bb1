//! Who asks: where each vendor looks for the key, and what it says when there is none.

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use serde_json::json;

use super::Simulator;
use super::problem::{Problem, Voice};
use super::route::query_value;
use super::script::Behaviour;

/// One request's key and vendor.
#[derive(Clone, Debug, Default)]
pub(super) struct Credentials {
    bearer: Option<String>,
    anthropic: Option<String>,
    google: Option<String>,
}

impl Credentials {
    /// All keys that a request carries.
    pub(super) fn of(parts: &Parts) -> Self {
        let header = |name| parts.headers.get(name)?.to_str().ok().map(|key: &str| key.trim().to_owned());
        let set = |key: &String| !key.is_empty();
        let query = parts.uri.query().and_then(|query| query_value(query, "key"));
        Self {
            bearer: bearer(&parts.headers).map(str::to_owned),
            anthropic: header("x-api-key").filter(set),
            google: header("x-goog-api-key").or(query).filter(set),
        }
    }

    /// The key, where this vendor looks for it.
    pub(super) fn key(&self, voice: Voice) -> Option<&str> {
        match voice {
            Voice::Openai => self.bearer.as_deref(),
            Voice::Anthropic => self.anthropic.as_deref().or(self.bearer.as_deref()),
            Voice::Gemini => self.google.as_deref(),
        }
    }
}

impl Simulator {
    /// Who asks, and how they are to be served.
    pub(super) fn known_key(&self, parts: &Parts, voice: Voice) -> Result<(String, Behaviour), Problem> {
        let credentials = Credentials::of(parts);
        let key = credentials.key(voice);
        if key.is_none() && self.world.script().require_key {
            return Err(keyless(voice));
        }
        let key = key.unwrap_or("");
        if self.is_live_token(key) == Some(false) {
            return Err(ended(voice));
        }
        let behaviour = self.world.behaviour(key).map_err(|problem| misnamed(problem, voice))?;
        if voice == Voice::Anthropic && !parts.headers.contains_key("anthropic-version") {
            return Err(Problem::invalid("anthropic-version: header is required"));
        }
        Ok((key.to_owned(), behaviour))
    }
}

/// An access token that has ended.
fn ended(voice: Voice) -> Problem {
    let refused = "Your authentication token has expired. Please try signing in again.";
    let problem = Problem::new(401, refused, "invalid_request_error", None, Some("token_expired"));
    if voice == Voice::Gemini { misnamed(problem, voice) } else { problem }
}

fn keyless(voice: Voice) -> Problem {
    let (status, message) = match voice {
        Voice::Openai => (
            401,
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer \
             auth (i.e. Authorization: Bearer YOUR_KEY).",
        ),
        Voice::Anthropic => (401, "x-api-key header is required"),
        Voice::Gemini => (
            403,
            "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or \
             other form of API consumer identity to call this API.",
        ),
    };
    Problem::new(status, message, "invalid_request_error", None, Some("invalid_api_key"))
}

/// A key that means nothing. Google takes it for a slip in the request.
fn misnamed(problem: Problem, voice: Voice) -> Problem {
    if voice != Voice::Gemini {
        return problem;
    }
    let message = format!("API key not valid. Please pass a valid API key. ({})", problem.message);
    Problem::invalid(message).detail(json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(key.trim()).filter(|key| scheme.eq_ignore_ascii_case("bearer") && !key.is_empty())
}
