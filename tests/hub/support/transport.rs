//! The way to the simulator without sockets.

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
