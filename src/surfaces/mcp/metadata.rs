//! Where a client that has no key yet learns how to get in (RFC 9728). For everybody to read.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::HeaderMap, routing::get};
use operations::Scope;
use serde::Serialize;

use super::super::{Handles, place};

/// At the origin, and at the address of the server itself: clients look at either.
const PATHS: [&str; 2] =
    ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"];

#[derive(Serialize)]
struct Metadata {
    resource: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_servers: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: Vec<&'static str>,
    resource_name: &'static str,
}

/// Tells clients where to get in.
#[derive(Clone)]
pub(super) struct Place {
    hub: place::Place,
    issuer: Option<Arc<str>>,
}

impl Place {
    pub(super) fn new(handles: &Handles) -> Self {
        Self { hub: place::Place::new(handles), issuer: handles.issuer.clone() }
    }

    /// The hub's address as this client knows it.
    pub(super) fn base(&self, headers: &HeaderMap) -> String {
        self.hub.base(headers)
    }

    /// What a client is answered that has no key, or one that is not accepted.
    pub(super) fn challenge(&self, headers: &HeaderMap, sent: bool) -> String {
        let at = format!("{}{}", self.base(headers), PATHS[1]);
        let error = if sent { "error=\"invalid_token\", " } else { "" };
        format!("Bearer {error}resource_metadata=\"{at}\", scope=\"{}\"", Scope::ReadHealth)
    }
}

pub(super) fn routes(handles: &Handles) -> Router {
    let routes = PATHS.iter().fold(Router::new(), |router, path| router.route(path, get(metadata)));
    routes.with_state(Place::new(handles))
}

async fn metadata(State(place): State<Place>, headers: HeaderMap) -> Json<Metadata> {
    Json(Metadata {
        resource: format!("{}/mcp", place.base(&headers)),
        authorization_servers: place.issuer.iter().map(ToString::to_string).collect(),
        bearer_methods_supported: ["header"],
        scopes_supported: Scope::ALL.iter().map(|scope| scope.as_str()).collect(),
        resource_name: "Trivium",
    })
}
