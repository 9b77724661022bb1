//! Documents and the audit log in memory. Not encrypted: nothing of it is ever written.

use std::collections::BTreeMap;

use futures_core::future::BoxFuture;
use operations::audit::{AuditEntry, AuditVerdict, DEFAULT_PAGE, ListAudit};

use super::MemoryStore;
use crate::ops::ports::{
    AuditLog, Change, Document, DocumentStore, DocumentStoreError, KeptChange, NewEntry,
};

/// Documents by section and id, and the log.
#[derive(Default)]
pub(super) struct Documents {
    known: BTreeMap<(String, String), Document>,
    log: Vec<AuditEntry>,
    changes: BTreeMap<u64, KeptChange>,
    last: u64,
}

impl Documents {
    fn append(&mut self, entry: NewEntry) -> u64 {
        self.last += 1;
        let detail = entry.detail;
        self.log.push(AuditEntry {
            id: self.last,
            at: entry.at,
            caller: entry.caller.to_string(),
            caller_name: entry.caller_name.to_string(),
            address: detail.address,
            surface: detail.surface,
            request_id: detail.request_id,
            operation: entry.operation.to_owned(),
            scope: detail.scope,
            outcome: entry.outcome,
            error: detail.error,
            target: entry.target.filter(|target| !target.is_empty()),
            arguments: detail.arguments,
            before: detail.before,
            after: detail.after,
            can_undo: detail.can_undo,
        });
        self.last
    }

    fn commit(&mut self, change: Change, entry: NewEntry) -> Result<u64, DocumentStoreError> {
        let place = (change.section.to_string(), change.id.to_string());
        let there = self.known.get(&place).map_or(0, |document| document.version);
        if there != change.from {
            return Err(DocumentStoreError::Stale);
        }
        let Change { section, id, from, before, after } = change;
        let version = from + 1;
        let kept = KeptChange { section: section.clone(), id: id.clone(), before, version };
        let document = Document { section, id, version, definition: after, updated_at: entry.at };
        self.known.insert(place, document);
        let number = self.append(entry);
        self.changes.insert(number, kept);
        Ok(number)
    }

    fn page(&self, wanted: &ListAudit) -> Vec<AuditEntry> {
        let below = |entry: &&AuditEntry| wanted.cursor.is_none_or(|cursor| entry.id < cursor);
        let fits = |entry: &&AuditEntry| {
            wanted.operation.as_ref().is_none_or(|operation| *operation == entry.operation)
                && wanted.caller.as_ref().is_none_or(|caller| *caller == entry.caller)
                && wanted.target.as_ref().is_none_or(|target| Some(target) == entry.target.as_ref())
                && wanted.outcome.is_none_or(|outcome| outcome == entry.outcome)
        };
        let limit = wanted.limit.unwrap_or(DEFAULT_PAGE) as usize;
        self.log.iter().rev().filter(below).filter(fits).take(limit).cloned().collect()
    }
}

impl DocumentStore for MemoryStore {
    fn all(&self) -> BoxFuture<'_, Result<Vec<Document>, DocumentStoreError>> {
        let all = self.documents().known.values().cloned().collect();
        Box::pin(async move { Ok(all) })
    }

    fn commit(&self, change: Change, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>> {
        let done = self.documents().commit(change, entry);
        Box::pin(async move { done })
    }

    fn change(&self, number: u64) -> BoxFuture<'_, Result<Option<KeptChange>, DocumentStoreError>> {
        let found = self.documents().changes.get(&number).cloned();
        Box::pin(async move { Ok(found) })
    }
}

impl AuditLog for MemoryStore {
    fn append(&self, entry: NewEntry) -> BoxFuture<'_, Result<u64, DocumentStoreError>> {
        let number = self.documents().append(entry);
        Box::pin(async move { Ok(number) })
    }

    fn page(&self, wanted: ListAudit) -> BoxFuture<'_, Result<Vec<AuditEntry>, DocumentStoreError>> {
        let page = self.documents().page(&wanted);
        Box::pin(async move { Ok(page) })
    }

    fn verify(&self) -> BoxFuture<'_, Result<AuditVerdict, DocumentStoreError>> {
        let entries = self.documents().log.len() as u64;
        Box::pin(async move { Ok(AuditVerdict { whole: true, entries, broken_at: None }) })
    }
}
