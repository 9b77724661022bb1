//! Gemini's API, below `/v1beta` and below `/v1`: official SDKs use both. Model and verb stand in one path segment,
//! `models/{model}:{verb}`, and a model's name may have slashes and colons of its own.

mod generate;

use axum::{Router, routing::post};

use super::api::Api;

pub(super) fn routes(api: &Api) -> Router {
    Router::new()
        .route("/v1beta/models/{*id}", post(generate::call))
        .route("/v1/models/{*id}", post(generate::call))
        // The AI SDK takes an id with a slash for a path of its own: `/v1beta/groq/llama-3.3:generateContent`.
        .route("/v1beta/{provider}/{*model}", post(generate::call_below))
        .with_state(api.clone())
}
