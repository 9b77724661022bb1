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

/// Somebody who tells other programs of events, at URLs that the operator configured.
pub trait Hook: Send + Sync {
    /// Posts `body` to `url` and answers the status; where `inner` is, also to addresses of this machine and its networks.
    /// Nothing is followed, and the answer's body is not read.
    fn tell(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
        inner: bool,
        limit: Duration,
    ) -> BoxFuture<'static, Result<u16, PostError>>;
}

/// Why a message did not get there, without what is secret of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The hub itself does not send that: not to this address, or not in this form. It will not the next time either.
    #[error("{0}")]
    Refused(String),
    /// Something was wrong on the way.
    #[error("{0}")]
    Failed(String),
}
