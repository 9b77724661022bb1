//! A connection that leaves HTTP for another protocol, to a server on this machine: one of its own, without TLS, proxies
//! or a pool.

use std::{io, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

use super::{TransportError, TransportFailure};

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// The largest refusal that is read.
const REFUSAL: usize = 64 * 1024;

/// What is left of a connection that has left HTTP.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection that has left HTTP.
pub struct Upgraded {
    /// The headers of the answer.
    pub headers: HeaderMap,
    /// The connection.
    pub stream: Box<dyn Duplex>,
}

/// Why a connection did not leave HTTP.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// There is no connection, or it broke.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The server does not want to.
    #[error("the server answered {status}")]
    Refused {
        /// What it answered.
        status: StatusCode,
        /// And said.
        body: Bytes,
    },
}

/// Sends `request`, whose URL names a server that speaks plain HTTP, over a connection of its own, which leaves HTTP when
/// the server says so. `connect` bounds the making of the connection.
///
/// # Errors
/// [`UpgradeError`].
pub async fn upgrade(request: Request<()>, connect: Duration) -> Result<Upgraded, UpgradeError> {
    let uri = request.uri();
    let (Some(host), Some(port)) = (uri.host(), uri.port_u16()) else {
        return Err(TransportError::bare(TransportFailure::Url).into());
    };
    let tcp = TcpStream::connect((host.trim_matches(['[', ']']), port));
    let tcp = tokio::time::timeout(connect, tcp)
        .await
        .map_err(|_| TransportError::bare(TransportFailure::ConnectTimeout))?
        .map_err(|error| TransportError::new(TransportFailure::Connect, error))?;
    // Small messages would wait for the acknowledgement of the ones before them.
    tcp.set_nodelay(true).map_err(broken)?;
    let request = outgoing(request)?;
    let answered = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(tcp)).await.map_err(broken)?;
        tokio::spawn(connection.with_upgrades());
        sender.send_request(request).await.map_err(broken)
    };
    let late = || TransportError::new(TransportFailure::Broken, io::Error::from(io::ErrorKind::TimedOut));
    let answer = tokio::time::timeout(ANSWER, answered).await.map_err(|_| late())??;
    if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(answer).await);
    }
    let headers = answer.headers().clone();
    let stream = hyper::upgrade::on(answer).await.map_err(broken)?;
    Ok(Upgraded { headers, stream: Box::new(TokioIo::new(stream)) })
}

fn broken(error: impl std::error::Error + Send + Sync + 'static) -> TransportError {
    TransportError::new(TransportFailure::Broken, error)
}

/// The request as a server wants it: the path alone, and the rest as `Host`.
fn outgoing(request: Request<()>) -> Result<Request<Empty<Bytes>>, TransportError> {
    let wrong = |_| TransportError::bare(TransportFailure::Url);
    let (mut parts, ()) = request.into_parts();
    let host = parts.uri.authority().map_or("", |authority| authority.as_str()).to_owned();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    parts.uri = path.parse().map_err(|_| TransportError::bare(TransportFailure::Url))?;
    parts.headers.insert(header::HOST, HeaderValue::try_from(host).map_err(wrong)?);
    Ok(Request::from_parts(parts, Empty::new()))
}

async fn refused(answer: Response<Incoming>) -> UpgradeError {
    let status = answer.status();
    let body = tokio::time::timeout(ANSWER, Limited::new(answer.into_body(), REFUSAL).collect()).await;
    let body = body.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes).unwrap_or_default();
    UpgradeError::Refused { status, body }
}
