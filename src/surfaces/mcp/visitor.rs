//! Who asks, and by which transport.

use std::sync::Arc;

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer,
    model::{Extensions, ProtocolVersion},
    service::RequestContext,
};

use crate::engine::caller::Caller;

/// Who asks. Identity comes from the connection alone and is never an argument.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) caller: Caller,
    /// `http`, `sse` or `stdio`.
    pub(super) transport: &'static str,
    /// The session, in the revisions that have any.
    pub(super) session: Option<Arc<str>>,
    /// The hub's id of the HTTP request.
    pub(super) request: Option<Arc<str>>,
    /// The profile of tools that the client wants listed.
    pub(super) profile: Option<crate::engine::settings::ToolProfile>,
}

/// One request of a visitor.
pub(super) struct Asking {
    pub(super) visitor: Visitor,
    pub(super) context: RequestContext<RoleServer>,
}

impl Asking {
    /// Whether the request is of a revision in which each stands for itself (2026-07-28 and later).
    pub(super) fn is_stateless(&self) -> bool {
        let version = self.context.protocol_version();
        // Revisions are named by their days.
        version.is_some_and(|version| version.as_str() >= ProtocolVersion::V_2026_07_28.as_str())
    }
}

impl Visitor {
    /// Whom the door noted with the HTTP request that a message came in.
    pub(super) fn of(extensions: &Extensions) -> Option<&Self> {
        extensions.get::<Parts>().and_then(|parts| parts.extensions.get())
    }
}

/// What cannot happen behind the door.
pub(super) fn nobody() -> ErrorData {
    ErrorData::internal_error("it is not known who asks", None)
}
