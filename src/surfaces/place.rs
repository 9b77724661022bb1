//! Where the hub is, as those know it who call it.

use std::sync::Arc;

use http::{HeaderMap, header};

use super::{Handles, front::without_port};

/// What the hub knows of its own address.
#[derive(Clone)]
pub(super) struct Place {
    public_url: Option<Arc<str>>,
}

impl Place {
    pub(super) fn new(handles: &Handles) -> Self {
        Self { public_url: handles.public_url.clone() }
    }

    /// The hub's address as this client knows it. Its `Host` was checked, so that it is one of the hub's names.
    pub(super) fn base(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        format!("http://{}", host.filter(|host| !without_port(host).is_empty()).unwrap_or("127.0.0.1:20128"))
    }
}
