//! The way of lists that the operator named into the hub.

use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;

use crate::{
    ops::ports::{Download, DownloadError},
    outbound::guard::{AllowList, Fetch, FetchLimits, GuardedFetch, SystemResolver},
};

/// A list of ten thousand models has a few megabytes.
const LIMITS: FetchLimits =
    FetchLimits { time: Duration::from_secs(60), bytes: 32 * 1024 * 1024, redirects: 3 };

/// Fetches past the guard of addresses. The host that the operator wrote down may be an inner one; where it redirects to may
/// not.
pub(super) struct Downloads;

impl Download for Downloads {
    fn download(&self, url: &str) -> BoxFuture<'static, Result<Bytes, DownloadError>> {
        let url = url.to_owned();
        Box::pin(async move {
            let allow = own_host(&url).unwrap_or_default();
            let fetched = GuardedFetch::with(allow, LIMITS, SystemResolver).fetch(&url).await;
            fetched.map(|fetched| fetched.bytes).map_err(|error| DownloadError(error.to_string()))
        })
    }
}

/// An exception for the host and port of a URL.
fn own_host(url: &str) -> Option<AllowList> {
    let url = url::Url::parse(url).ok()?;
    let entry = format!("{}:{}", url.host_str()?, url.port_or_known_default()?);
    AllowList::parse([entry]).ok()
}
