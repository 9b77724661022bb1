//! Who asks, and what the headers say about how.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    engine::caller::Caller,
    ops::{registry::Asked, skills},
};

/// Who asks.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) request: Arc<str>,
    /// The hub's address, as this client knows it.
    pub(super) base: Arc<str>,
    /// The last event of a stream that the client saw.
    pub(super) last_event: Option<u64>,
}

impl Visitor {
    /// The same for an operation.
    pub(super) fn asked(&self) -> Asked {
        Asked::new(self.caller.clone(), "a2a", Some(Arc::clone(&self.request)))
    }
}

/// What a header says, if it is text.
pub(super) fn said<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether the hub's extension is among those that a client lists.
pub(super) fn wants_extension(headers: &HeaderMap) -> bool {
    [a2a::version::EXTENSIONS_HEADER, a2a::version::EXTENSIONS_HEADER_V03]
        .into_iter()
        .filter_map(|name| said(headers, name))
        .any(|listed| a2a::version::extensions(listed).contains(&skills::EXTENSION))
}

/// Tells which extensions are in use, where the client asked for some that are.
pub(super) fn echo(headers: &mut HeaderMap) {
    for name in ["a2a-extensions", "x-a2a-extensions"] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(skills::EXTENSION));
    }
}
