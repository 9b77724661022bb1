//! Bundles with secrets, for commands: an identity to which they can be encrypted, and opening one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write, stdin},
    path::{Path, PathBuf},
};

use operations::bundle::{Bundle, BundleContents};
use zeroize::Zeroizing;

use crate::envelope::{EnvelopeError, Identity};

/// Longest bundle that is read, in bytes: ten thousand definitions are smaller.
const LONGEST: u64 = 64 * 1024 * 1024;

/// Why a bundle was not opened, or an identity not made.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file cannot be read or written.
    #[error("cannot use {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is no bundle.
    #[error("this is no bundle ({0}); `trivium bundle show --json --recipient age1…` prints one")]
    Malformed(String),
    /// It is one without secrets.
    #[error("the bundle has no secrets in it: name a recipient when you get it")]
    Bare,
    /// The identity does not fit, or the bundle was changed.
    #[error("the bundle cannot be opened: {0}")]
    Envelope(#[from] EnvelopeError),
}

/// Makes an identity in a new file that only its owner may read; answers the recipient for others to encrypt to.
///
/// # Errors
/// [`BundleError::File`] when there is a file of that name already.
pub fn make_identity(path: &Path) -> Result<String, BundleError> {
    let identity = Identity::generate()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || {
        let mut file = options.open(path)?;
        file.write_all(identity.file().as_bytes())?;
        file.sync_all()
    };
    write().map_err(at(path))?;
    Ok(identity.recipient().to_string())
}

/// What is in a bundle; `-` is standard input.
///
/// # Errors
/// [`BundleError`].
pub fn open_bundle(bundle: &Path, identity: &Path) -> Result<BundleContents, BundleError> {
    let keys = Zeroizing::new(fs::read_to_string(identity).map_err(at(identity))?);
    let identity = Identity::parse(&keys)?;
    let text = if bundle == Path::new("-") { read(stdin()) } else { fs::File::open(bundle).and_then(read) };
    let text = text.map_err(at(bundle))?;
    let bundle: Bundle =
        serde_json::from_str(&text).map_err(|error| BundleError::Malformed(error.to_string()))?;
    let plain = identity.open(&bundle.sealed.ok_or(BundleError::Bare)?)?;
    // What an error would quote is not shown.
    serde_json::from_slice(&plain).map_err(|_| BundleError::Malformed("its contents are not ours".to_owned()))
}

fn read(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(LONGEST).read_to_string(&mut text)?;
    Ok(text)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BundleError {
    let path = path.to_owned();
    move |source| BundleError::File { path, source }
}
