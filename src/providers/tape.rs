//! Has what goes to a provider and comes back taken down, where the operator wants it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;

use crate::{
    engine::ports::{Call, Tape},
    outbound::Body,
};

/// One attempt that is taken down.
pub(super) struct Taping {
    tape: Arc<Tape>,
    attempt: u32,
}

/// Takes down what is sent, if it is to be.
pub(super) fn sent(call: &Call, request: &Request<Bytes>) -> Option<Taping> {
    let tape = Arc::clone(call.tape.as_ref()?);
    let attempt = tape.sent(request.uri().to_string(), request.headers(), request.body());
    Some(Taping { tape, attempt })
}

impl Taping {
    /// Takes down what comes back, while it is read.
    pub(super) fn answered(self, answer: Response<Body>) -> Response<Body> {
        let Self { tape, attempt } = self;
        tape.answered(attempt, answer.status().as_u16(), answer.headers());
        answer.map(|body| {
            let heard = move |frame: http_body::Frame<Bytes>| {
                if let Some(bytes) = frame.data_ref() {
                    tape.heard(attempt, bytes);
                }
                frame
            };
            body.map_frame(heard).boxed_unsync()
        })
    }
}
