//! Operations on the audit log.

use std::sync::Arc;

use operations::audit::{AuditPage, AuditVerdict, ListAudit};

use super::{
    OpError,
    ports::{AuditLog, DocumentStoreError},
};

/// Executes the operations on the audit log.
pub struct Audit(pub Arc<dyn AuditLog>);

impl Audit {
    /// Lists entries, newest first.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn list(&self, args: ListAudit) -> Result<AuditPage, OpError> {
        let limit =
            usize::try_from(args.limit.unwrap_or(operations::audit::DEFAULT_PAGE)).unwrap_or(usize::MAX);
        let one_more = ListAudit { limit: args.limit.map(|limit| limit.saturating_add(1)), ..args };
        let mut entries = self.0.page(one_more).await.map_err(failed)?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next_cursor = entries.last().filter(|_| more).map(|last| last.id);
        Ok(AuditPage { entries, next_cursor })
    }

    /// Checks the hashes of all entries.
    ///
    /// # Errors
    /// [`OpError::Store`].
    pub async fn verify(&self) -> Result<AuditVerdict, OpError> {
        self.0.verify().await.map_err(failed)
    }
}

fn failed(error: DocumentStoreError) -> OpError {
    OpError::Store(Box::new(error))
}
