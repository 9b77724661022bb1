//! Leases of budgets in memory.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::engine::ports::{LeaseError, LeaseRecord, LeaseStore};

/// Leases by budget and holder.
pub(super) type Leases = BTreeMap<(Arc<str>, Arc<str>), LeaseRecord>;

impl LeaseStore for MemoryStore {
    fn load(&self, since: i64) -> BoxFuture<'_, Result<Vec<LeaseRecord>, LeaseError>> {
        self.now(|state| {
            state.leases.retain(|_, lease| lease.window >= since);
            Ok(state.leases.values().cloned().collect())
        })
    }

    fn put(&self, leases: Vec<LeaseRecord>) -> BoxFuture<'_, Result<(), LeaseError>> {
        self.now(|state| {
            for lease in leases {
                state.leases.insert((Arc::clone(&lease.budget), Arc::clone(&lease.holder)), lease);
            }
            Ok(())
        })
    }
}
