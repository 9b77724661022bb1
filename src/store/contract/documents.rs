//! What every store of documents and of the audit log must do.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use operations::audit::{AuditEntry, AuditOutcome, AuditVerdict, ListAudit};
use serde_json::json;

use super::*;
use crate::ops::ports::{
    AuditLog, Change, Definition, Document, DocumentStore, DocumentStoreError, EntryDetail, KeptChange,
    NewEntry,
};

pass_on! { DocumentStore:
    all() -> Result<Vec<Document>, DocumentStoreError>;
    commit(change: Change, entry: NewEntry) -> Result<u64, DocumentStoreError>;
    change(number: u64) -> Result<Option<KeptChange>, DocumentStoreError>;
}

pass_on! { AuditLog:
    append(entry: NewEntry) -> Result<u64, DocumentStoreError>;
    page(wanted: ListAudit) -> Result<Vec<AuditEntry>, DocumentStoreError>;
    verify() -> Result<AuditVerdict, DocumentStoreError>;
}

impl Either {
    fn documents(&self) -> Box<dyn DocumentStore + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.documents()),
        }
    }

    fn audit(&self) -> Box<dyn AuditLog + '_> {
        match self {
            Self::Memory(store) => Box::new(Borrowed(store)),
            Self::Sql(store, _) => Box::new(store.audit()),
        }
    }
}

fn definition(text: &str) -> Option<Definition> {
    Some([("api_key".to_owned(), json!(text))].into_iter().collect())
}

fn change(id: &str, from: u64, before: Option<Definition>, after: Option<Definition>) -> Change {
    Change { section: "providers".into(), id: id.into(), from, before, after }
}

fn entry(caller: &str, operation: &'static str, outcome: AuditOutcome, at: i64) -> NewEntry {
    let detail = EntryDetail {
        surface: "rest".to_owned(),
        scope: "write:connections".to_owned(),
        after: Some(json!({"api_key": "[redacted]"})),
        ..EntryDetail::default()
    };
    let target = Some("a".to_owned());
    NewEntry { at, caller: caller.into(), caller_name: caller.into(), operation, outcome, target, detail }
}

fn done(at: i64) -> NewEntry {
    entry("key_1", "put_connection", AuditOutcome::Done, at)
}

#[tokio::test]
async fn a_change_is_made_from_the_version_that_was_seen_or_not_at_all() {
    for store in Either::each().await {
        let documents = store.documents();
        let first = documents.commit(change("a", 0, None, definition("one")), done(5)).await.unwrap();
        let again = documents.commit(change("a", 0, None, definition("two")), done(6)).await;
        assert!(matches!(again, Err(DocumentStoreError::Stale)));
        let second = change("a", 1, definition("one"), definition("two"));
        let second = documents.commit(second, done(7)).await.unwrap();
        let stale = change("a", 1, definition("one"), definition("three"));
        assert!(matches!(documents.commit(stale, done(8)).await, Err(DocumentStoreError::Stale)));

        let all = documents.all().await.unwrap();
        assert_eq!(all.len(), 1);
        let document = all.first().unwrap();
        assert_eq!((document.version, document.updated_at), (2, 7));
        assert!(document.definition == definition("two"));
        let kept = documents.change(second).await.unwrap().unwrap();
        assert!(kept.version == 2 && kept.before == definition("one") && &*kept.id == "a");
        assert!(documents.change(first).await.unwrap().unwrap().before.is_none());
        assert!(documents.change(second + 1).await.unwrap().is_none());
        assert_eq!(
            store.audit().page(ListAudit::default()).await.unwrap().len(),
            2,
            "what failed left nothing"
        );
    }
}

#[tokio::test]
async fn a_deleted_document_never_has_an_earlier_version_again() {
    for store in Either::each().await {
        let documents = store.documents();
        documents.commit(change("a", 0, None, definition("one")), done(1)).await.unwrap();
        documents.commit(change("a", 1, definition("one"), None), done(2)).await.unwrap();
        let all = documents.all().await.unwrap();
        assert!(all.iter().all(|document| document.version == 2 && document.definition.is_none()));
        documents.commit(change("a", 2, None, definition("new")), done(3)).await.unwrap();
        assert_eq!(documents.all().await.unwrap().first().unwrap().version, 3);
    }
}

#[tokio::test]
async fn the_audit_log_is_read_newest_first_and_narrowed() {
    for store in Either::each().await {
        let log = store.audit();
        log.append(entry("key_1", "put_combo", AuditOutcome::Done, 1)).await.unwrap();
        log.append(entry("key_2", "put_combo", AuditOutcome::Denied, 2)).await.unwrap();
        log.append(entry("key_1", "revoke_key", AuditOutcome::Failed, 3)).await.unwrap();
        let ids = async |wanted: ListAudit| -> Vec<u64> {
            log.page(wanted).await.unwrap().iter().map(|entry| entry.id).collect()
        };
        assert_eq!(ids(ListAudit::default()).await, [3, 2, 1]);
        assert_eq!(ids(ListAudit { cursor: Some(3), limit: Some(1), ..ListAudit::default() }).await, [2]);
        let of = |caller: &str| ListAudit { caller: Some(caller.to_owned()), ..ListAudit::default() };
        assert_eq!(ids(of("key_1")).await, [3, 1]);
        let denied = ListAudit { outcome: Some(AuditOutcome::Denied), ..of("key_2") };
        assert_eq!(ids(denied.clone()).await, [2]);
        let operation = Some("put_combo".to_owned());
        assert_eq!(ids(ListAudit { operation, ..of("key_1") }).await, [1]);
        assert!(ids(ListAudit { target: Some("b".to_owned()), ..ListAudit::default() }).await.is_empty());
        let shown = log.page(denied).await.unwrap();
        let shown = shown.first().unwrap();
        assert_eq!((shown.scope.as_str(), shown.outcome), ("write:connections", AuditOutcome::Denied));
        let verdict = AuditVerdict { whole: true, entries: 3, broken_at: None };
        assert_eq!(log.verify().await.unwrap(), verdict);
    }
}

#[tokio::test]
async fn what_is_changed_or_taken_out_of_the_log_shows_and_old_entries_may_go() {
    for store in Either::each().await {
        let Either::Sql(sql, _) = &store else { continue };
        let (log, pool) = (store.audit(), &sql.pools.managing);
        for at in 1..=6 {
            log.append(entry("key_1", "put_combo", AuditOutcome::Done, at)).await.unwrap();
        }
        let broken = async || log.verify().await.unwrap().broken_at;
        let tamper = async |statement: &'static str| {
            crate::store::sql::query(statement).execute(pool).await.unwrap();
        };
        tamper("UPDATE audit SET caller = 'key_2' WHERE id = 3").await;
        assert_eq!(broken().await, Some(3));
        tamper("UPDATE audit SET caller = 'key_1' WHERE id = 3").await;
        assert_eq!(broken().await, None);

        // By age, and by number: each from the front.
        assert!(!crate::store::audit::forget(pool, Some(3), 1000).await.unwrap());
        let verdict = AuditVerdict { whole: true, entries: 4, broken_at: None };
        assert_eq!(log.verify().await.unwrap(), verdict, "what is left vouches for itself");
        assert!(!crate::store::audit::forget(pool, None, 2).await.unwrap());
        assert_eq!(log.verify().await.unwrap(), AuditVerdict { entries: 2, ..verdict });
        assert_eq!(log.append(entry("key_1", "put_combo", AuditOutcome::Done, 9)).await.unwrap(), 7);

        tamper("DELETE FROM audit WHERE id = 6").await;
        assert_eq!(broken().await, Some(7), "a gap");
    }
}
