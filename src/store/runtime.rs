//! `runtime/hub.json`: how a command on the same machine finds the running hub and proves that it may talk to it.
//! What the hub's secret allows is decided in `auth`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    DataDir, StoreError,
    data_dir::{is_locked, private_dir, private_file},
};
use crate::engine::settings::Secret;

/// What a running hub says of itself to commands of the same user.
#[derive(Debug, Clone)]
pub struct RuntimeFile {
    /// Where it listens, such as `http://127.0.0.1:20128`.
    pub base_url: String,
    /// A key with every scope, made anew at each start.
    pub secret: Secret,
    /// Its process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// When it started, in milliseconds since the Unix epoch.
    pub started_at: i64,
}

/// The file's text. Only here does the secret leave its wrapping.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    base_url: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    secret: std::borrow::Cow<'a, str>,
    pid: u32,
    #[serde(borrow)]
    version: std::borrow::Cow<'a, str>,
    started_at: i64,
}

impl RuntimeFile {
    /// For this process.
    #[must_use]
    pub fn new(base_url: &str, secret: Secret, started_at: i64) -> Self {
        Self {
            base_url: base_url.to_owned(),
            secret,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at,
        }
    }

    /// What the hub that uses this data directory wrote; `None` when none runs, even if one that was killed
    /// left its file behind.
    ///
    /// # Errors
    /// [`StoreError::Runtime`] when the file is there and cannot be read.
    pub fn of_running_hub(data_dir: &Path) -> Result<Option<Self>, StoreError> {
        if is_locked(data_dir) { Self::read(data_dir) } else { Ok(None) }
    }

    /// Reads the file, whether or not its hub still runs.
    ///
    /// # Errors
    /// [`StoreError::Runtime`] when the file is there and cannot be read.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = path(data_dir);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Runtime { path, source }),
        };
        let written: Written<'_> = serde_json::from_str(&text)
            .map_err(|error| StoreError::Runtime { path, source: error.into() })?;
        Ok(Some(Self {
            base_url: written.base_url.into_owned(),
            secret: Secret::new(written.secret.into_owned()),
            pid: written.pid,
            version: written.version.into_owned(),
            started_at: written.started_at,
        }))
    }

    /// Writes the file. A reader sees the old one or the new one, never half of it.
    ///
    /// # Errors
    /// [`StoreError::Runtime`].
    pub fn write(&self, data_dir: &DataDir) -> Result<(), StoreError> {
        let path = path(data_dir.path());
        self.replace(&path).map_err(|source| StoreError::Runtime { path, source })
    }

    /// Removes the file; one that is not there is fine.
    ///
    /// # Errors
    /// [`StoreError::Runtime`].
    pub fn remove(data_dir: &DataDir) -> Result<(), StoreError> {
        let path = path(data_dir.path());
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Runtime { path, source })
            }
            _ => Ok(()),
        }
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let written = Written {
            base_url: self.base_url.as_str().into(),
            secret: self.secret.expose().into(),
            pid: self.pid,
            version: self.version.as_str().into(),
            started_at: self.started_at,
        };
        let text = serde_json::to_vec_pretty(&written)?;
        if let Some(dir) = path.parent() {
            private_dir(dir)?;
        }
        // Nobody else writes here, since the directory is locked. Not synced: after a power cut no hub runs.
        let draft = path.with_extension("json.new");
        let mut file = private_file(&draft)?;
        file.set_len(0)?;
        file.write_all(&text)?;
        drop(file);
        fs::rename(&draft, path)
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("runtime").join("hub.json")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn is_found_while_the_hub_runs_and_not_after() {
        let dir = tempfile::tempdir().unwrap();
        assert!(RuntimeFile::of_running_hub(dir.path()).unwrap().is_none());
        let data_dir = DataDir::lock(dir.path()).unwrap();
        let mine = RuntimeFile::new("http://127.0.0.1:1", Secret::new("tvm_canary"), 42);
        mine.write(&data_dir).unwrap();
        mine.write(&data_dir).unwrap();
        let found = RuntimeFile::of_running_hub(dir.path()).unwrap().unwrap();
        assert_eq!((found.base_url.as_str(), found.started_at), ("http://127.0.0.1:1", 42));
        assert_eq!(found.secret.expose(), mine.secret.expose());
        assert!(!format!("{found:?}").contains(mine.secret.expose()));
        drop(data_dir);
        assert!(RuntimeFile::read(dir.path()).unwrap().is_some(), "a killed hub leaves its file");
        assert!(RuntimeFile::of_running_hub(dir.path()).unwrap().is_none(), "but does not run");
    }

    #[test]
    fn is_removed_and_damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::lock(dir.path()).unwrap();
        RuntimeFile::remove(&data_dir).unwrap();
        RuntimeFile::new("http://127.0.0.1:1", Secret::new("tvm_canary"), 1).write(&data_dir).unwrap();
        fs::write(path(dir.path()), "{").unwrap();
        assert!(matches!(RuntimeFile::read(dir.path()), Err(StoreError::Runtime { .. })));
        RuntimeFile::remove(&data_dir).unwrap();
        assert!(RuntimeFile::read(dir.path()).unwrap().is_none());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let data_dir = DataDir::lock(dir.path()).unwrap();
        RuntimeFile::new("http://127.0.0.1:1", Secret::new("tvm_canary"), 1).write(&data_dir).unwrap();
        let mode = fs::metadata(path(dir.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
