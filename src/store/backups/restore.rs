//! Putting a backup back. Nothing that is there is deleted: it is moved aside, so that the way back is open.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use operations::backups::BackupView;

use super::{BackupProblem, DATABASE, at, files, manifest, verify};
use crate::{
    engine::settings::Secret,
    store::{
        DataDir, StoreError,
        data_dir::{private_dir, private_file},
        events, mirror, postgres, seal,
        sql::Pool,
    },
};

/// The folder for what was there before.
const REPLACED: &str = "replaced";

/// What was put back.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The backup.
    pub backup: BackupView,
    /// Where what was there before is now; `None` when there was nothing.
    pub aside: Option<PathBuf>,
}

/// Puts a backup back: the one of that name, or the one in that folder. Nobody may use the data directory meanwhile.
///
/// # Errors
/// [`StoreError::InUse`] names the hub that runs; [`StoreError::Backup`] says what is wrong with the backup. In both
/// cases nothing was changed.
pub async fn restore(data_dir: &Path, backup: &str, now: i64) -> Result<Restored, StoreError> {
    let locked = DataDir::lock(data_dir)?;
    let folder = find(data_dir, backup)?;
    let verdict = verify::verify(&folder, data_dir).await?;
    if !verdict.whole {
        return Err(BackupProblem::NotWhole { path: folder, problems: verdict.problems }.into());
    }
    let done = super::beside(move || put_back(&locked, &folder, now)).await?;
    events::restored(&done.backup.name);
    Ok(done)
}

/// Puts a backup into an empty PostgreSQL database, whichever database it was made of: all of it or nothing. The key of the data
/// directory is moved aside where the backup has another.
///
/// # Errors
/// As [`restore`]; [`BackupProblem::NotEmpty`] when there is something in the database.
pub async fn restore_into(
    data_dir: &Path,
    url: &Secret,
    backup: &str,
    now: i64,
) -> Result<Restored, StoreError> {
    let locked = DataDir::lock(data_dir)?;
    let folder = find(data_dir, backup)?;
    let verdict = verify::verify(&folder, data_dir).await?;
    if !verdict.whole {
        return Err(BackupProblem::NotWhole { path: folder, problems: verdict.problems }.into());
    }
    let (pools, lock) = postgres::open(url).await?;
    let done = put_into(&locked, &folder, &pools.managing, now).await;
    pools.close().await;
    lock.release();
    let done = done?;
    events::restored(&done.backup.name);
    Ok(done)
}

/// Fails while a restore is half done. A hub that started then would make an empty database, or a new key, beside what is to be
/// put back.
///
/// # Errors
/// [`BackupProblem::Interrupted`].
pub(in crate::store) fn none_is_half_done(data_dir: &DataDir) -> Result<(), BackupProblem> {
    let left =
        [DATABASE, seal::FILE].map(|name| draft(data_dir, name)).into_iter().find(|path| path.exists());
    let interrupted = |path| BackupProblem::Interrupted { path, aside: data_dir.path().join(REPLACED) };
    left.map(interrupted).map_or(Ok(()), Err)
}

/// What is to take a file's place. While there is one, a restore is under way.
fn draft(data_dir: &DataDir, name: &str) -> PathBuf {
    data_dir.path().join(format!("{name}.restoring"))
}

/// The key first: where this stops in between the database is still empty, and the next try begins anew.
async fn put_into(locked: &DataDir, folder: &Path, to: &Pool, now: i64) -> Result<Restored, StoreError> {
    if !mirror::is_unused(to).await? {
        return Err(BackupProblem::NotEmpty.into());
    }
    // A copy, whose schema may be brought up to date.
    let draft = draft(locked, DATABASE);
    let (from, data_dir, file) = (folder.to_owned(), locked.clone(), draft.clone());
    let placed = super::beside(move || {
        let backup = manifest::read(&from)?;
        drop_draft(&file);
        stage(&from.join(DATABASE), &file).map_err(at(&file))?;
        let aside = if backup.has_key { place_key(&data_dir, &from, now)? } else { None };
        Ok(Restored { backup, aside })
    });
    let placed = match placed.await {
        Ok(placed) => placed,
        Err(error) => {
            // Of the key's own draft it depends on whether the key was moved.
            drop_draft(&draft);
            return Err(error);
        }
    };
    let done = mirror::from_file(&draft, to).await;
    drop_draft(&draft);
    done.map(|()| placed)
}

fn place_key(data_dir: &DataDir, folder: &Path, now: i64) -> Result<Option<PathBuf>, BackupProblem> {
    let (key, place) = (folder.join(seal::FILE), data_dir.path().join(seal::FILE));
    let same = fs::read(&place).is_ok_and(|there| fs::read(&key).is_ok_and(|new| new == there));
    if same {
        return Ok(None);
    }
    let draft = draft(data_dir, seal::FILE);
    let resumed = draft.exists();
    if let Err(error) = stage(&key, &draft) {
        if !resumed {
            drop_draft(&draft);
        }
        return Err(at(&draft)(error));
    }
    let aside = move_aside(data_dir, &[seal::FILE], now)?;
    fs::rename(&draft, &place).map_err(at(&place))?;
    File::open(data_dir.path()).and_then(|dir| dir.sync_all()).map_err(at(data_dir.path()))?;
    Ok(aside)
}

/// What SQLite left beside it goes, too.
fn drop_draft(draft: &Path) {
    for end in ["", "-wal", "-shm"] {
        let mut name = draft.as_os_str().to_owned();
        name.push(end);
        drop(fs::remove_file(name));
    }
}

/// A name is looked up among the backups first; anything else is a path.
fn find(data_dir: &Path, backup: &str) -> Result<PathBuf, BackupProblem> {
    let named = files::folder(data_dir).join(backup);
    let path = [named, PathBuf::from(backup)].into_iter().find(|path| path.is_dir());
    path.ok_or_else(|| BackupProblem::Missing(backup.to_owned()))
}

fn put_back(data_dir: &DataDir, folder: &Path, now: i64) -> Result<Restored, BackupProblem> {
    let backup = manifest::read(folder)?;
    // Copied whole before anything is moved: a full disk is found out in time.
    let names: &[&str] = if backup.has_key { &[DATABASE, seal::FILE] } else { &[DATABASE] };
    let mut staged = Vec::new();
    let resumed = none_is_half_done(data_dir).is_err();
    for name in names {
        let (draft, place) = (draft(data_dir, name), data_dir.path().join(name));
        let done = stage(&folder.join(name), &draft).map_err(at(&draft));
        staged.push((draft, place));
        // Nothing was moved yet, and so there is nothing to be finished; unless this is to finish an earlier one.
        if let (Err(_), false) = (&done, resumed) {
            staged.iter().for_each(|(draft, _)| drop_draft(draft));
        }
        done?;
    }
    // The database's companions first: a log that is left behind would be read into the wrong database.
    let mut old = vec!["trivium.db-wal", "trivium.db-shm", DATABASE];
    if backup.has_key {
        old.push(seal::FILE);
    }
    let aside = move_aside(data_dir, &old, now)?;
    for (draft, place) in &staged {
        fs::rename(draft, place).map_err(at(place))?;
    }
    File::open(data_dir.path()).and_then(|dir| dir.sync_all()).map_err(at(data_dir.path()))?;
    Ok(Restored { backup, aside })
}

fn stage(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut draft = private_file(to)?;
    draft.set_len(0)?;
    io::copy(&mut source, &mut draft)?;
    draft.sync_all()
}

fn move_aside(data_dir: &DataDir, names: &[&str], now: i64) -> Result<Option<PathBuf>, BackupProblem> {
    let mut names = names.to_vec();
    names.retain(|name| data_dir.path().join(name).exists());
    if names.is_empty() {
        return Ok(None);
    }
    let replaced = data_dir.path().join(REPLACED);
    let stamp = files::stamp(now);
    let numbered = (2..).map(|number: u32| replaced.join(format!("{stamp}-{number}")));
    let mut free = std::iter::once(replaced.join(&stamp)).chain(numbered);
    let aside = free.find(|path| !path.exists()).unwrap_or_else(|| replaced.join(&stamp));
    private_dir(&aside).map_err(at(&aside))?;
    for name in names {
        let from = data_dir.path().join(name);
        fs::rename(&from, aside.join(name)).map_err(at(&from))?;
    }
    Ok(Some(aside))
}
