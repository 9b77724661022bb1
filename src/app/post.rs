//! The way of the hub's own messages to the network.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    ops::ports::{Hook, Post, PostError},
    outbound::{Transport, guard::GuardedPost},
};

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);

/// Posts over the same network as requests to providers.
pub(super) struct Outgoing(pub(super) Arc<dyn Transport>);

impl Post for Outgoing {
    fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
        limit: Duration,
    ) -> BoxFuture<'static, Result<u16, PostError>> {
        let mut request =
            http::Request::post(url).header("user-agent", concat!("trivium/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let transport = Arc::clone(&self.0);
        let request = request.body(body);
        Box::pin(async move {
            let request =
                request.map_err(|_| PostError::Refused("the URL or a header cannot be sent".to_owned()))?;
            match tokio::time::timeout(limit, transport.call(request, CONNECT)).await {
                Ok(Ok(answer)) => Ok(answer.status().as_u16()),
                Ok(Err(error)) => Err(PostError::Failed(error.to_string())),
                Err(_) => Err(PostError::Failed(format!("no answer within {} s", limit.as_secs_f32()))),
            }
        })
    }
}

/// Tells webhooks past the guard of addresses.
#[derive(Default)]
pub(super) struct Telling(GuardedPost);

impl Hook for Telling {
    fn tell(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
        inner: bool,
        limit: Duration,
    ) -> BoxFuture<'static, Result<u16, PostError>> {
        let mut all = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                all.insert(name, value);
            }
        }
        let (post, url) = (self.0.clone(), url.to_owned());
        Box::pin(async move {
            let told = post.post(&url, all, body, inner, limit).await;
            told.map_err(|error| {
                if error.is_refused() {
                    PostError::Refused(error.to_string())
                } else {
                    PostError::Failed(error.to_string())
                }
            })
        })
    }
}
