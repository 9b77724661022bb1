//! Fetches what a URL of a request names, without letting the request choose an address inside of the operator's
//! network: names are resolved here, every address is checked, and only checked addresses are connected to. Nothing
//! of the hub goes along: no credentials, no cookies, and proxies of the environment are not asked.

mod address;
mod allow;
mod connect;
mod error;
mod place;
mod post;
#[cfg(test)]
mod tests;

pub use allow::{AllowError, AllowList};
pub use error::FetchError;
pub use post::GuardedPost;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, LOCATION};
use http_body_util::BodyExt;
use tokio::sync::Semaphore;

use allow::Verdict;
use connect::Exchange;
use place::{Place, Where};

/// Fetches at once, over all requests: each may hold a whole medium in memory. Others wait, within their time.
const AT_ONCE: usize = 32;

/// Something that can fetch a medium by its URL: the guarded network, or a stand-in within the process.
pub trait Fetch: Send + Sync {
    /// Fetches `url`, which came from a request and is not trusted.
    fn fetch(&self, url: &str) -> BoxFuture<'static, Result<Fetched, FetchError>>;
}

/// What stood behind a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The bytes.
    pub bytes: Bytes,
    /// What the server calls them; not checked.
    pub content_type: Option<String>,
}

/// How much of everything one fetch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchLimits {
    /// From the call to the last byte.
    pub time: Duration,
    /// Of the body, in bytes.
    pub bytes: usize,
    /// Redirects that are followed.
    pub redirects: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { time: Duration::from_secs(10), bytes: 20_000_000, redirects: 3 }
    }
}

/// Something that knows the addresses of host names.
pub trait Resolve: Send + Sync {
    /// All addresses of `host`.
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// The guarded network. Clones share their bounds.
#[derive(Clone)]
pub struct GuardedFetch(Arc<Guard>);

struct Guard {
    allow: AllowList,
    limits: FetchLimits,
    resolver: Box<dyn Resolve>,
    permits: Semaphore,
    /// Made at the first use, as reading the root certificates takes a while.
    tls: OnceLock<rustls::ClientConfig>,
}

/// Addresses that passed.
struct Checked {
    addresses: Vec<SocketAddr>,
    /// Whether all are public, so that what they answer is nobody's secret.
    public: bool,
}

impl GuardedFetch {
    /// A guard with the usual limits. `allow` names what may be reached beyond the public internet.
    #[must_use]
    pub fn new(allow: AllowList) -> Self {
        Self::with(allow, FetchLimits::default(), SystemResolver)
    }

    /// A guard with its own limits and resolver.
    #[must_use]
    pub fn with(allow: AllowList, limits: FetchLimits, resolver: impl Resolve + 'static) -> Self {
        let permits = Semaphore::new(AT_ONCE);
        Self(Arc::new(Guard { allow, limits, resolver: Box::new(resolver), permits, tls: OnceLock::new() }))
    }
}

impl Fetch for GuardedFetch {
    fn fetch(&self, url: &str) -> BoxFuture<'static, Result<Fetched, FetchError>> {
        let guard = Arc::clone(&self.0);
        let place = Place::parse(url);
        Box::pin(async move {
            let limit = guard.limits.time;
            let fetching = tokio::time::timeout(limit, guard.follow(place?));
            fetching.await.map_err(|_| FetchError::Timeout(limit))?
        })
    }
}

impl Guard {
    /// Goes from redirect to redirect; each place is checked like the first.
    async fn follow(&self, mut place: Place) -> Result<Fetched, FetchError> {
        let _permit = self.permits.acquire().await.map_err(|_| FetchError::Unreachable)?;
        let limit = self.limits.redirects;
        for _ in 0..=limit {
            let checked = self.check(&place).await?;
            let exchange = connect::get(&place, checked.addresses, self.tls()).await?;
            let status = exchange.response.status();
            if status.is_success() {
                return read(exchange, self.limits.bytes).await;
            }
            let refused = FetchError::Status(checked.public.then_some(status.as_u16()));
            let location = exchange.response.headers().get(LOCATION);
            let location = location.filter(|_| matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308));
            place = place.redirected(location.ok_or(refused)?.as_bytes())?;
        }
        Err(FetchError::Redirects(limit))
    }

    /// Resolves a place. One address that is not to be reached, and none of the others is either: who serves both
    /// kinds under one name plays for time.
    async fn check(&self, place: &Place) -> Result<Checked, FetchError> {
        if !self.allow.knows_port(place.port) {
            return Err(FetchError::Port(place.port));
        }
        let (name, addresses) = match place.host() {
            Where::Address(address) => (None, vec![*address]),
            Where::Name(name) => {
                let found = self.resolver.resolve(name).await.map_err(|_| FetchError::Unresolved)?;
                (Some(name.as_str()), found)
            }
        };
        if addresses.is_empty() {
            return Err(FetchError::Unresolved);
        }
        let mut checked = Checked { addresses: Vec::with_capacity(addresses.len()), public: true };
        for address in addresses {
            match self.allow.judge(name, address, place.port) {
                Verdict::Public => {}
                Verdict::Excepted => checked.public = false,
                Verdict::Refused => return Err(FetchError::Forbidden),
            }
            checked.addresses.push(SocketAddr::new(address, place.port));
        }
        Ok(checked)
    }

    fn tls(&self) -> rustls::ClientConfig {
        self.tls.get_or_init(connect::tls).clone()
    }
}

/// Reads a body up to the limit, whatever its length is said to be.
async fn read(exchange: Exchange, limit: usize) -> Result<Fetched, FetchError> {
    // The guard of the connection lives until the last byte was read.
    let Exchange { response, connection: _connection } = exchange;
    let (head, mut body) = response.into_parts();
    let field = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    if head.headers.contains_key(CONTENT_ENCODING)
        && !field(CONTENT_ENCODING).is_some_and(|coding| coding.trim().eq_ignore_ascii_case("identity"))
    {
        return Err(FetchError::Encoding);
    }
    let said = field(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if said.is_some_and(|said| usize::try_from(said).map_or(true, |said| said > limit)) {
        return Err(FetchError::TooLarge(limit));
    }
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| FetchError::Unreachable)?.into_data() else { continue };
        if data.len() > limit.saturating_sub(bytes.len()) {
            return Err(FetchError::TooLarge(limit));
        }
        bytes.extend_from_slice(&data);
    }
    let content_type = field(CONTENT_TYPE).map(str::to_owned);
    Ok(Fetched { bytes: bytes.freeze(), content_type })
}
