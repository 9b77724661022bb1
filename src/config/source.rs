//! The text of the configuration: from a file, from memory, or none. What it says is for `parse`.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{env::Env, locate::locate, origin::Origin, problem::Problems};

/// Larger files are refused; a thousand connections need a tenth of this.
const MAX_BYTES: u64 = 1024 * 1024;

/// Where the configuration is to be read from.
#[derive(Clone, Default)]
pub enum Source {
    /// The usual places; see `docs/configuration.md`.
    #[default]
    Discover,
    /// This file, which must exist.
    File(PathBuf),
    /// No file: this text, known to people by this name.
    Text {
        /// What reports call it.
        name: String,
        /// The YAML.
        text: String,
    },
    /// Nothing but environment, flags and defaults.
    Nothing,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discover => f.write_str("Discover"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Text { name, .. } => f.debug_tuple("Text").field(name).finish(),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

impl Source {
    /// The file that this is about, if there is one.
    #[must_use]
    pub fn path(&self, env: &Env) -> Option<PathBuf> {
        match self {
            Self::Discover => locate(env, None),
            Self::File(path) => locate(env, Some(path)),
            Self::Text { .. } | Self::Nothing => None,
        }
    }

    /// Whether this stands for a file, if there is one.
    pub(super) const fn is_file(&self) -> bool {
        matches!(self, Self::Discover | Self::File(_))
    }

    /// The bytes and the name that reports use; `None` when there is nothing to read.
    pub(super) fn read(&self, env: &Env) -> Option<(Arc<Path>, io::Result<Vec<u8>>)> {
        if let Self::Text { name, text } = self {
            return Some((Arc::from(Path::new(name)), Ok(text.clone().into_bytes())));
        }
        let path = self.path(env)?;
        let bytes = read_bounded(&path);
        Some((Arc::from(path), bytes))
    }
}

/// Reads one byte more than is allowed, so that the caller can tell.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Text, if the bytes are some and not too many.
pub(super) fn decode(
    path: &Arc<Path>,
    bytes: io::Result<Vec<u8>>,
    problems: &mut Problems,
) -> Option<String> {
    let origin = Origin::whole(path);
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "check the path after `--config` or in TRIVIUM_CONFIG",
                io::ErrorKind::PermissionDenied => "let the account that runs Trivium read the file",
                io::ErrorKind::IsADirectory => "name the file, not its folder",
                _ => "see that the file can be read",
            };
            problems.error("", &origin, format!("the configuration cannot be read: {error}"), remedy);
            return None;
        }
    };
    if bytes.len() as u64 > MAX_BYTES {
        problems.error(
            "",
            &origin,
            "the configuration is larger than 1 MiB",
            "see that this is the right file, or make it smaller",
        );
        return None;
    }
    match String::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
            problems.error(
                "",
                &Origin::File { path: Arc::clone(path), line, column: 1 },
                format!("the configuration is not UTF-8 text: line {line} has bytes that are none"),
                "save the file as UTF-8",
            );
            None
        }
    }
}
