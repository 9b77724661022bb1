//! Opening the SQLite file: its options, its schema, and what its errors mean to an operator. Statements are in the files
//! of their aggregates, in the SQL that PostgreSQL shares.

mod inspect;

use std::{io, path::Path, time::Duration};

use sqlx::{
    ConnectOptions, SqlitePool,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    StoreError,
    data_dir::private_file,
    sql::{Pool, Pools},
};

pub(super) use inspect::{Depth, Inspection, copy, inspect, latest, look};

// A step that has been released is never edited; a new file is only noticed when this one is compiled again.
static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");

/// How long a statement waits for another connection's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// After a checkpoint the write-ahead log is cut to this size, in bytes, so that a burst does not keep the space.
const WAL_KEPT: &str = "16777216";

/// Opens the file, or makes it, and brings its schema up to date. Waits for nothing but the file.
///
/// Both kinds of connections survive a `kill -9` of the hub from the moment of their commit: in WAL mode a commit has
/// handed its pages to the operating system, which outlives the process. What differs is a power cut: FULL for
/// management, so that a key that was revoked stays revoked; NORMAL for the writer, which does not wait for the
/// disk at each commit, so that a power cut may cost the last receipts. The file stays sound either way.
pub(super) async fn open(path: &Path) -> Result<Pools, StoreError> {
    // Made here and not by SQLite, which would leave the mode to the umask. Its companions inherit the mode.
    private_file(path).map_err(|source| StoreError::Directory { path: path.to_owned(), source })?;
    let managing = pool(path, SqliteSynchronous::Full, 2).await.map_err(|error| explain(path, error))?;
    MIGRATIONS.run(&managing).await.map_err(|error| explain_migration(path, error))?;
    let writing = pool(path, SqliteSynchronous::Normal, 1).await.map_err(|error| explain(path, error))?;
    Ok(Pools { managing: Pool::Sqlite(managing), writing: Pool::Sqlite(writing) })
}

/// Copies the write-ahead log into the file and empties it, so that the file alone is a whole backup.
pub(super) async fn checkpoint(pool: &Pool) -> Result<(), sqlx::Error> {
    match pool {
        Pool::Sqlite(pool) => sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(pool).await.map(drop),
        Pool::Postgres { .. } => Ok(()),
    }
}

/// Rebuilds the indexes, refreshes what the planner of queries knows, and writes the log into the file.
pub(super) async fn mend(pool: &Pool) -> Result<(), sqlx::Error> {
    if let Pool::Sqlite(pool) = pool {
        sqlx::query("REINDEX").execute(pool).await?;
        sqlx::query("PRAGMA optimize").execute(pool).await?;
    }
    checkpoint(pool).await
}

async fn pool(
    path: &Path,
    synchronous: SqliteSynchronous,
    connections: u32,
) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .pragma("journal_size_limit", WAL_KEPT)
        // The statements are our own; a log line for each would cost more than it tells.
        .disable_statement_logging();
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(2 * BUSY_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        // A file on this machine does not go away between two statements.
        .test_before_acquire(false)
        .connect_with(options)
        .await
}

/// SQLite's primary result codes (<https://www.sqlite.org/rescode.html>), as far as an operator can act on them.
pub(super) fn explain(path: &Path, error: sqlx::Error) -> StoreError {
    let path = path.to_owned();
    match primary_code(&error) {
        Some(11 | 26) => StoreError::Corrupt { path, source: error },
        Some(8 | 14 | 23) => StoreError::Directory { path, source: io::Error::other(error) },
        _ => StoreError::Database(error),
    }
}

fn explain_migration(path: &Path, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::Newer { path: path.to_owned(), version },
        MigrateError::Execute(error) => explain(path, error),
        MigrateError::ExecuteMigration(error, _) if primary_code(&error).is_some_and(|code| code != 1) => {
            explain(path, error)
        }
        source => StoreError::Migration { path: path.to_owned(), source },
    }
}

/// The low byte of an extended result code.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

/// A database as an older program left it: with the first steps of the schema alone.
#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
pub(super) async fn open_at_step(path: &Path, last: i64) {
    let older = MIGRATIONS.iter().filter(|step| step.version <= last).cloned().collect();
    drop(private_file(path).unwrap());
    let pool = pool(path, SqliteSynchronous::Full, 1).await.unwrap();
    Migrator::with_migrations(older).run(&pool).await.unwrap();
    pool.close().await;
}
