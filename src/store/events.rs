//! What the store tells the log, as typed events: the words are here, the reasons where they are called.

use std::{error::Error, path::Path};

use super::{BackupProblem, PostgresProblem, StoreError};

/// A batch could not be written and is kept for another try.
pub(super) fn write_failed(error: &sqlx::Error, failures: u32, waiting: usize) {
    // The first failure and then ever fewer: a full disk must not fill up with its own reports.
    if failures.is_power_of_two() {
        tracing::warn!(%error, failures, waiting, "the database could not be written; it is tried again");
    }
}

/// The database works again.
pub(super) fn write_recovered(failures: u32) {
    tracing::info!(failures, "the database can be written again");
}

/// Something that the database refuses again and again, even by itself, was dropped.
pub(super) fn given_up(what: &'static str, count: usize, error: &sqlx::Error) {
    tracing::error!(what, count, %error, "the database refuses what was to be written; it was dropped");
}

/// Receipts had to be dropped.
pub(super) fn receipts_dropped(since_last: u64, total: u64) {
    tracing::warn!(
        since_last,
        total,
        "receipts were dropped: the database is slower than the traffic, or fails"
    );
}

/// Changes of cooldowns had to be dropped.
pub(super) fn cooldowns_dropped(total: u64) {
    tracing::warn!(
        total,
        "cooldowns or quotas were not written down: too many at once while the database fails"
    );
}

/// An orderly stop.
pub(super) fn closed(data_dir: &Path) {
    tracing::debug!(data_dir = %data_dir.display(), "the store is closed");
}

/// The last words before the store is closed.
pub(super) fn closed_unwritten(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "stopped while the database failed; what was queued is lost");
}

/// A row says something that this program does not understand.
pub(super) fn row_not_understood(table: &'static str, what: &str) {
    tracing::warn!(table, what, "a row was left out: this program does not understand it");
}

/// A new key for what is encrypted.
pub(super) fn secret_made(path: &Path) {
    tracing::info!(path = %path.display(), "made the key to what the hub keeps; back it up with the database");
}

/// Captured messages cannot be decrypted.
pub(super) fn capture_unreadable(request: &str) {
    tracing::warn!(request, "the captured messages of a request cannot be decrypted: the key is another one");
}

/// Captured messages could not be read or written.
pub(super) fn captures_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::warn!(%error, cause, "captured messages could not be read or written");
}

/// A kept response cannot be decrypted.
pub(super) fn response_unreadable(owner: &str, id: &str) {
    tracing::warn!(
        owner,
        id,
        "a kept response cannot be decrypted and is treated as gone: it was changed, or secret.key was"
    );
}

/// The store of responses failed.
pub(super) fn responses_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "kept responses could not be read or written");
}

/// The answer of a claim cannot be decrypted.
pub(super) fn claim_unreadable(owner: &str) {
    tracing::warn!(
        owner,
        "an answer under an idempotency key cannot be decrypted and is treated as lost: it was changed, or secret.key was"
    );
}

/// The store of claims failed.
pub(super) fn claims_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "idempotency keys could not be read or written");
}

/// Tasks cannot be read or written.
pub(super) fn tasks_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "tasks could not be read or written");
}

/// Locations of responses had to be dropped.
pub(super) fn locations_dropped(total: u64) {
    // The first and then ever fewer.
    if total.is_power_of_two() {
        tracing::warn!(
            total,
            "it was not written down which connections keep some responses: the database fails or is slow"
        );
    }
}

/// A housekeeping step failed; it is tried again later.
pub(super) fn housekeeping_failed(error: &sqlx::Error) {
    tracing::warn!(%error, "old rows could not be deleted; it is tried again later");
}

/// A document cannot be decrypted.
pub(super) fn document_unreadable(section: &str, id: &str) {
    tracing::error!(
        section,
        id,
        "what was made over the API cannot be decrypted and is not in force; restore secret.key, or delete it and make it anew"
    );
}

/// The documents or the audit log could not be read or written.
pub(super) fn management_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "the documents or the audit log could not be read or written");
}

/// The connection that holds the lock of the database is gone.
pub(super) fn lock_lost(server: &str) {
    tracing::warn!(
        server,
        "the connection that keeps other hubs away from the database was lost; it is made anew"
    );
}

/// The lock is held again.
pub(super) fn lock_taken_again(server: &str) {
    tracing::info!(server, "the lock of the database is held again");
}

/// The lock could not be taken again.
pub(super) fn lock_not_taken(server: &str, problem: &PostgresProblem, failures: u32) {
    // The first failure and then ever fewer.
    if failures.is_power_of_two() {
        tracing::error!(server, %problem, failures, "the lock of the database is not held; it is tried again");
    }
}

/// The tokens of a connection cannot be decrypted.
pub(super) fn tokens_unreadable(connection: &str) {
    tracing::warn!(
        connection,
        "the connection's tokens cannot be decrypted: they were changed, or secret.key was. Run `trivium login {connection}`"
    );
}

/// The store of logins failed.
pub(super) fn logins_failed(error: &StoreError) {
    let cause = error.source().map(tracing::field::display);
    tracing::error!(%error, cause, "logins could not be read or written");
}

/// A backup was made.
pub(super) fn backed_up(name: &str, reason: &'static str, bytes: u64) {
    tracing::info!(name, reason, bytes, "made a backup");
}

/// Something among the backups is none.
pub(super) fn backup_unreadable(error: &BackupProblem) {
    tracing::warn!(%error, "left out of the list of backups");
}

/// A backup was put back.
pub(super) fn restored(name: &str) {
    tracing::info!(name, "restored a backup");
}
