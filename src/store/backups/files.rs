//! The files of backups: where they are, how they are named, and that none is ever seen half made.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use operations::backups::BackupView;
use sha2::{Digest, Sha256};

use super::{BackupProblem, DOOMED, DRAFT, at, manifest};
use crate::{
    engine::settings::calendar::{DAY, date},
    store::{
        data_dir::{private_dir, private_file},
        events, seal,
    },
};

/// Where the backups of a data directory are.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("backups")
}

/// An empty folder for a backup that is being made. What a process that was killed left of another one goes.
pub(super) fn draft(folder: &Path) -> Result<PathBuf, BackupProblem> {
    let draft = folder.join(DRAFT);
    remove(&draft).map_err(at(&draft))?;
    private_dir(&draft).map_err(at(&draft))?;
    Ok(draft)
}

/// Takes away a backup that did not become one. What cannot be taken away now goes with the next draft.
pub(super) fn discard(draft: &Path) {
    drop(remove(draft));
}

/// Copies the key, if there is one; says whether there is.
pub(super) fn copy_key(key: &Path, to: &Path) -> Result<bool, BackupProblem> {
    let bytes = match fs::read(key) {
        Ok(bytes) => zeroize::Zeroizing::new(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(at(key)(error)),
    };
    let to = to.join(seal::FILE);
    let write = || {
        let mut file = private_file(&to)?;
        file.set_len(0)?;
        file.write_all(&bytes)?;
        file.sync_all()
    };
    write().map_err(at(&to))?;
    Ok(true)
}

/// Gives a backup its manifest and its name. What has its name survives a power cut.
pub(super) fn publish(
    folder: &Path,
    draft: &Path,
    now: i64,
    view: impl FnOnce(String) -> BackupView,
) -> Result<BackupView, BackupProblem> {
    let view = view(free_name(folder, now));
    manifest::write(draft, &view)?;
    let path = folder.join(&view.name);
    fs::rename(draft, &path).map_err(at(&path))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    Ok(view)
}

/// The time in UTC; with a number behind it when two are made within a second.
fn free_name(folder: &Path, now: i64) -> String {
    let name = stamp(now);
    let numbered = (2..).map(|number: u32| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !folder.join(name).exists()).unwrap_or(name)
}

/// A time in UTC that sorts like the time, such as `20300131T235959Z`.
pub(super) fn stamp(now: i64) -> String {
    let (year, month, day) = date(now.div_euclid(DAY));
    let second = now.rem_euclid(DAY) / 1000;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Every backup, newest first.
pub(super) fn list(folder: &Path) -> Result<Vec<BackupView>, BackupProblem> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(folder)(error)),
    };
    let mut backups = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at(folder))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        match manifest::read(&entry.path()) {
            // A folder that somebody renamed is known by the name that it has.
            Ok(view) => backups.push(BackupView { name, ..view }),
            Err(problem) => events::backup_unreadable(&problem),
        }
    }
    backups.sort_by(|a, b| (b.made_at, &b.name).cmp(&(a.made_at, &a.name)));
    Ok(backups)
}

/// Where the backup of that name is.
pub(super) fn existing(folder: &Path, name: &str) -> Result<PathBuf, BackupProblem> {
    let path = folder.join(name);
    if path.is_dir() { Ok(path) } else { Err(BackupProblem::Missing(name.to_owned())) }
}

/// Takes its name away first, so that nobody finds a half of it.
pub(super) fn delete(folder: &Path, name: &str) -> Result<(), BackupProblem> {
    let path = existing(folder, name)?;
    let doomed = folder.join(DOOMED);
    remove(&doomed).map_err(at(&doomed))?;
    fs::rename(&path, &doomed).map_err(at(&path))?;
    remove(&doomed).map_err(at(&doomed))
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The length of a file, and its SHA-256 in hexadecimal. Afterwards the file is on the disk.
pub(super) fn digest(path: &Path) -> Result<(u64, String), BackupProblem> {
    let read = || {
        let mut file = File::open(path)?;
        file.sync_all()?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 * 1024];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
        let digest = hash.finalize();
        Ok((bytes, digest.iter().map(|byte| format!("{byte:02x}")).collect()))
    };
    read().map_err(at(path))
}
