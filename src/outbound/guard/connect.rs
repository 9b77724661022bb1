//! One exchange over one connection to addresses that were checked. Nothing here resolves a name: the connector does not
//! even look at the one that it is given, which is for TLS alone.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, Uri,
    header::{ACCEPT, ACCEPT_ENCODING, HOST, USER_AGENT},
};
use http_body_util::Empty;
use hyper::{body::Incoming, client::conn::http1};
use hyper_rustls::{ConfigBuilderExt, HttpsConnectorBuilder};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinHandle};
use tower::{Service, ServiceExt};

use super::{FetchError, place::Place};

/// The hub names itself honestly.
pub(super) const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("trivium/", env!("CARGO_PKG_VERSION")));

/// For one address; then the next one is tried, within the time that the whole fetch has.
const CONNECT: Duration = Duration::from_secs(3);

/// An answer's head, and the connection that its body comes over.
pub(super) struct Exchange {
    pub(super) response: Response<Incoming>,
    /// Keep it until the body is read.
    pub(super) connection: Connection,
}

/// The task that moves the bytes; it ends with this value.
pub(super) struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How TLS is spoken: with the Mozilla roots built in, and without client certificates.
pub(super) fn tls() -> rustls::ClientConfig {
    rustls::ClientConfig::builder().with_webpki_roots().with_no_client_auth()
}

/// Asks for `place` at the first of `addresses` that answers a connection.
pub(super) async fn get(
    place: &Place,
    addresses: Vec<SocketAddr>,
    tls: rustls::ClientConfig,
) -> Result<Exchange, FetchError> {
    exchange(place, addresses, tls, request(place)?).await
}

/// Sends `request` for `place` to the first of `addresses` that answers a connection.
pub(super) async fn exchange<B>(
    place: &Place,
    addresses: Vec<SocketAddr>,
    tls: rustls::ClientConfig,
    request: Request<B>,
) -> Result<Exchange, FetchError>
where
    B: http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let origin: Uri = place.origin().parse().map_err(|_| FetchError::Malformed)?;
    let pinned = Pinned(addresses.into());
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(pinned);
    let stream = connector.oneshot(origin).await.map_err(|_| FetchError::Unreachable)?;
    let (mut sender, connection) = http1::handshake(stream).await.map_err(|_| FetchError::Unreachable)?;
    let connection = Connection(tokio::spawn(async move {
        // How it ended is told to the one who reads the answer.
        let _ended = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(|_| FetchError::Unreachable)?;
    Ok(Exchange { response, connection })
}

fn request(place: &Place) -> Result<Request<Empty<Bytes>>, FetchError> {
    Request::get(place.path())
        .header(HOST, place.authority())
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "*/*")
        .header(ACCEPT_ENCODING, "identity")
        .body(Empty::new())
        .map_err(|_| FetchError::Malformed)
}

/// Connects to its addresses, whatever it is asked for.
#[derive(Clone)]
struct Pinned(Arc<[SocketAddr]>);

impl Service<Uri> for Pinned {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let addresses = Arc::clone(&self.0);
        Box::pin(async move {
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for address in addresses.iter() {
                match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                    Ok(Ok(stream)) => return Ok(TokioIo::new(stream)),
                    Ok(Err(error)) => last = error,
                    Err(_) => last = io::ErrorKind::TimedOut.into(),
                }
            }
            Err(last)
        })
    }
}
