//! The way to the simulator without sockets. Some hosts are particular: see [`door`].

use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body_util::BodyExt;
use trivium::{
    outbound::{Body, Transport, TransportError, TransportFailure},
    simulator::Simulator,
};

pub(super) struct InProcess(pub(super) Simulator);

impl Transport for InProcess {
    fn call(
        &self,
        request: http::Request<Bytes>,
        _connect: Duration,
    ) -> BoxFuture<'static, Result<http::Response<Body>, TransportError>> {
        let simulator = self.0.clone();
        Box::pin(async move {
            match door(&request) {
                Door::Open => {}
                Door::Closed(status) => {
                    let body = Bytes::from_static(br#"{"error": {"message": "not here"}}"#);
                    return Ok(answer(http::Response::builder().status(status), body));
                }
                Door::Moved(location) => {
                    let head = http::Response::builder().status(308).header("location", location);
                    return Ok(answer(head, Bytes::new()));
                }
                Door::Absent => return Err(TransportError::bare(TransportFailure::Connect)),
                Door::Silent => std::future::pending().await,
            }
            let answer = simulator
                .call(request.map(axum::body::Body::from))
                .await
                .map_err(|_| TransportError::bare(TransportFailure::Broken))?;
            Ok(answer.map(|body| {
                body.map_err(|error| TransportError::new(TransportFailure::Broken, error)).boxed_unsync()
            }))
        })
    }
}

/// What a host does before the simulator hears of a request.
enum Door {
    Open,
    Closed(u16),
    Moved(&'static str),
    Absent,
    Silent,
}

/// Hosts that are particular about how they are asked.
fn door(request: &http::Request<Bytes>) -> Door {
    let (uri, headers) = (request.uri(), request.headers());
    let encrypted = uri.scheme_str() == Some("https");
    match uri.host().unwrap_or_default() {
        // Nobody listens there but in the open.
        "simulator.test" if encrypted => Door::Absent,
        // As most servers: everything is below one version.
        "versioned.test" if !uri.path().starts_with("/v1/") || uri.path().starts_with("/v1/v1/") => {
            Door::Closed(404)
        }
        "moved.test" => Door::Moved("http://simulator.test/v1/models"),
        "anthropic.test" if !headers.contains_key("anthropic-version") => Door::Closed(404),
        "bearer.test" if !headers.contains_key("authorization") => Door::Closed(401),
        "silent.test" => Door::Silent,
        _ => Door::Open,
    }
}

fn answer(head: http::response::Builder, body: Bytes) -> http::Response<Body> {
    let body = http_body_util::Full::new(body).map_err(|never| match never {}).boxed_unsync();
    head.body(body).unwrap()
}
