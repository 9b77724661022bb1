//! The one door to the network. Whoever wants to reach another machine asks for it here, so that pools,
//! deadlines, proxies and guards are in one place. Environment variables for proxies are not read.

mod client;
mod connector;
mod error;
pub mod guard;
mod proxy;
mod reach;
mod upgrade;

pub use client::Client;
pub use error::{TransportError, TransportFailure};
pub use proxy::{Proxy, ProxyScheme, Via};
pub use reach::{Reached, Step};
pub use upgrade::{Duplex, UpgradeError, Upgraded, upgrade};

use std::time::Duration;

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http_body_util::combinators::UnsyncBoxBody;

/// An answer's body as it arrives. Dropping it before its end closes the connection that it comes from.
pub type Body = UnsyncBoxBody<Bytes, TransportError>;

/// Something that can put a request to another machine: the real network, or a stand-in within the process.
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the answer's head. `connect` bounds only the making of a new connection.
    fn call(
        &self,
        request: http::Request<Bytes>,
        connect: Duration,
    ) -> BoxFuture<'static, Result<http::Response<Body>, TransportError>>;

    /// Finds out how far the way to the place of a request goes, without sending it; each step may take `limit`. A
    /// stand-in within the process has no such steps.
    fn reach(&self, request: http::Request<()>, limit: Duration) -> BoxFuture<'static, Vec<Reached>> {
        drop((request, limit));
        Box::pin(std::future::ready(Vec::new()))
    }
}
