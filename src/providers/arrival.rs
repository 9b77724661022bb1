//! The body of an answer as it arrives: whole, or event by event. What the bytes mean is the business of others.

use bytes::{Bytes, BytesMut};
use canon::sse::Splitter;
use futures_util::FutureExt;
use http::{Response, header::CONTENT_TYPE};
use http_body_util::BodyExt;

use crate::{
    engine::fault::{Fault, FaultKind},
    outbound::{Body, TransportError},
};

/// The largest unary answer that is taken, in bytes: images come inside of some.
const UNARY_LIMIT: usize = 64 * 1024 * 1024;

/// The largest single event of a stream, in bytes.
const EVENT_LIMIT: usize = 16 * 1024 * 1024;

/// How long a connection may take to end its answer after the last event before it is closed instead of reused.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// What an answer to a request for a stream turned out to be.
pub(super) enum Kind {
    /// Events.
    Events,
    /// JSON: an error object, if anything.
    Json,
    /// A page of HTML, which is never an answer.
    Page,
}

/// What an answer is. What its bytes are decides, not what its content type says, save for these two.
pub(super) fn kind(answer: &Response<Body>) -> Kind {
    let content_type =
        answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if content_type.starts_with("text/html") {
        return Kind::Page;
    }
    if content_type.starts_with("application/json") { Kind::Json } else { Kind::Events }
}

/// The whole body.
pub(super) async fn whole(mut body: Body) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| cut(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + joined.len() + data.len() > UNARY_LIMIT {
            let text = format!("the answer was larger than {UNARY_LIMIT} bytes");
            return Err(Fault::new(FaultKind::Malformed, text));
        }
        // Most answers arrive in one piece, which is then handed on without a copy.
        if first.is_empty() && joined.is_empty() {
            first = data;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut first));
            joined.extend_from_slice(&data);
        }
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

/// One thing that arrives of a stream.
pub(super) enum Arrived {
    /// A whole event, its blank line included.
    Event(Bytes),
    /// The last event, which the end of the stream cut short of its blank line.
    Rest(Bytes),
    /// The end, and how the connection broke if it did.
    End(Option<Fault>),
}

/// A stream as it arrives.
pub(super) struct Arrivals {
    body: Body,
    splitter: Splitter,
    /// Whether the body is over, and how it broke if it did.
    over: Option<Option<Fault>>,
}

impl Arrivals {
    /// The arrivals of a body.
    pub(super) fn new(body: Body) -> Self {
        Self { body, splitter: Splitter::default(), over: None }
    }

    /// What comes next. After an end there is nothing to ask for.
    pub(super) async fn next(&mut self) -> Result<Arrived, Fault> {
        loop {
            if let Some(event) = self.splitter.next_event() {
                return Ok(Arrived::Event(event));
            }
            if self.splitter.pending() > EVENT_LIMIT {
                let text = format!("an event larger than {EVENT_LIMIT} bytes");
                return Err(Fault::new(FaultKind::Malformed, text));
            }
            if let Some(broken) = &mut self.over {
                let Some(rest) = self.splitter.rest() else { return Ok(Arrived::End(broken.take())) };
                let mut whole = BytesMut::from(&rest[..]);
                whole.extend_from_slice(b"\n\n");
                return Ok(Arrived::Rest(whole.freeze()));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.splitter.push(data);
                    }
                }
                Some(Err(error)) => self.over = Some(Some(cut(&error))),
                None => self.over = Some(None),
            }
        }
    }

    /// Lets the rest of a finished answer arrive, so that its connection can be used again.
    pub(super) fn drain(self) {
        let mut body = self.body;
        if self.over.is_some() || matches!(body.frame().now_or_never(), Some(None)) {
            return;
        }
        tokio::spawn(tokio::time::timeout(
            DRAIN,
            async move { while let Some(Ok(_)) = body.frame().await {} },
        ));
    }
}

fn cut(error: &TransportError) -> Fault {
    Fault::new(FaultKind::Cut, error.to_string())
}
