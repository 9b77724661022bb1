//! The way through a proxy: a connection to it, a few words, and then the connection is the target's. HTTP proxies are asked
//! with CONNECT for every target, encrypted or not; SOCKS5 proxies are given names, which they resolve.

mod connect;
mod socks;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};

/// A proxy. Two are the same when everything is, the password too, so that pools are not shared between accounts of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Proxy {
    /// How it is spoken to.
    pub scheme: ProxyScheme,
    /// Its host, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who asks, and the password.
    pub login: Option<(String, String)>,
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProxyScheme {
    /// CONNECT over TCP.
    Http,
    /// CONNECT over TLS.
    Https,
    /// SOCKS version 5 (RFC 1928, RFC 1929).
    Socks5,
}

impl fmt::Debug for Proxy {
    /// Without who asks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({:?} {}:{})", self.scheme, self.host, self.port)
    }
}

/// Goes with a request (as an extension of it) that is to be sent through a proxy.
#[derive(Debug, Clone)]
pub struct Via(pub Arc<Proxy>);

/// The proxy did not make the way.
#[derive(Debug)]
pub(super) struct ProxyFailed(String);

impl ProxyFailed {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for ProxyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ProxyFailed {}

/// What a connection through a proxy is made of.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Makes connections through one proxy.
#[derive(Clone)]
pub(super) struct ProxyConnector {
    proxy: Arc<Proxy>,
    leg: HttpsConnector<HttpConnector>,
}

impl ProxyConnector {
    pub(super) fn new(proxy: Arc<Proxy>) -> Self {
        let leg = HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(super::connector::tcp());
        Self { proxy, leg }
    }

    async fn open(self, to: Uri) -> Result<Stream, ProxyFailed> {
        let Self { proxy, leg } = self;
        let host = to.host().ok_or_else(|| ProxyFailed::new("the URL has no host"))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let usual = if to.scheme_str() == Some("https") { 443 } else { 80 };
        let port = to.port_u16().unwrap_or(usual);
        let stream = leg.oneshot(proxy.address()?).await;
        let stream =
            stream.map_err(|error| ProxyFailed::new(format!("it cannot be reached: {}", last(&*error))))?;
        let mut stream = TokioIo::new(stream);
        let login = proxy.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
        match proxy.scheme {
            ProxyScheme::Http | ProxyScheme::Https => connect::ask(&mut stream, host, port, login).await?,
            ProxyScheme::Socks5 => socks::ask(&mut stream, host, port, login).await?,
        }
        Ok(stream.into_inner())
    }
}

impl Proxy {
    /// Where it is, as the URL that a connection is made to.
    fn address(&self) -> Result<Uri, ProxyFailed> {
        let scheme = if self.scheme == ProxyScheme::Https { "https" } else { "http" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{scheme}://{host}:{}/", self.port)
            .parse()
            .map_err(|_| ProxyFailed::new("its address cannot be used"))
    }
}

impl Service<Uri> for ProxyConnector {
    type Response = Stream;
    type Error = ProxyFailed;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, ProxyFailed>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ProxyFailed>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        Box::pin(self.clone().open(to))
    }
}

/// The innermost cause: the one that says something.
fn last(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
