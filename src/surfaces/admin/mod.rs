//! The management API below `/api`: operations in the shape of REST.

mod keys;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{Handles, identify::Identify};
use crate::{
    engine::{code::Code, refusal::Refusal},
    ops::{self, OpError},
};

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

/// An operation's error as a refusal.
fn refused(error: &OpError) -> Refusal {
    let code = match error {
        OpError::Forbidden { .. } => Code::InsufficientScope,
        OpError::NotFound { .. } | OpError::Lost { .. } => Code::NotFound,
        OpError::TooLarge { .. } => Code::BodyTooLarge,
        OpError::Conflict(_) => Code::Conflict,
        OpError::Invalid(_) => Code::InvalidParameter,
        OpError::Store(_) | OpError::NoEntropy(_) => Code::Internal,
        OpError::Interrupted => Code::ShuttingDown,
    };
    let text = error.to_string();
    let mut message: String =
        text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect();
    message.push('.');
    let refusal = Refusal::new(code, message);
    match error {
        OpError::Invalid(invalid) => refusal.about(invalid.field),
        _ => refusal,
    }
}
