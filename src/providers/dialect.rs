//! Puts a call to its target in the target's dialect.

use std::sync::Arc;

use canon::Dialect;
use futures_core::future::BoxFuture;

use super::chat;
use crate::{
    engine::{
        fault::{Fault, FaultKind},
        ports::{Answer, Call, Clock, Upstream},
    },
    outbound::Transport,
};

/// Every provider of the catalogue, over one way to the network.
#[derive(Clone)]
pub struct Providers {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Providers {
    /// The dialects that can be sent. A connection that offers none of them cannot be used.
    pub const SPOKEN: &[Dialect] = &[Dialect::Chat];

    /// Providers that are reached through `transport`.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>) -> Self {
        Self { transport, clock }
    }
}

impl Upstream for Providers {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<Answer, Fault>> {
        let providers = self.clone();
        Box::pin(async move {
            match (call.request.dialect, call.target.dialect) {
                (Dialect::Chat, Dialect::Chat) => chat::send(&providers, call).await,
                (from, to) => Err(Fault::new(
                    FaultKind::InvalidRequest,
                    format!("a request in the {from} dialect cannot be put to a target that speaks {to}"),
                )),
            }
        })
    }
}
