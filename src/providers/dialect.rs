//! Puts a call to its target: in the client's own bytes where the target speaks the client's dialect, translated
//! where it does not.

use std::sync::Arc;

use canon::Dialect;
use futures_core::future::BoxFuture;

use super::{credentials::Credentials, login, makers::Makers, native, translated};
use crate::{
    engine::{
        fault::Fault,
        ports::{Answer, Call, Clock, Upstream},
    },
    outbound::{Transport, guard::Fetch},
};

/// Every provider of the catalogue, over one way to the network.
#[derive(Clone)]
pub struct Providers {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Arc<dyn Clock>,
    /// How media that a request names by URL are got, for providers that do not fetch them.
    pub(super) fetch: Arc<dyn Fetch>,
    /// Who made the signatures that clients send back.
    pub(super) makers: Arc<Makers>,
    /// The tokens of connections that people log in to.
    pub(super) credentials: Option<Credentials>,
}

impl Providers {
    /// The dialects that can be sent. A connection that offers none of them cannot be used.
    pub const SPOKEN: &[Dialect] = &Dialect::ALL;

    /// Providers that are reached through `transport`, with media got through `fetch`.
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, clock: Arc<dyn Clock>, fetch: Arc<dyn Fetch>) -> Self {
        Self { transport, clock, fetch, makers: Arc::default(), credentials: None }
    }

    /// The same with the tokens of connections that people log in to.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Puts a call whose connection has all that it needs to its target.
    pub(super) async fn dispatch(&self, call: Call) -> Result<Answer, Fault> {
        if call.request.dialect == call.target.dialect {
            native::send(self, call).await
        } else {
            translated::send(self, call).await
        }
    }
}

impl Upstream for Providers {
    fn send(&self, call: Call) -> BoxFuture<'static, Result<Answer, Fault>> {
        let providers = self.clone();
        Box::pin(async move {
            match call.target.connection.oauth {
                // Boxed, so that calls with a key do not carry its state.
                Some(_) => Box::pin(login::send(&providers, call)).await,
                None => providers.dispatch(call).await,
            }
        })
    }
}
