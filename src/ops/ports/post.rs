//! How the hub tells other programs something, by the operator's wish.

use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;

/// Somebody who posts messages to URLs that the operator configured.
pub trait Post: Send + Sync {
    /// Posts `body` to `url` and answers the status. Nothing is followed, and the answer's body is not read.
    fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
        limit: Duration,
    ) -> BoxFuture<'static, Result<u16, PostError>>;
}

/// Why a message did not get there, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PostError(pub String);
