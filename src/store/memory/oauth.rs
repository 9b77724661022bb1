//! Tokens and logins in memory. Not encrypted: nothing of it is ever written.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::oauth::{Credential, OAuthStore, OAuthStoreError, PendingLogin};

/// Tokens by connection, and logins by state.
#[derive(Default)]
pub(super) struct Logins {
    credentials: BTreeMap<Arc<str>, Credential>,
    pending: BTreeMap<[u8; 32], PendingLogin>,
}

impl OAuthStore for MemoryStore {
    fn credentials(&self) -> BoxFuture<'_, Result<Vec<Credential>, OAuthStoreError>> {
        self.now(|state| Ok(state.logins.credentials.values().cloned().collect()))
    }

    fn put_credential(&self, credential: Credential) -> BoxFuture<'_, Result<(), OAuthStoreError>> {
        self.now(|state| {
            state.logins.credentials.insert(Arc::clone(&credential.connection), credential);
            Ok(())
        })
    }

    fn remove_credential(&self, connection: Arc<str>) -> BoxFuture<'_, Result<bool, OAuthStoreError>> {
        self.now(|state| Ok(state.logins.credentials.remove(&connection).is_some()))
    }

    fn begin_login(
        &self,
        login: PendingLogin,
        now: i64,
        most: u32,
    ) -> BoxFuture<'_, Result<(), OAuthStoreError>> {
        self.now(|state| {
            let pending = &mut state.logins.pending;
            pending.retain(|_, one| one.expires_at > now);
            while pending.len() >= most.max(1) as usize {
                let oldest =
                    pending.values().min_by(|a, b| (a.expires_at, &a.login).cmp(&(b.expires_at, &b.login)));
                let Some(oldest) = oldest.map(|one| one.state) else { break };
                pending.remove(&oldest);
            }
            pending.insert(login.state, login);
            Ok(())
        })
    }

    fn take_login(
        &self,
        state: [u8; 32],
        now: i64,
    ) -> BoxFuture<'_, Result<Option<PendingLogin>, OAuthStoreError>> {
        self.now(|held| Ok(held.logins.pending.remove(&state).filter(|login| login.expires_at > now)))
    }
}
