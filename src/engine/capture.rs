//! Whether a request is taken down word for word: only where the operator wants it, and never against its caller's wish.

use std::sync::Arc;

use super::{
    pipeline::Inbound,
    ports::{CaptureSink, Room, Tape},
    settings::Capture,
};

/// Where what is taken down goes.
pub(super) struct Captures {
    sink: Arc<dyn CaptureSink>,
    room: Arc<Room>,
}

impl Captures {
    /// Captures for this sink.
    #[must_use]
    pub(super) fn new(sink: Arc<dyn CaptureSink>) -> Self {
        Self { sink, room: Arc::default() }
    }

    /// A tape for a request, where it is to be taken down.
    #[must_use]
    pub(super) fn open(&self, inbound: &Inbound, settings: &Capture) -> Option<Arc<Tape>> {
        if !settings.enabled || inbound.caller.is_unlogged() {
            return None;
        }
        let (sink, room) = (Arc::clone(&self.sink), Arc::clone(&self.room));
        let request = &inbound.request;
        Some(Arc::new(Tape::new(sink, room, settings.payload_bytes, &request.headers, &request.body)))
    }
}
