//! The in-memory twin of the store: the same ports with the same behaviour, for tests that want no files and a paused
//! clock. `contract` runs the same tests on both.

mod admin;
mod backups;
mod captures;
mod claims;
mod documents;
mod leases;
mod mcp_sessions;
mod oauth;
mod price_lists;
mod responses;
mod signing_keys;
mod suggestions;
mod tasks;
mod tool_calls;
mod usage;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_core::future::BoxFuture;

use super::{
    cooldowns::Place,
    receipt_text::{clip, plan, row},
    windows,
};
use crate::{
    auth::ports::{Ending, KeyRecord, KeyStore, KeyStoreError},
    engine::{
        ports::{CooldownRecord, CooldownSink, ReceiptSink, WindowRecord, WindowSink},
        receipt::Receipt,
    },
    ops::ports::{
        FetchedList, InspectError, Inspected, Inspector, LogError, McpSession, QueueState, ReceiptLog,
        ReceiptQueue, ReceiptRow,
    },
};

/// Receipts that are kept.
const KEPT: usize = 10_000;

/// Keys, cooldowns, receipts, kept responses, claims and leases in memory.
#[derive(Default)]
pub struct MemoryStore {
    state: Mutex<State>,
    documents: Mutex<documents::Documents>,
}

#[derive(Default)]
struct State {
    keys: BTreeMap<Arc<str>, Key>,
    cooldowns: BTreeMap<Place, CooldownRecord>,
    receipts: VecDeque<(ReceiptRow, Option<String>)>,
    windows: windows::Changes,
    responses: responses::Responses,
    leases: leases::Leases,
    claims: claims::Claims,
    logins: oauth::Logins,
    admin: admin::Admin,
    captures: Box<captures::Captures>,
    price_list: Option<Box<FetchedList>>,
    mcp_sessions: Vec<McpSession>,
    signing_keys: BTreeMap<String, Vec<u8>>,
    suggestions: Box<suggestions::Suggestions>,
    tool_calls: Vec<operations::mcp::ToolCall>,
    usage: Box<usage::Usage>,
    tasks: Box<tasks::Tasks>,
}

struct Key {
    record: KeyRecord,
    holds_name: bool,
}

impl MemoryStore {
    /// The cooldowns that have not ended by `now` (milliseconds since the Unix epoch); deletes those that have.
    #[must_use]
    pub fn load_cooldowns(&self, now: i64) -> Vec<CooldownRecord> {
        let mut state = self.lock();
        state.cooldowns.retain(|_, record| record.until > now);
        state.cooldowns.values().cloned().collect()
    }

    /// The windows of quotas that have not ended by `now` (milliseconds since the Unix epoch); deletes those that have.
    #[must_use]
    pub fn load_windows(&self, now: i64) -> Vec<WindowRecord> {
        let mut state = self.lock();
        state.windows.retain(|_, record| record.resets_at > now);
        state.windows.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn documents(&self) -> MutexGuard<'_, documents::Documents> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An answer that is there at once.
    fn now<'a, T: Send + 'a>(&self, act: impl FnOnce(&mut State) -> T) -> BoxFuture<'a, T> {
        let answer = act(&mut self.lock());
        Box::pin(std::future::ready(answer))
    }
}

impl KeyStore for MemoryStore {
    fn insert(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        self.now(|state| {
            for key in state.keys.values_mut() {
                if key.record.name == record.name && key.record.has_ended(record.created_at) {
                    key.holds_name = false;
                }
            }
            state.insert(record)
        })
    }

    fn find(&self, key: String, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        self.now(|state| {
            let mut found: Vec<_> = (state.keys.values())
                .filter(|k| *k.record.id == *key || (*k.record.name == *key && !k.record.has_ended(now)))
                .collect();
            found.sort_by_key(|key| !key.holds_name);
            Ok(found.into_iter().map(|key| key.record.clone()).collect())
        })
    }

    fn page(
        &self,
        after: Option<String>,
        limit: u32,
    ) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        self.now(|state| {
            let after = after.unwrap_or_default();
            let keys = state.keys.values().filter(|key| *key.record.id > *after);
            Ok(keys.take(limit as usize).map(|key| key.record.clone()).collect())
        })
    }

    fn all(&self) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        self.now(|state| Ok(state.keys.values().map(|key| key.record.clone()).collect()))
    }

    fn update(&self, record: KeyRecord) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        self.now(|state| {
            let key = state.keys.get_mut(&record.id).ok_or(KeyStoreError::Stale)?;
            if key.record.version + 1 != record.version {
                return Err(KeyStoreError::Stale);
            }
            let KeyRecord { scopes, expires_at, disabled, policy, version, .. } = record;
            key.record = KeyRecord { scopes, expires_at, disabled, policy, version, ..key.record.clone() };
            Ok(())
        })
    }

    fn revoke(&self, ids: Vec<Arc<str>>, now: i64) -> BoxFuture<'_, Result<Vec<KeyRecord>, KeyStoreError>> {
        self.now(|state| {
            let mut revoked = Vec::new();
            for id in ids {
                let key =
                    state.keys.get_mut(&id).ok_or_else(|| KeyStoreError::Failed("no such key".into()))?;
                key.record.revoked_at.get_or_insert(now);
                key.holds_name = false;
                revoked.push(key.record.clone());
            }
            Ok(revoked)
        })
    }

    fn rotate(
        &self,
        old: Arc<str>,
        ending: Ending,
        successor: KeyRecord,
    ) -> BoxFuture<'_, Result<KeyRecord, KeyStoreError>> {
        self.now(|state| {
            let current =
                state.keys.get_mut(&old).filter(|key| key.holds_name && key.record.revoked_at.is_none());
            let key = current.ok_or(KeyStoreError::NotCurrent)?;
            key.holds_name = false;
            match ending {
                Ending::Revoked(at) => key.record.revoked_at = Some(at),
                Ending::Expires(at) => key.record.expires_at = Some(at),
            }
            let ended = key.record.clone();
            state.insert(successor)?;
            Ok(ended)
        })
    }

    fn touch_last_used(&self, used: Vec<(Arc<str>, i64)>) -> BoxFuture<'_, Result<(), KeyStoreError>> {
        self.now(|state| {
            for (id, at) in used {
                if let Some(key) = state.keys.get_mut(&id) {
                    key.record.last_used_at = key.record.last_used_at.max(Some(at));
                }
            }
            Ok(())
        })
    }

    fn forget_ended(&self, before: i64) -> BoxFuture<'_, Result<u64, KeyStoreError>> {
        self.now(|state| {
            let newest = state.keys.last_key_value().map(|(id, _)| Arc::clone(id));
            let count = state.keys.len();
            state.keys.retain(|id, key| {
                let ended = [key.record.revoked_at, key.record.expires_at].into_iter().flatten().min();
                ended.is_none_or(|end| end >= before) || Some(id) == newest.as_ref()
            });
            Ok((count - state.keys.len()) as u64)
        })
    }
}

impl State {
    fn insert(&mut self, record: KeyRecord) -> Result<(), KeyStoreError> {
        if self.keys.values().any(|key| key.holds_name && key.record.name == record.name) {
            return Err(KeyStoreError::NameTaken);
        }
        self.keys.insert(Arc::clone(&record.id), Key { record, holds_name: true });
        Ok(())
    }
}

impl CooldownSink for MemoryStore {
    fn cooled(&self, record: CooldownRecord) {
        let place = (Arc::clone(&record.connection), record.model.clone());
        self.lock().cooldowns.insert(place, record);
    }

    fn cleared(&self, connection: Arc<str>, model: Option<Arc<str>>) {
        self.lock().cooldowns.remove(&(connection, model));
    }
}

impl WindowSink for MemoryStore {
    fn window(&self, record: WindowRecord) {
        self.lock().windows.insert(windows::place(&record), record);
    }
}

impl ReceiptSink for MemoryStore {
    fn record(&self, mut receipt: Receipt) {
        clip(&mut receipt);
        // It is read back from the same text that the database would keep, so that the twins cannot differ.
        if let (Ok(row), Ok(plan)) = (row(&receipt), plan(&receipt)) {
            let state = &mut *self.lock();
            state.usage.add(&receipt);
            state.receipts.push_front((row, plan));
            state.receipts.truncate(KEPT);
        }
    }
}

impl Inspector for MemoryStore {
    fn inspect(&self, _: bool) -> BoxFuture<'_, Result<Inspected, InspectError>> {
        Box::pin(std::future::ready(Ok(Inspected { kind: "memory", ..Inspected::default() })))
    }
}

impl ReceiptQueue for MemoryStore {
    fn state(&self) -> QueueState {
        // Nothing waits here.
        QueueState::default()
    }
}

impl ReceiptLog for MemoryStore {
    fn recent(&self, limit: u32) -> BoxFuture<'_, Result<Vec<ReceiptRow>, LogError>> {
        self.now(|state| Ok(state.receipts.iter().take(limit as usize).map(|(row, _)| row.clone()).collect()))
    }

    fn by_id(&self, id: String) -> BoxFuture<'_, Result<Option<ReceiptRow>, LogError>> {
        let found = |(row, _): &&(ReceiptRow, _)| row.id == id;
        self.now(|state| Ok(state.receipts.iter().find(found).map(|(row, _)| row.clone())))
    }

    fn plan_of(&self, id: String) -> BoxFuture<'_, Result<Option<String>, LogError>> {
        let found = |(row, _): &&(ReceiptRow, _)| row.id == id;
        self.now(|state| Ok(state.receipts.iter().find(found).and_then(|(_, plan)| plan.clone())))
    }

    fn count(&self) -> BoxFuture<'_, Result<u64, LogError>> {
        self.now(|state| Ok(state.receipts.len() as u64))
    }
}
