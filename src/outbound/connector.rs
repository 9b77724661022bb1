//! Makes connections: TCP with Nagle's algorithm off (a 40 ms pause per request otherwise), TLS by rustls
//! with the Mozilla roots built in, and a deadline that each request brings along.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use tower::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Connecting<S> = Pin<Box<dyn Future<Output = Result<MaybeHttpsStream<S>, BoxError>> + Send>>;

/// No connection stood in time.
#[derive(Debug)]
pub(super) struct ConnectTimedOut(Duration);

impl fmt::Display for ConnectTimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not within {} s", self.0.as_secs_f32())
    }
}

impl std::error::Error for ConnectTimedOut {}

/// TCP as all connections want it.
pub(super) fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.enforce_http(false);
    tcp.set_keepalive(Some(Duration::from_secs(60)));
    tcp
}

/// A connector with a deadline that can be changed while it is in use.
#[derive(Clone)]
pub(super) struct Connector<C = HttpConnector> {
    inner: HttpsConnector<C>,
    deadline: Arc<AtomicU64>,
}

impl<C> Connector<C> {
    /// TLS, where the URL wants it, over what `way` gives.
    pub(super) fn over(way: C) -> Self {
        let inner = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(way);
        Self { inner, deadline: Arc::new(AtomicU64::new(10_000)) }
    }

    /// The deadline for connections that are made from now on. The connector is shared by all requests, which
    /// all read it from the same settings, so that the last one to set it is right for the others too.
    pub(super) fn set_deadline(&self, deadline: Duration) {
        self.deadline.store(deadline.as_millis().try_into().unwrap_or(u64::MAX), Ordering::Relaxed);
    }
}

impl<C> Service<Uri> for Connector<C>
where
    C: Service<Uri>,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = MaybeHttpsStream<C::Response>;
    type Error = BoxError;
    type Future = Connecting<C::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.inner.call(to);
        let deadline = Duration::from_millis(self.deadline.load(Ordering::Relaxed));
        Box::pin(async move {
            tokio::time::timeout(deadline, connecting).await.map_err(|_| ConnectTimedOut(deadline))?
        })
    }
}
