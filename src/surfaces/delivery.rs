//! Gives a client its answer: in one piece, or in the pieces and with the signs of life of its dialect.

use std::convert::Infallible;

use async_stream::stream;
use axum::{body::Body, response::Response};
use bytes::{Bytes, BytesMut};
use canon::{Dialect, sse};
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, header};

use super::{front::Ids, render};
use crate::engine::{
    pipeline::{Piece, Pieces},
    refusal::Refusal,
};

/// How a stream is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As server-sent events.
    Events,
    /// As a JSON array that grows: Gemini's streams without `alt=sse`.
    Array,
}

/// A comment: SSE clients pass over it, and nobody on the way takes the connection for dead.
const COMMENT: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// Anthropic's own sign of life, which its clients know.
const PING: Bytes = Bytes::from_static(b"event: ping\ndata: {\"type\": \"ping\"}\n\n");

/// An answer that streams.
pub(super) fn streamed(pieces: Pieces, ids: Ids, topology: bool, form: Form) -> Response {
    let body = match form {
        Form::Events => Body::from_stream(events(pieces, ids, topology)),
        Form::Array => Body::from_stream(array(pieces, ids, topology)),
    };
    let content_type = match form {
        Form::Events => "text/event-stream; charset=utf-8",
        Form::Array => "application/json; charset=utf-8",
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Tells nginx and its like not to collect the stream before they pass it on.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn events(pieces: Pieces, ids: Ids, topology: bool) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let mut sent = 0;
    pieces.map(move |piece| {
        Ok(match piece {
            Piece::Bytes(bytes) => {
                if ids.dialect == Dialect::Responses {
                    sent += count(&bytes);
                }
                bytes
            }
            Piece::KeepAlive => match ids.dialect {
                Dialect::Chat | Dialect::Responses => COMMENT,
                Dialect::Messages => PING,
                // Gemini's clients take a comment for a broken event.
                Dialect::Gemini => Bytes::new(),
            },
            Piece::Broke(refusal) => {
                ids.note_broken();
                render::event(&refusal, &ids, topology, sent)
            }
        })
    })
}

/// How many events there are in these bytes: Responses numbers them, and an error must go on counting.
fn count(bytes: &[u8]) -> u64 {
    let lines = bytes.split(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"data:")).count() as u64
}

fn array(
    mut pieces: Pieces,
    ids: Ids,
    topology: bool,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    stream! {
        let mut splitter = sse::Splitter::default();
        let mut first = true;
        while let Some(piece) = pieces.next().await {
            match piece {
                Piece::Bytes(bytes) => splitter.push(bytes),
                Piece::KeepAlive => continue,
                Piece::Broke(refusal) => {
                    ids.note_broken();
                    splitter.push(render::event(&refusal, &ids, topology, 0));
                }
            }
            let mut items = BytesMut::new();
            while let Some(event) = splitter.next_event() {
                let Some(data) = gemini::generate::data(&event) else { continue };
                items.extend_from_slice(if std::mem::take(&mut first) { b"[" } else { b",\r\n" });
                items.extend_from_slice(&data);
            }
            yield Ok(items.freeze());
        }
        yield Ok(Bytes::from_static(if first { b"[]" } else { b"]\r\n" }));
    }
}

/// A unary answer is the fold of its pieces.
///
/// # Errors
/// When it broke.
pub(super) async fn whole(mut pieces: Pieces) -> Result<Bytes, Refusal> {
    let mut whole = Bytes::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(bytes) if whole.is_empty() => whole = bytes,
            Piece::Bytes(bytes) => {
                let mut joined = BytesMut::from(&whole[..]);
                joined.extend_from_slice(&bytes);
                whole = joined.freeze();
            }
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => return Err(*refusal),
        }
    }
    Ok(whole)
}

/// A response with a body in JSON.
pub(super) fn json(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
