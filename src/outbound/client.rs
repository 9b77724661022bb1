//! The real network: hyper's client with pools of kept-alive connections, one for each proxy and one for what needs none.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{
        Client as PooledClient, ResponseFuture,
        connect::{Connect, HttpConnector},
    },
    rt::{TokioExecutor, TokioTimer},
};

use super::{
    Body, Proxy, Reached, Transport, TransportError, TransportFailure, Via,
    connector::{self, Connector},
    proxy::ProxyConnector,
    reach,
};

/// How long an unused connection is kept. Shorter than what common servers grant (60 s and more),
/// so that it is us who close and not they, in the moment in which we send.
const IDLE: Duration = Duration::from_secs(45);

/// Unused connections kept per host; what is beyond is closed after its request.
const IDLE_PER_HOST: usize = 1024;

/// Proxies whose pools are kept. When more are in use, all pools begin anew; requests under way keep theirs.
const PROXIES: usize = 256;

/// A client for HTTP/1.1 over TCP and TLS.
#[derive(Default)]
pub struct Client {
    /// Made at the first use: reading the root certificates takes a while that a start should not wait for.
    pooled: OnceLock<Pool<HttpConnector>>,
    proxied: Mutex<HashMap<Arc<Proxy>, Pool<ProxyConnector>>>,
}

/// A pool of connections that are all made in one way.
struct Pool<C>(PooledClient<Connector<C>, Full<Bytes>>);

impl<C> Pool<C>
where
    Connector<C>: Connect + Clone + Send + Sync + 'static,
{
    fn over(way: C) -> Self {
        let client = PooledClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(Connector::over(way));
        Self(client)
    }

    fn send(&self, request: http::Request<Bytes>) -> ResponseFuture {
        self.0.request(request.map(Full::new))
    }
}

impl Client {
    /// A client with empty pools.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn through(&self, proxy: &Arc<Proxy>, request: http::Request<Bytes>) -> ResponseFuture {
        let mut pools = self.proxied.lock().unwrap_or_else(PoisonError::into_inner);
        if pools.len() >= PROXIES && !pools.contains_key(proxy) {
            pools.clear();
        }
        let way = || Pool::over(ProxyConnector::new(Arc::clone(proxy)));
        pools.entry(Arc::clone(proxy)).or_insert_with(way).send(request)
    }
}

impl Transport for Client {
    fn call(
        &self,
        mut request: http::Request<Bytes>,
        connect: Duration,
    ) -> BoxFuture<'static, Result<http::Response<Body>, TransportError>> {
        match request.extensions_mut().remove::<Via>() {
            None => {
                let pool = self.pooled.get_or_init(|| Pool::over(connector::tcp()));
                Box::pin(answered(pool.send(request), connect, false))
            }
            Some(Via(proxy)) => Box::pin(answered(self.through(&proxy, request), connect, true)),
        }
    }

    fn reach(&self, request: http::Request<()>, limit: Duration) -> BoxFuture<'static, Vec<Reached>> {
        Box::pin(async move {
            let via = request.extensions().get::<Via>().map(|via| Arc::clone(&via.0));
            reach::reach(request.uri(), via, limit).await
        })
    }
}

async fn answered(
    answer: ResponseFuture,
    connect: Duration,
    proxied: bool,
) -> Result<http::Response<Body>, TransportError> {
    let answer = connector::within(connect, answer).await.map_err(|error| {
        if error.is_connect() {
            let error = TransportError::connecting(error.into());
            if proxied { error.through_proxy() } else { error }
        } else {
            TransportError::new(TransportFailure::Broken, error)
        }
    })?;
    Ok(answer.map(|body| {
        body.map_err(|error| TransportError::new(TransportFailure::Broken, error)).boxed_unsync()
    }))
}
