//! An answer on its way back: its body becomes frames, by a reader that knows what the bytes mean.

use std::sync::Arc;

use async_stream::try_stream;
use bytes::Bytes;
use canon::{Frame, Mark, UnaryError, sse};
use futures_util::{StreamExt, stream};
use http::{Response, StatusCode};

use super::{
    arrival::{self, Arrivals, Arrived, Kind},
    reported, words,
};
use crate::{
    engine::{
        fault::{Fault, FaultKind},
        ports::Frames,
        settings::Connection,
    },
    outbound::Body,
};

/// Makes frames of what arrives. Faults need no status; it is added.
pub(super) trait Reader: Send + 'static {
    /// One event of a stream.
    fn event(&mut self, event: Bytes) -> Result<Frame, Fault>;
    /// The end of a stream that did not end itself, and how its connection broke if it did.
    fn end(&mut self, broken: Option<Fault>) -> Result<Frame, Fault>;
    /// A unary answer.
    fn whole(&mut self, body: Bytes) -> Result<Frame, Fault>;
}

/// The frames of a good answer. Nothing in their faults is what the provider should not have said.
pub(super) fn frames(
    answer: Response<Body>,
    stream: bool,
    reader: impl Reader,
    connection: &Arc<Connection>,
) -> Result<Frames, Fault> {
    let status = answer.status();
    let frames = if stream { streamed(answer, reader)? } else { unary(answer, reader) };
    let connection = Arc::clone(connection);
    Ok(Box::pin(frames.map(move |frame| {
        frame.map_err(|fault| {
            let mut fault = fault.with_status(status);
            fault.message = words::clean(&fault.message, &connection);
            fault
        })
    })))
}

/// What a body that should be an answer, and is none, means.
pub(super) fn unary_fault(error: &UnaryError) -> Fault {
    match error {
        UnaryError::Empty => Fault::new(FaultKind::Malformed, "the answer was empty"),
        UnaryError::NotAnAnswer => {
            Fault::new(FaultKind::Malformed, "the answer was not in the promised format")
        }
        UnaryError::Reported(said) => {
            Fault::new(FaultKind::InStream, format!("answered with an error: {said}"))
        }
    }
}

/// The fault of a stream that reports one. Its class is the provider's, as far as it names one that is known.
pub(super) fn reported(event: &[u8], said: &str) -> Fault {
    let data = sse::data(event).unwrap_or_default();
    let kind = reported::kind(&data);
    Fault::new(kind, format!("reported an error in the stream: {said}"))
}

/// The fault of a stream with something other than JSON in it.
pub(super) fn garbage() -> Fault {
    Fault::new(FaultKind::Malformed, "the stream held something other than events in JSON")
}

/// The fault of a stream that is over and was no answer. `content` says whether any came.
pub(super) fn unfinished(content: bool) -> Fault {
    match content {
        true => Fault::new(FaultKind::Cut, "the stream ended before the answer was complete"),
        false => Fault::new(FaultKind::Malformed, "the stream was empty"),
    }
}

/// A unary answer is a stream of one frame.
fn unary(answer: Response<Body>, mut reader: impl Reader) -> Frames {
    Box::pin(stream::once(async move { reader.whole(arrival::whole(answer.into_body()).await?) }))
}

fn streamed(answer: Response<Body>, reader: impl Reader) -> Result<Frames, Fault> {
    match arrival::kind(&answer) {
        Kind::Page => Err(page(answer.status())),
        Kind::Json => Ok(not_streamed(answer.into_body(), reader)),
        Kind::Events => Ok(events(answer.into_body(), reader)),
    }
}

fn page(status: StatusCode) -> Fault {
    Fault::new(FaultKind::Malformed, "a page of HTML instead of a stream").with_status(status)
}

/// JSON where a stream was asked for: an error object, if anything.
fn not_streamed(body: Body, mut reader: impl Reader) -> Frames {
    Box::pin(stream::once(async move {
        let bytes = arrival::whole(body).await?;
        Err(match reader.whole(bytes) {
            Ok(_) => Fault::new(FaultKind::Malformed, "a unary answer instead of a stream"),
            Err(fault) => fault,
        })
    }))
}

fn events(body: Body, mut reader: impl Reader) -> Frames {
    Box::pin(try_stream! {
        let mut arrivals = Arrivals::new(body);
        loop {
            let frame = match arrivals.next().await? {
                Arrived::Event(event) => reader.event(event)?,
                // Taken if it is whole all the same; the end that follows has the last word.
                Arrived::Rest(event) => match reader.event(event) {
                    Ok(frame) => frame,
                    Err(_) => continue,
                },
                Arrived::End(broken) => {
                    yield reader.end(broken)?;
                    return;
                }
            };
            if frame.mark == Mark::End {
                // Before the frame is handed over: whoever gets the end does not ask for more.
                arrivals.drain();
                yield frame;
                return;
            }
            yield frame;
        }
    })
}
