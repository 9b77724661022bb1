//! Backups: folders below `backups` in the data directory, each with a copy of the database (a SQLite file, whatever the store is), the key to what is encrypted in
//! it, and a manifest. A folder has its name only once it is whole. What a copy is asked for, and how long it is kept, is
//! said in `ops`; how one is put back, in `restore`.

mod files;
mod manifest;
mod restore;
#[cfg(test)]
mod tests;
mod verify;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_core::future::BoxFuture;
use operations::backups::{BackupReason, BackupVerdict, BackupView};
use tokio::sync::Mutex;

use super::{StoreError, Writer, data_dir::DataDir, events, mirror, seal, sql::Pool, sqlite};
use crate::{
    engine::ports::Clock,
    ops::ports::{BackupStore, BackupStoreError},
};
pub(super) use restore::none_is_half_done;
pub use restore::{Restored, restore, restore_into};

/// The name of the copied database in a backup.
const DATABASE: &str = "trivium.db";
/// A backup that is not whole yet, and one that is being deleted. No name of a backup begins with a dot.
const DRAFT: &str = ".making";
const DOOMED: &str = ".deleting";
/// What a copy of a PostgreSQL database is put together in.
const DRAWN: &str = "drawn.db";

/// Why a backup could not be made, read or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupProblem {
    /// There is none of that name.
    #[error("there is no backup `{0}`; `trivium backups list` names those that there are")]
    Missing(String),
    /// Another one is being made.
    #[error("another backup is being made; try again when it is done")]
    Busy,
    /// The database to put it into is in use, or was.
    #[error(
        "the PostgreSQL database of `store.url` is not empty, and nothing in it is overwritten: make a new one, name it in \
         `store.url`, and restore again. Nothing was changed"
    )]
    NotEmpty,
    /// A restore did not come to its end.
    #[error(
        "a backup was being restored when the program or the machine stopped, and {} is left of it: run `trivium backups restore` \
         again. Or, to have back what was there before, move what is newest in {} back and delete the files named `*.restoring`",
        path.display(), aside.display()
    )]
    Interrupted {
        /// What is left.
        path: PathBuf,
        /// Where it puts what was there.
        aside: PathBuf,
    },
    /// A file of it cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no backup, or a newer program made it.
    #[error("{} is no backup that this program can read: {reason}", path.display())]
    Unreadable {
        /// Where it is.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It cannot be restored.
    #[error("the backup {} cannot be restored: {}. Nothing was changed", path.display(), problems.join("; "))]
    NotWhole {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// The database could not be copied.
    #[error("the database could not be copied to {}: {source}", path.display())]
    Copy {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}

/// What the system said of a file.
fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupProblem {
    let path = path.to_owned();
    move |source| BackupProblem::File { path, source }
}

/// The backups of a data directory.
#[derive(Clone)]
pub struct SqlBackups {
    data_dir: DataDir,
    /// The database, where it is not a file of that directory.
    server: Option<Pool>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    turn: Arc<Mutex<()>>,
}

impl SqlBackups {
    pub(super) fn new(
        data_dir: DataDir,
        server: Option<Pool>,
        writer: Writer,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { data_dir, server, writer, clock, turn: Arc::default() }
    }

    async fn make(&self, reason: BackupReason, with_key: bool) -> Result<BackupView, StoreError> {
        let Ok(_turn) = self.turn.try_lock() else { return Err(BackupProblem::Busy.into()) };
        self.writer.flush().await?;
        make((&self.data_dir, self.server.as_ref()), reason, with_key, self.clock.now()).await
    }
}

/// Every backup of a data directory, newest first.
pub(super) fn list(data_dir: &Path) -> Result<Vec<BackupView>, BackupProblem> {
    files::list(&files::folder(data_dir))
}

/// Copies the database of a data directory, or the one on a server, whether or not somebody else writes to it.
async fn make(
    (data_dir, server): (&DataDir, Option<&Pool>),
    reason: BackupReason,
    with_key: bool,
    now: i64,
) -> Result<BackupView, StoreError> {
    let folder = files::folder(data_dir.path());
    let draft = files::draft(&folder)?;
    let made = fill((data_dir, server), (folder, draft.clone()), reason, with_key, now).await;
    match &made {
        Ok(view) => events::backed_up(&view.name, view.reason.as_str(), view.bytes),
        // On a full disk, the half of a backup takes what the hub needs.
        Err(_) => files::discard(&draft),
    }
    made
}

/// Fills the draft, and gives it its name.
async fn fill(
    (data_dir, server): (&DataDir, Option<&Pool>),
    (folder, draft): (PathBuf, PathBuf),
    reason: BackupReason,
    with_key: bool,
    now: i64,
) -> Result<BackupView, StoreError> {
    let copy = draft.join(DATABASE);
    match server {
        None => sqlite::copy(&data_dir.database(), &copy).await,
        Some(server) => Box::pin(draw(server, &draft.join(DRAWN), &copy)).await?,
    }
    .map_err(|source| BackupProblem::Copy { path: copy.clone(), source })?;
    let found = sqlite::inspect(&copy, sqlite::Depth::Counts).await;
    let found = found.map_err(|source| BackupProblem::Copy { path: copy.clone(), source })?;
    let key = Some(data_dir.path().join(seal::FILE)).filter(|_| with_key);
    let finish = move || {
        let has_key = key.map_or(Ok(false), |key| files::copy_key(&key, &draft))?;
        let (bytes, sha256) = files::digest(&copy)?;
        let program = env!("CARGO_PKG_VERSION").to_owned();
        let view = |name| BackupView {
            name,
            made_at: now,
            reason,
            program,
            schema: found.schema,
            has_key,
            bytes,
            sha256,
            rows: found.rows,
        };
        files::publish(&folder, &draft, now, view)
    };
    beside(finish).await
}

/// Draws a database on a server off into a file, and copies that without what SQLite needs only while it writes.
async fn draw(server: &Pool, drawn: &Path, copy: &Path) -> Result<Result<(), sqlx::Error>, StoreError> {
    mirror::to_file(server, drawn).await?;
    let copied = sqlite::copy(drawn, copy).await;
    for end in ["", "-wal", "-shm"] {
        let mut name = drawn.as_os_str().to_owned();
        name.push(end);
        // One that is not there need not go; one that stays goes unnoticed with the backup.
        drop(std::fs::remove_file(name));
    }
    Ok(copied)
}

/// Makes a backup of a database whose schema is older than this program's, before that is changed.
pub(super) async fn before_upgrade(data_dir: &DataDir, clock: &dyn Clock) -> Result<(), StoreError> {
    let database = data_dir.database();
    if !database.metadata().is_ok_and(|meta| meta.len() > 0) {
        return Ok(());
    }
    // Damage, and a schema that is newer, are found and explained by whoever opens the database next.
    let Ok(found) = sqlite::inspect(&database, sqlite::Depth::Schema).await else { return Ok(()) };
    if found.schema == 0 || found.schema >= sqlite::latest() {
        return Ok(());
    }
    make((data_dir, None), BackupReason::Upgrade, true, clock.now()).await.map(drop)
}

/// Works with files on a thread of its own.
async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupProblem> + Send + 'static,
) -> Result<T, StoreError> {
    // Fails only when the runtime shuts down.
    let done = tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::WriterStopped)?;
    Ok(done?)
}

fn failed(error: StoreError) -> BackupStoreError {
    match error {
        StoreError::Backup(BackupProblem::Missing(_)) => BackupStoreError::NotFound,
        StoreError::Backup(problem @ (BackupProblem::Busy | BackupProblem::Unreadable { .. })) => {
            BackupStoreError::Refused(problem.to_string())
        }
        error => {
            events::management_failed(&error);
            BackupStoreError::Failed(Box::new(error))
        }
    }
}

impl BackupStore for SqlBackups {
    fn create(
        &self,
        reason: BackupReason,
        with_key: bool,
    ) -> BoxFuture<'_, Result<BackupView, BackupStoreError>> {
        Box::pin(async move { self.make(reason, with_key).await.map_err(failed) })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<BackupView>, BackupStoreError>> {
        let folder = files::folder(self.data_dir.path());
        Box::pin(async move { beside(move || files::list(&folder)).await.map_err(failed) })
    }

    fn verify(&self, name: String) -> BoxFuture<'_, Result<BackupVerdict, BackupStoreError>> {
        Box::pin(async move {
            let path = files::existing(&files::folder(self.data_dir.path()), &name);
            let path = path.map_err(|problem| failed(problem.into()))?;
            let verified = verify::verify(&path, self.data_dir.path()).await.map_err(failed)?;
            Ok(BackupVerdict { name, ..verified })
        })
    }

    fn delete(&self, name: String) -> BoxFuture<'_, Result<(), BackupStoreError>> {
        let folder = files::folder(self.data_dir.path());
        Box::pin(async move {
            let Ok(_turn) = self.turn.try_lock() else { return Err(failed(BackupProblem::Busy.into())) };
            beside(move || files::delete(&folder, &name)).await.map_err(failed)
        })
    }
}
