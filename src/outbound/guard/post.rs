//! Posts what the hub has to tell to URLs that the operator wrote. They are trusted more than those of requests: any port,
//! and inner addresses where the operator says so; but names are resolved and checked here too, so that nobody who has a name's
//! zone leads the hub into its own network. Nothing is followed, and answers are not read.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, Request,
    header::{HOST, USER_AGENT},
};
use http_body_util::Full;

use super::{
    FetchError, Resolve, SystemResolver,
    address::{Class, class},
    connect,
    place::{Place, Where},
};

/// A way to post. Clones share it.
#[derive(Clone)]
pub struct GuardedPost(Arc<Guard>);

struct Guard {
    resolver: Box<dyn Resolve>,
    /// Made at the first use, as reading the root certificates takes a while.
    tls: OnceLock<rustls::ClientConfig>,
}

impl Default for GuardedPost {
    fn default() -> Self {
        Self::with(SystemResolver)
    }
}

impl GuardedPost {
    /// A guard with its own resolver.
    #[must_use]
    pub fn with(resolver: impl Resolve + 'static) -> Self {
        Self(Arc::new(Guard { resolver: Box::new(resolver), tls: OnceLock::new() }))
    }

    /// Posts `body` to `url` and answers the status. With `inner` addresses of this machine and its networks are reached
    /// too; link-local ones and those where clouds give credentials away never are.
    ///
    /// # Errors
    /// [`FetchError`]; a status is none.
    pub async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        inner: bool,
        limit: Duration,
    ) -> Result<u16, FetchError> {
        let place = Place::parse(url)?;
        let posting = self.0.post(&place, headers, body, inner);
        tokio::time::timeout(limit, posting).await.map_err(|_| FetchError::Timeout(limit))?
    }
}

impl Guard {
    async fn post(
        &self,
        place: &Place,
        headers: HeaderMap,
        body: Bytes,
        inner: bool,
    ) -> Result<u16, FetchError> {
        let addresses = self.check(place, inner).await?;
        let mut request = Request::post(place.path())
            .header(HOST, place.authority())
            .header(USER_AGENT, connect::AGENT)
            .body(Full::new(body))
            .map_err(|_| FetchError::Malformed)?;
        request.headers_mut().extend(headers);
        let tls = self.tls.get_or_init(connect::tls).clone();
        let exchange = connect::exchange(place, addresses, tls, request).await?;
        Ok(exchange.response.status().as_u16())
    }

    /// The addresses of a place, if all of them may be reached.
    async fn check(&self, place: &Place, inner: bool) -> Result<Vec<SocketAddr>, FetchError> {
        let addresses = match place.host() {
            Where::Address(address) => vec![*address],
            Where::Name(name) => self.resolver.resolve(name).await.map_err(|_| FetchError::Unresolved)?,
        };
        if addresses.is_empty() {
            return Err(FetchError::Unresolved);
        }
        let may = |address| match class(address) {
            Class::Public => true,
            Class::Inner => inner,
            Class::Reserved | Class::Metadata => false,
        };
        if !addresses.iter().copied().all(may) {
            return Err(FetchError::Forbidden);
        }
        Ok(addresses.into_iter().map(|address| SocketAddr::new(address, place.port)).collect())
    }
}
