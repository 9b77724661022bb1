//! Putting a backup back. Nothing that is there is deleted: it is moved aside, so that the way back is open.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use operations::backups::BackupView;

use super::{BackupProblem, DATABASE, at, files, manifest, verify};
use crate::store::{
    DataDir, StoreError,
    data_dir::{private_dir, private_file},
    events, seal,
};

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
    for name in names {
        let place = data_dir.path().join(name);
        let draft = data_dir.path().join(format!("{name}.restoring"));
        stage(&folder.join(name), &draft).map_err(at(&draft))?;
        staged.push((draft, place));
    }
    let aside = move_aside(data_dir, backup.has_key, now)?;
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

/// The database's companions first: a log that is left behind would be read into the wrong database.
fn move_aside(data_dir: &DataDir, key_too: bool, now: i64) -> Result<Option<PathBuf>, BackupProblem> {
    let mut names = vec!["trivium.db-wal", "trivium.db-shm", DATABASE];
    if key_too {
        names.push(seal::FILE);
    }
    names.retain(|name| data_dir.path().join(name).exists());
    if names.is_empty() {
        return Ok(None);
    }
    let replaced = data_dir.path().join("replaced");
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
