//! Streams as server-sent events. The number of an event is its id there, so that a client that comes back says where it was.

use std::{convert::Infallible, time::Duration};

use a2a::model::StreamEvent;
use axum::response::{
    IntoResponse, Response,
    sse::{Event, KeepAlive, Sse},
};
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::ops::tasks::Numbered;

/// The stream of one thing that did not happen. It has no number.
pub(super) fn single(what: &Value) -> Response {
    let event = Ok::<_, Infallible>(Event::default().data(what.to_string()));
    Sse::new(futures_util::stream::iter([event])).into_response()
}

/// The answer that streams these events, each written by `write`.
pub(super) fn response(
    events: impl Stream<Item = Numbered> + Send + 'static,
    keep_alive: Duration,
    write: impl Fn(&StreamEvent) -> Value + Send + 'static,
) -> Response {
    let written = events.map(move |Numbered { seq, event }| {
        Ok::<_, Infallible>(Event::default().id(seq.to_string()).data(write(&event).to_string()))
    });
    let signs = KeepAlive::new().interval(keep_alive).text("still here");
    let mut response = Sse::new(written).keep_alive(signs).into_response();
    // Tells nginx and its like not to collect the stream before they pass it on.
    response
        .headers_mut()
        .insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}
