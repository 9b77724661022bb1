//! The operator's password and the sessions in memory.

use std::{collections::BTreeMap, sync::Arc};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::auth::ports::{AdminStore, AdminStoreError, PasswordRecord, SessionRecord};

/// What is kept.
#[derive(Default)]
pub(super) struct Admin {
    password: Option<PasswordRecord>,
    sessions: BTreeMap<Arc<str>, SessionRecord>,
}

impl AdminStore for MemoryStore {
    fn password(&self) -> BoxFuture<'_, Result<Option<PasswordRecord>, AdminStoreError>> {
        self.now(|state| Ok(state.admin.password.clone()))
    }

    fn set_password(&self, password: PasswordRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.now(|state| {
            state.admin.password = Some(password);
            state.admin.sessions.clear();
            Ok(())
        })
    }

    fn open_session(&self, session: SessionRecord) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.now(|state| {
            state.admin.sessions.insert(Arc::clone(&session.id), session);
            Ok(())
        })
    }

    fn sessions(&self, now: i64) -> BoxFuture<'_, Result<Vec<SessionRecord>, AdminStoreError>> {
        self.now(|state| {
            state.admin.sessions.retain(|_, session| session.expires_at > now);
            Ok(state.admin.sessions.values().cloned().collect())
        })
    }

    fn close_sessions(&self, ids: Vec<Arc<str>>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.now(|state| {
            ids.iter().for_each(|id| drop(state.admin.sessions.remove(id)));
            Ok(())
        })
    }

    fn touch_sessions(&self, seen: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), AdminStoreError>> {
        self.now(|state| {
            for (id, at) in seen {
                if let Some(session) = state.admin.sessions.get_mut(&id) {
                    session.last_seen_at = session.last_seen_at.max(at);
                }
            }
            Ok(())
        })
    }
}
