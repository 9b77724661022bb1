//! The management API below `/api`: operations in the shape of REST.

mod keys;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{Handles, identify::Identify};
use crate::ops;

/// What the handlers of this surface use.
#[derive(Clone)]
struct Admin {
    identify: Identify,
    keys: Arc<ops::keys::Keys>,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let state = Admin { identify: identify.clone(), keys: Arc::clone(&handles.keys) };
    Router::new()
        .route("/api/keys", get(keys::list).post(keys::create))
        .route("/api/keys/{key}", axum::routing::delete(keys::revoke))
        .route("/api/keys/{key}/rotate", post(keys::rotate))
        .with_state(state)
}
