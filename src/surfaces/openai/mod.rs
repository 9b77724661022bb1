//! The OpenAI-compatible API, below `/v1` and without it: some clients add the version and some do not.

mod chat;
mod models;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    routing::{get, post},
};

use super::{Handles, identify::Identify};
use crate::engine::Engine;

/// What the handlers of this surface use.
#[derive(Clone)]
struct OpenAi {
    engine: Arc<Engine>,
    identify: Identify,
    keep_alive: Duration,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let state = OpenAi {
        engine: Arc::clone(&handles.engine),
        identify: identify.clone(),
        keep_alive: handles.keep_alive,
    };
    let api = Router::new()
        .route("/chat/completions", post(chat::complete))
        .route("/models", get(models::list))
        .route("/models/{*id}", get(models::one));
    Router::new().nest("/v1", api.clone()).merge(api).with_state(state)
}
