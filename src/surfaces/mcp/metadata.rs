//! Where a client that has no key yet learns how to get in (RFC 9728). For everybody to read.

use std::sync::Arc;

use axum::{Json, Router, extract::State, http::HeaderMap, routing::get};
use http::header;
use operations::Scope;
use serde::Serialize;

use super::super::{Handles, front::without_port};

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

/// What the hub knows of its own address.
#[derive(Clone)]
pub(super) struct Place {
    public_url: Option<Arc<str>>,
    issuer: Option<Arc<str>>,
}

impl Place {
    pub(super) fn new(handles: &Handles) -> Self {
        Self { public_url: handles.public_url.clone(), issuer: handles.issuer.clone() }
    }

    /// The hub's address as this client knows it. Its `Host` was checked, so that it is one of the hub's names.
    pub(super) fn base(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.to_string();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        format!("http://{}", host.filter(|host| !without_port(host).is_empty()).unwrap_or("127.0.0.1:20128"))
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
