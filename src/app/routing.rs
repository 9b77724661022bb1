//! Routing's "why" without a hub: from the configuration and the store, when none runs.

use std::{path::Path, sync::Arc};

use operations::routing::{Decision, ExplainRoute, Explanation, SimulateRoute};

use super::{SystemClock, hub};
use crate::{
    auth::local_caller,
    engine::{
        caller::Caller,
        ports::Clock,
        settings::{Catalogue, Settings},
    },
    ops::{OpError, routing::Routing},
    outbound::Client,
    store::{DataDir, Store, StoreError, WriterLimits},
};

/// Why nothing could be said.
#[derive(Debug, thiserror::Error)]
pub enum RoutingError {
    /// The data directory or the database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A part of the hub could not be put together.
    #[error(transparent)]
    Hub(#[from] super::StartError),
    /// The operation was not done.
    #[error(transparent)]
    Operation(#[from] OpError),
}

/// The operations on routing, straight on the store, with every right.
pub struct LocalRouting {
    routing: Routing,
    caller: Caller,
    store: Store,
}

impl LocalRouting {
    /// Opens the store, and puts an engine together that calls nobody.
    ///
    /// # Errors
    /// When the data directory is in use or cannot be used.
    pub async fn open(
        data_dir: &Path,
        settings: Settings,
        catalogue: Arc<Catalogue>,
    ) -> Result<Self, RoutingError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let data_dir = DataDir::lock(data_dir)?;
        let store = Store::open(&data_dir, WriterLimits::default(), Arc::clone(&clock)).await?;
        let (engine, _) = hub::engine(settings, catalogue, Arc::new(Client::new()), &store, &clock).await?;
        let routing = Routing::new(engine, Arc::new(store.receipts()));
        Ok(Self { routing, caller: local_caller(), store })
    }

    /// Says where a request would go.
    ///
    /// # Errors
    /// When the name means nothing.
    pub fn simulate(&self, args: SimulateRoute) -> Result<Decision, RoutingError> {
        Ok(self.routing.simulate(&self.caller, args)?)
    }

    /// Says what happened to a request.
    ///
    /// # Errors
    /// When there is no receipt of it.
    pub async fn explain(&self, args: ExplainRoute) -> Result<Explanation, RoutingError> {
        Ok(self.routing.explain(&self.caller, args).await?)
    }

    /// Closes the store.
    ///
    /// # Errors
    /// When something could not be written.
    pub async fn close(self) -> Result<(), RoutingError> {
        Ok(self.store.close().await?)
    }
}
