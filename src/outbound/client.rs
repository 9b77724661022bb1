//! The real network: hyper's client with a pool of kept-alive connections.

use std::{sync::OnceLock, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::Client as PooledClient,
    rt::{TokioExecutor, TokioTimer},
};

use super::{Body, Reached, Transport, TransportError, TransportFailure, connector::Connector, reach};

/// How long an unused connection is kept. Shorter than what common servers grant (60 s and more),
/// so that it is us who close and not they, in the moment in which we send.
const IDLE: Duration = Duration::from_secs(45);

/// Unused connections kept per host; what is beyond is closed after its request.
const IDLE_PER_HOST: usize = 1024;

/// A client for HTTP/1.1 over TCP and TLS.
#[derive(Default)]
pub struct Client {
    /// Made at the first use: reading the root certificates takes a while that a start should not wait for.
    pooled: OnceLock<(PooledClient<Connector, Full<Bytes>>, Connector)>,
}

impl Client {
    /// A client with an empty pool.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn pooled(&self) -> &(PooledClient<Connector, Full<Bytes>>, Connector) {
        self.pooled.get_or_init(|| {
            let connector = Connector::new();
            let pooled = PooledClient::builder(TokioExecutor::new())
                .pool_idle_timeout(IDLE)
                .pool_max_idle_per_host(IDLE_PER_HOST)
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .build(connector.clone());
            (pooled, connector)
        })
    }
}

impl Transport for Client {
    fn call(
        &self,
        request: http::Request<Bytes>,
        connect: Duration,
    ) -> BoxFuture<'static, Result<http::Response<Body>, TransportError>> {
        let (client, connector) = self.pooled();
        connector.set_deadline(connect);
        let answer = client.request(request.map(Full::new));
        Box::pin(async move {
            let answer = answer.await.map_err(|error| {
                if error.is_connect() {
                    TransportError::connecting(error.into())
                } else {
                    TransportError::new(TransportFailure::Broken, error)
                }
            })?;
            Ok(answer.map(|body| {
                body.map_err(|error| TransportError::new(TransportFailure::Broken, error)).boxed_unsync()
            }))
        })
    }

    fn reach(&self, request: http::Request<()>, limit: Duration) -> BoxFuture<'static, Vec<Reached>> {
        Box::pin(async move { reach::reach(request.uri(), limit).await })
    }
}
