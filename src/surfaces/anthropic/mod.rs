//! Anthropic's API: Messages and token counts below `/v1` and without it, and the question whether anybody is there.

mod messages;

use axum::{
    Router,
    http::StatusCode,
    routing::{head, post},
};

use super::api::Api;

pub(super) fn routes(api: &Api) -> Router {
    let routes = Router::new()
        .route("/messages", post(messages::create))
        .route("/messages/count_tokens", post(messages::count_tokens));
    Router::new()
        .nest("/v1", routes.clone())
        .merge(routes)
        // Clients ask this without a key before anything else, to see whether the address is right.
        .route("/api/hello", head(|| async { StatusCode::OK }).get(|| async { StatusCode::OK }))
        .with_state(api.clone())
}
