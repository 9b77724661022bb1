//! The data directory: one hub at a time, and nobody else's eyes. What is in its files is said elsewhere.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use super::{RuntimeFile, StoreError};

/// A command that looks whether a hub runs holds the lock for a moment; a hub that starts just then tries again.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

/// A data directory that is locked for this process. The last clone gives the lock back, as does the end
/// of the process, however it comes.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
    _lock: Arc<File>,
}

impl DataDir {
    /// Makes the directory if it is missing, and locks it. Blocks for a tenth of a second at most.
    ///
    /// # Errors
    /// [`StoreError::InUse`] names the hub that has it; [`StoreError::Directory`] when it cannot be written.
    pub fn lock(path: &Path) -> Result<Self, StoreError> {
        let unwritable = |source| StoreError::Directory { path: path.to_owned(), source };
        private_dir(path).map_err(unwritable)?;
        let file = private_file(&lock_path(path)).map_err(unwritable)?;
        for _ in 1..TRIES {
            if file.try_lock().is_ok() {
                return Ok(Self { path: path.to_owned(), _lock: Arc::new(file) });
            }
            thread::sleep(BETWEEN_TRIES);
        }
        match file.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: Arc::new(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::InUse { path: path.to_owned(), hub: running_hub(path) })
            }
            Err(TryLockError::Error(source)) => Err(unwritable(source)),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.path.join("trivium.db")
    }
}

/// Whether some process has the directory locked.
pub(super) fn is_locked(path: &Path) -> bool {
    let Ok(file) = File::open(lock_path(path)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Opens a file for writing that only its owner may read; makes it if it is missing and keeps what is in it.
pub(super) fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // One that was there before may be open to others.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// Makes a directory that only its owner may look into, with its parents; one that exists stays as it is.
pub(super) fn private_dir(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn lock_path(path: &Path) -> PathBuf {
    path.join("hub.lock")
}

fn running_hub(path: &Path) -> String {
    match RuntimeFile::read(path) {
        Ok(Some(hub)) => {
            format!("the hub at {} (version {}, process {})", hub.base_url, hub.version, hub.pid)
        }
        _ => "another hub, which has not said where it listens".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::engine::settings::Secret;

    #[test]
    fn one_hub_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/data");
        let first = DataDir::lock(&path).unwrap();
        assert!(is_locked(&path));
        let refused = DataDir::lock(&path).unwrap_err().to_string();
        assert!(refused.contains("another hub") && refused.contains("DATA_DIR"), "{refused}");
        let clone = first.clone();
        drop(first);
        assert!(DataDir::lock(&path).is_err(), "a clone keeps the lock");
        drop(clone);
        assert!(!is_locked(&path));
        DataDir::lock(&path).unwrap();
    }

    #[test]
    fn the_running_hub_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let locked = DataDir::lock(dir.path()).unwrap();
        RuntimeFile::new("http://127.0.0.1:20128", Secret::new("tvm_x"), 7).write(&locked).unwrap();
        let refused = DataDir::lock(dir.path()).unwrap_err().to_string();
        assert!(refused.contains("the hub at http://127.0.0.1:20128"), "{refused}");
        assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_explained() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = DataDir::lock(&file.join("data")).unwrap_err();
        assert!(matches!(refused, StoreError::Directory { .. }));
        assert!(refused.to_string().contains("choose another directory with DATA_DIR"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data");
        let data_dir = DataDir::lock(&path).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        fs::write(data_dir.database(), "").unwrap();
        private_file(&data_dir.database()).unwrap();
        assert_eq!(mode(&data_dir.database()), 0o600);
    }
}
