//! The file of the key: 32 bytes, or 64 while one key takes another's place. Never seen half written.

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, KeyProblem};
use crate::store::data_dir::private_file;

/// The keys in the file, the one that seals first; `None` where there is no file.
pub(super) fn read(path: &Path) -> Result<Option<Arc<[Key]>>, KeyProblem> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let meta = file.metadata()?;
    #[cfg(unix)]
    {
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyProblem::Open(mode));
        }
    }
    let count = [1, 2].into_iter().find(|count| meta.len() == (count * KEY_BYTES) as u64);
    let count = count.ok_or(KeyProblem::Size(meta.len()))?;
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
        file.read_exact(&mut bytes)?;
        keys.push(Key(Arc::new(bytes)));
    }
    Ok(Some(keys.into()))
}

/// Puts these keys in the place of what is there. Whoever finds the file finds all of it, also after a power cut: what is sealed
/// with it would be lost otherwise. Nobody else writes here, since the directory is locked.
pub(super) fn write(path: &Path, keys: &[Key]) -> Result<(), KeyProblem> {
    let draft = path.with_extension("key.new");
    let mut file = private_file(&draft)?;
    file.set_len(0)?;
    for key in keys {
        file.write_all(&key.0)?;
    }
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, path)?;
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}
