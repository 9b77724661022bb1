//! What can go wrong with the store, worded for the operator: what happened, why, and what to do about it.

use std::{io, path::PathBuf};

use super::{BackupProblem, PostgresProblem, seal::KeyProblem};

/// A store that cannot be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The data directory cannot be made or written.
    #[error(
        "cannot write in the data directory {}: {source}. Give this user the right to write there, \
         or choose another directory with DATA_DIR",
        path.display()
    )]
    Directory {
        /// What could not be made or opened.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another hub uses the data directory.
    #[error(
        "the data directory {} is in use by {hub}. Stop that hub, or give this one a directory of its own \
         with DATA_DIR",
        path.display()
    )]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// The other hub, as far as it is known.
        hub: String,
    },
    /// The database file is damaged, or is something else.
    #[error(
        "{} is damaged or is not a SQLite database. Restore it from a backup, or move it away: \
         the hub then starts with a new one, without the keys of the old",
        path.display()
    )]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The database was written by a newer program.
    #[error(
        "{} was written by a newer Trivium (its schema has step {version}, which this program does not know). \
         Start that version or a newer one, or choose another directory with DATA_DIR",
        path.display()
    )]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The unknown step.
        version: i64,
    },
    /// The database's schema could not be brought up to date.
    #[error(
        "the schema of {} could not be brought up to date. The file was left as it was; start the version \
         that wrote it, or report this with the cause",
        path.display()
    )]
    Migration {
        /// The database file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A PostgreSQL database cannot be used.
    #[error("cannot use the PostgreSQL database {server} (`store.url`): {problem}")]
    Postgres {
        /// The database and where it is, without the password.
        server: String,
        /// Why, and what to do.
        problem: PostgresProblem,
    },
    /// The runtime file cannot be read or written.
    #[error("cannot use the runtime file {}: {source}", path.display())]
    Runtime {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The key to what is encrypted cannot be used.
    #[error("cannot use {}, the key to what the hub keeps: {problem}", path.display())]
    SecretKey {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        problem: KeyProblem,
    },
    /// Something that is encrypted cannot be read with the key at hand.
    #[error(
        "{rows} rows that are encrypted cannot be read with the `secret.key` of the data folder ({places}). Put the right one \
         back from a backup. Nothing was changed"
    )]
    Unreadable {
        /// How many.
        rows: u64,
        /// Where they are.
        places: String,
    },
    /// A backup cannot be made, read or put back.
    #[error(transparent)]
    Backup(#[from] BackupProblem),
    /// The database refused a statement.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// What was queued could not be written.
    #[error(
        "{receipts} receipts, {cooldowns} cooldowns, {windows} windows of quotas and the places of {locations} responses \
         could not be written, because the database fails"
    )]
    NotWritten {
        /// Receipts that are still queued; lost when the store was closing.
        receipts: usize,
        /// Changes of cooldowns of which the same is true.
        cooldowns: usize,
        /// Windows of quotas of which the same is true.
        windows: usize,
        /// Locations of responses of which the same is true.
        locations: usize,
        /// What the database said last.
        source: sqlx::Error,
    },
    /// The writer's runtime was shut down before the store was closed.
    #[error("the store's writer has stopped before its time; the last receipts may be lost")]
    WriterStopped,
}
