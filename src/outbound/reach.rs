//! Reaches another machine step by step and says how far that went: the name, the connection, TLS. Only for tests that a
//! person asks for; nothing is sent, and the connection is closed again.

use std::{
    future::{Ready, ready},
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::{Read, Write};
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{client::legacy::connect::Connection, rt::TokioIo};
use tokio::{net::TcpStream, time::Instant};
use tower::{Service, ServiceExt};

use super::{Proxy, TransportError, proxy::ProxyConnector};

/// One step on the way to another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// Which one.
    pub step: Step,
    /// What it took.
    pub took: Duration,
    /// What went wrong; `None`: nothing.
    pub error: Option<String>,
}

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The name has an address.
    Dns,
    /// The proxy made the way.
    Proxy,
    /// A connection stands.
    Tcp,
    /// The other side proves who it is.
    Tls,
}

impl Step {
    /// The step as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Proxy => "proxy",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Goes as far as it comes, each step within `limit`. The last step is the one that failed, if one did.
pub(super) async fn reach(uri: &Uri, via: Option<Arc<Proxy>>, limit: Duration) -> Vec<Reached> {
    let (Some(host), https) = (uri.host(), uri.scheme_str() == Some("https")) else {
        return vec![failed(Step::Dns, Duration::ZERO, "the URL has no host")];
    };
    let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let mut steps = Vec::with_capacity(3);
    if let Some(proxy) = via {
        let way = ProxyConnector::new(proxy).oneshot(uri.clone());
        let way = async { way.await.map_err(|error| error.to_string()) };
        let stream = timed(&mut steps, Step::Proxy, limit, way).await;
        if let Some(stream) = stream.filter(|_| https) {
            timed(&mut steps, Step::Tls, limit, handshake(uri, stream)).await;
        }
        return steps;
    }
    let Some(addresses) = timed(&mut steps, Step::Dns, limit, resolve(bare, port)).await else {
        return steps;
    };
    let Some(stream) = timed(&mut steps, Step::Tcp, limit, connect(addresses)).await else { return steps };
    if https {
        timed(&mut steps, Step::Tls, limit, handshake(uri, TokioIo::new(stream))).await;
    }
    steps
}

/// Takes one step and notes how it went.
async fn timed<T>(
    steps: &mut Vec<Reached>,
    step: Step,
    limit: Duration,
    work: impl Future<Output = Result<T, String>>,
) -> Option<T> {
    let began = Instant::now();
    let done = tokio::time::timeout(limit, work).await;
    let done = done.unwrap_or_else(|_| Err(format!("not within {} s", limit.as_secs_f32())));
    let took = began.elapsed();
    match done {
        Ok(value) => {
            steps.push(Reached { step, took, error: None });
            Some(value)
        }
        Err(error) => {
            steps.push(failed(step, took, &error));
            None
        }
    }
}

fn failed(step: Step, took: Duration, error: &str) -> Reached {
    Reached { step, took, error: Some(error.to_owned()) }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = tokio::net::lookup_host((host, port)).await.map_err(|error| error.to_string())?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err("the name has no address".to_owned()) } else { Ok(addresses) }
}

async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, String> {
    TcpStream::connect(addresses.as_slice()).await.map_err(|error| error.to_string())
}

async fn handshake<S>(uri: &Uri, stream: S) -> Result<(), String>
where
    S: Connection + Read + Write + Send + Unpin + 'static,
{
    let connector = HttpsConnectorBuilder::new()
        .with_webpki_roots()
        .https_only()
        .enable_http1()
        .wrap_connector(Standing(Some(stream)));
    let done = connector.oneshot(uri.clone()).await;
    done.map(drop).map_err(|error| TransportError::connecting(error).to_string())
}

/// A connection that stands already, handed out once.
struct Standing<S>(Option<S>);

impl<S> Service<Uri> for Standing<S> {
    type Response = S;
    type Error = io::Error;
    type Future = Ready<io::Result<S>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn steps(url: String) -> Vec<(&'static str, bool)> {
        let steps = reach(&url.parse().unwrap_or_default(), None, Duration::from_secs(5)).await;
        steps.iter().map(|one| (one.step.as_str(), one.error.is_none())).collect()
    }

    #[tokio::test]
    async fn says_which_step_failed() -> io::Result<()> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move {
            loop {
                drop(listener.accept().await);
            }
        });
        assert_eq!(steps(format!("http://127.0.0.1:{port}/v1")).await, [("dns", true), ("tcp", true)]);
        let tls = steps(format!("https://127.0.0.1:{port}/v1")).await;
        assert_eq!(tls, [("dns", true), ("tcp", true), ("tls", false)]);
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        assert_eq!(steps(format!("http://127.0.0.1:{closed}")).await, [("dns", true), ("tcp", false)]);
        assert_eq!(steps("http://no-such-host.invalid/".to_owned()).await, [("dns", false)]);
        Ok(())
    }
}
