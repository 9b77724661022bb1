//! Where the first key's text goes when there is no terminal to print it on.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::observe::events;

/// Writes the text to a file that only its owner can read, and logs the path (never the text).
///
/// # Errors
/// When the file cannot be written.
pub fn write_first_key(data_dir: &Path, secret: &str) -> io::Result<PathBuf> {
    let path = data_dir.join("first-key.txt");
    // An old file could have been made readable for others.
    drop(std::fs::remove_file(&path));
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()?;
    events::first_key_written(&path);
    Ok(path)
}
