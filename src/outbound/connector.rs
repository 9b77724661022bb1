//! Makes connections: TCP with Nagle's algorithm off (a 40 ms pause per request otherwise), TLS by rustls
//! with the Mozilla roots built in, and a deadline that each request brings along.

use std::{
    fmt,
    future::Future,
    pin::Pin,
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

/// How long a connection may take where nobody says.
const USUAL: Duration = Duration::from_secs(10);

tokio::task_local! {
    /// How long the connection of the request that is being polled may take. hyper's client hands a URL to the connector and
    /// nothing else, but begins to connect while its request is polled.
    static DEADLINE: Duration;
}

/// Polls a request whose connection, if it needs a new one, must stand in so long. Each request brings its own: those to
/// providers, to login servers and of telemetry share their pools.
pub(super) async fn within<T>(deadline: Duration, request: impl Future<Output = T>) -> T {
    DEADLINE.scope(deadline, request).await
}

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

/// A connector with the deadline of the request that it connects for.
#[derive(Clone)]
pub(super) struct Connector<C = HttpConnector>(HttpsConnector<C>);

impl<C> Connector<C> {
    /// TLS, where the URL wants it, over what `way` gives.
    pub(super) fn over(way: C) -> Self {
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
        Self(connector.wrap_connector(way))
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
        self.0.poll_ready(cx)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        let deadline = DEADLINE.try_with(|deadline| *deadline).unwrap_or(USUAL);
        Box::pin(async move {
            tokio::time::timeout(deadline, connecting).await.map_err(|_| ConnectTimedOut(deadline))?
        })
    }
}
