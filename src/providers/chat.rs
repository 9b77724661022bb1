//! The chat dialect towards a provider that speaks it: the client's bytes go out with the edits of the closed
//! list, and the provider's bytes come back as frames.

use std::sync::Arc;

use async_stream::try_stream;
use bytes::{Bytes, BytesMut};
use canon::{Frame, Mark, Piece, UnaryError, Usage, sse::Splitter};
use futures_util::{FutureExt, StreamExt, stream};
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, USER_AGENT},
};
use http_body_util::BodyExt;
use openai::chat::{self, Changes};

use super::{Providers, refusal, words};
use crate::{
    engine::{
        fault::{Fault, FaultKind},
        ports::{Answer, Call, Frames},
        settings::{AuthStyle, Connection, Quirk},
    },
    outbound::{Body, TransportError, TransportFailure},
};

/// The hub names itself honestly.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("trivium/", env!("CARGO_PKG_VERSION")));

/// The largest unary answer that is taken, in bytes: images come inside of some.
const UNARY_LIMIT: usize = 64 * 1024 * 1024;

/// The largest single event of a stream, in bytes.
const EVENT_LIMIT: usize = 16 * 1024 * 1024;

/// How long a connection may take to end its answer after `[DONE]` before it is closed instead of reused.
const DRAIN: std::time::Duration = std::time::Duration::from_secs(1);

/// Sends a call and reads the head of the answer.
pub(super) async fn send(providers: &Providers, call: Call) -> Result<Answer, Fault> {
    let connection = &call.target.connection;
    let facts = &call.request.facts;
    let include_usage = !connection.provider.quirks.contains(&Quirk::NoStreamOptions);
    let changes = Changes { model: &call.target.model, include_usage };
    let (body, edits) = chat::apply(&call.request.body, facts, changes);
    let request = request(&call, body)?;
    let answer = providers
        .transport
        .call(request, call.timeouts.connect)
        .await
        .map_err(|error| unreachable_fault(&error))?;
    let (parts, body) = answer.into_parts();
    if !parts.status.is_success() {
        return Err(refusal::read(connection, &parts, body, providers.clock.now()).await);
    }
    let answer = Response::from_parts(parts, body);
    let frames = if facts.stream { streamed(answer, facts.wants_usage)? } else { unary(answer) };
    Ok(Answer { frames: clean(frames, Arc::clone(connection)), edits })
}

fn request(call: &Call, body: Bytes) -> Result<Request<Bytes>, Fault> {
    let connection = &call.target.connection;
    let broken =
        |what: &str| Fault::new(FaultKind::Unreachable, format!("the connection's {what} cannot be used"));
    let base = connection.endpoints.get(&call.target.dialect).ok_or_else(|| broken("base URL for chat"))?;
    let accept = if call.request.facts.stream { "text/event-stream" } else { "application/json" };
    let mut request = Request::post(format!("{base}{}", chat::PATH))
        .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
        .header(ACCEPT, HeaderValue::from_static(accept))
        .header(USER_AGENT, AGENT)
        .body(body)
        .map_err(|_| broken("base URL"))?;
    if let Some((name, value)) = credential(connection).ok_or_else(|| broken("key"))? {
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}

/// The header that carries the key: `Some(None)` where none is to be sent, `None` where the key fits into no header.
fn credential(connection: &Connection) -> Option<Option<(HeaderName, HeaderValue)>> {
    let Some(key) = &connection.credential else { return Some(None) };
    let (name, text) = match &connection.provider.auth {
        AuthStyle::None => return Some(None),
        AuthStyle::Bearer | AuthStyle::OptionalBearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
        AuthStyle::Header(name) => (HeaderName::try_from(name.as_str()).ok()?, key.expose().to_owned()),
    };
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(Some((name, value)))
}

fn unreachable_fault(error: &TransportError) -> Fault {
    let kind = match error.failure {
        TransportFailure::ConnectTimeout => FaultKind::TimedOut(crate::engine::fault::Stage::Connect),
        _ => FaultKind::Unreachable,
    };
    Fault::new(kind, error.to_string())
}

/// The same frames, with nothing in their faults that the provider should not have said.
fn clean(frames: Frames, connection: Arc<Connection>) -> Frames {
    Box::pin(frames.map(move |frame| {
        frame.map_err(|mut fault| {
            fault.message = words::clean(&fault.message, &connection);
            fault
        })
    }))
}

/// A unary answer is a stream of one frame.
fn unary(answer: Response<Body>) -> Frames {
    let status = answer.status();
    Box::pin(stream::once(async move {
        let bytes = collect(answer.into_body()).await?;
        let usage = chat::read_unary(&bytes).map_err(|error| unary_fault(&error).with_status(status))?;
        Ok(Frame { bytes, mark: Mark::End, usage })
    }))
}

fn unary_fault(error: &UnaryError) -> Fault {
    match error {
        UnaryError::Empty => Fault::new(FaultKind::Malformed, "the answer was empty"),
        UnaryError::NotAnAnswer => {
            Fault::new(FaultKind::Malformed, "the answer was not a chat completion in JSON")
        }
        UnaryError::Reported(said) => {
            Fault::new(FaultKind::InStream, format!("answered with an error: {said}"))
        }
    }
}

async fn collect(mut body: Body) -> Result<Bytes, Fault> {
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| cut(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + joined.len() + data.len() > UNARY_LIMIT {
            return Err(Fault::new(
                FaultKind::Malformed,
                format!("the answer was larger than {UNARY_LIMIT} bytes"),
            ));
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

fn cut(error: &TransportError) -> Fault {
    Fault::new(FaultKind::Cut, format!("the answer broke off: {error}"))
}

/// A streamed answer, event by event. What its bytes are decides, not what its content type says, save
/// for a page of HTML, which is never an answer.
fn streamed(answer: Response<Body>, wants_usage: bool) -> Result<Frames, Fault> {
    let content_type =
        answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let status = answer.status();
    if content_type.starts_with("text/html") {
        return Err(
            Fault::new(FaultKind::Malformed, "a page of HTML instead of a stream").with_status(status)
        );
    }
    let is_json = content_type.starts_with("application/json");
    let body = answer.into_body();
    Ok(if is_json { not_streamed(body, status) } else { events(body, status, wants_usage) })
}

/// JSON where a stream was asked for: an error object, if anything.
fn not_streamed(body: Body, status: StatusCode) -> Frames {
    Box::pin(stream::once(async move {
        let bytes = collect(body).await?;
        let fault = match chat::read_unary(&bytes) {
            Ok(_) => Fault::new(FaultKind::Malformed, "a unary answer instead of a stream"),
            Err(error) => unary_fault(&error),
        };
        Err(fault.with_status(status))
    }))
}

fn events(mut body: Body, status: StatusCode, wants_usage: bool) -> Frames {
    Box::pin(try_stream! {
        let mut reader = Reader { wants_usage, ..Reader::default() };
        let mut splitter = Splitter::default();
        while let Some(packet) = body.frame().await {
            let Ok(packet) = packet.map_err(|error| reader.broken = Some(cut(&error))) else { break };
            let Ok(data) = packet.into_data() else { continue };
            splitter.push(data);
            while let Some(event) = splitter.next_event() {
                let frame = reader.read(event).map_err(|fault| fault.with_status(status))?;
                if frame.mark == Mark::End {
                    // Before the frame is handed over: whoever gets the end does not ask for more.
                    drain(body);
                    yield frame;
                    return;
                }
                yield frame;
            }
            if splitter.pending() > EVENT_LIMIT {
                Err(Fault::new(FaultKind::Malformed, format!("an event larger than {EVENT_LIMIT} bytes")))?;
            }
        }
        if let Some(event) = splitter.rest() && let Some(frame) = reader.read_rest(&event) {
            let ended = frame.mark == Mark::End;
            yield frame;
            if ended {
                return;
            }
        }
        yield reader.end().map_err(|fault| fault.with_status(status))?;
    })
}

/// Lets the rest of a finished answer arrive, so that its connection can be used again.
fn drain(mut body: Body) {
    if let Some(None) = body.frame().now_or_never() {
        return;
    }
    tokio::spawn(tokio::time::timeout(DRAIN, async move { while let Some(Ok(_)) = body.frame().await {} }));
}

/// What has been read of a stream so far.
#[derive(Default)]
struct Reader {
    wants_usage: bool,
    /// Whether anything came that a client would call an answer.
    content: bool,
    /// Whether a chunk said why the answer finished.
    finished: bool,
    /// How the connection broke, if it did.
    broken: Option<Fault>,
}

impl Reader {
    fn read(&mut self, event: Bytes) -> Result<Frame, Fault> {
        let (bytes, mark, usage): (Bytes, Mark, Option<Usage>) = match chat::read_event(&event) {
            Piece::Nothing => (Bytes::new(), Mark::Empty, None),
            Piece::Done if !self.content => {
                return Err(Fault::new(FaultKind::Malformed, "the stream was empty"));
            }
            Piece::Done => (event, Mark::End, None),
            Piece::Error(said) => {
                return Err(Fault::new(
                    FaultKind::InStream,
                    format!("reported an error in the stream: {said}"),
                ));
            }
            Piece::Garbage => {
                return Err(Fault::new(
                    FaultKind::Malformed,
                    "the stream held something other than chunks in JSON",
                ));
            }
            Piece::Chunk { mark, usage, finished, usage_only } => {
                self.content |= mark == Mark::Content;
                self.finished |= finished;
                let unasked = usage_only && !self.wants_usage;
                (if unasked { Bytes::new() } else { event }, mark, usage)
            }
        };
        Ok(Frame { bytes, mark, usage })
    }

    /// An event that the end of the stream cut short: taken if it is whole all the same.
    fn read_rest(&mut self, event: &[u8]) -> Option<Frame> {
        let mut whole = BytesMut::from(event);
        whole.extend_from_slice(b"\n\n");
        self.read(whole.freeze()).ok()
    }

    /// The end of a stream that did not end itself. One that said why it finished is complete; its
    /// missing `[DONE]` is supplied, since clients wait for it.
    fn end(self) -> Result<Frame, Fault> {
        if self.finished {
            return Ok(Frame { bytes: Bytes::from_static(chat::DONE), mark: Mark::End, usage: None });
        }
        Err(self.broken.unwrap_or_else(|| match self.content {
            true => Fault::new(FaultKind::Cut, "the stream ended before the answer was complete"),
            false => Fault::new(FaultKind::Malformed, "the stream was empty"),
        }))
    }
}

#[cfg(test)]
mod tests;
