//! The OpenAI-compatible API, below `/v1` and without it: some clients add the version and some do not.

mod chat;
mod responses;
mod routes;

use axum::{
    Router,
    routing::{get, post},
};

use super::api::Api;

pub(super) fn routes(api: &Api) -> Router {
    let routes = Router::new()
        .route("/chat/completions", post(chat::complete))
        .route("/chat/completions/web-search", post(routes::web_search))
        .route("/chat/completions/stream-route", post(routes::stream_route))
        .route("/completions", post(chat::complete_text))
        .route("/embeddings", post(chat::embed))
        .route("/responses", get(responses::open).post(responses::create))
        .route("/responses/input_tokens", post(responses::input_tokens))
        .route("/responses/compact", post(responses::compact))
        .route("/responses/{id}", get(responses::retrieve).delete(responses::delete))
        .route("/responses/{id}/cancel", post(responses::cancel))
        .route("/responses/{id}/input_items", get(responses::input_items));
    Router::new().nest("/v1", routes.clone()).merge(routes).with_state(api.clone())
}
