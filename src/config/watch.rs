//! Notices that the configuration file changed, and reads it again. By looking twice a second and not by
//! the kernel's notifications: those are lost on network file systems, on mounted config maps, and when an
//! editor puts a new file in the old one's place. What a change means for the hub is not decided here.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};

use super::{
    boot::Boot,
    load::{Loaded, Loader},
    origin::Origin,
    problem::{Problem, Severity},
    source::{Source, read_bounded},
};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// A changed file must look the same for this long before it is read: editors write in pieces.
const SETTLE: Duration = Duration::from_millis(50);
/// A file that never settles is read anyway after so many looks.
const MAX_SETTLE: usize = 20;
/// A file written this recently is hashed even if it looks the same: two writes may share a time stamp.
const YOUNG: Duration = Duration::from_secs(2);

/// What was noticed.
#[derive(Debug)]
pub enum Reload {
    /// The file changed. Either it is valid, with a warning for each changed setting that needs a restart;
    /// or it is refused with these problems, and what runs stays.
    Changed(Result<Box<Loaded>, Vec<Problem>>),
    /// The file is gone. What runs stays. Said once.
    Gone(PathBuf),
}

/// Watches one file.
#[derive(Debug)]
pub struct Watch {
    loader: Loader,
    source: Source,
    path: Option<PathBuf>,
    boot: Boot,
    seen: Seen,
}

/// The file as it was last looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Seen {
    Gone,
    There { stamp: Stamp, hash: Option<[u8; 32]> },
}

/// What tells without reading that a file may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Watch {
    /// Watches the file that `loaded` came from, or, if there was none, the places where one may appear.
    /// A change between that load and this call is noticed at the first look.
    #[must_use]
    pub fn new(loader: Loader, source: Source, loaded: &Loaded) -> Self {
        let seen = match loaded.file_hash {
            Some(hash) => Seen::There { stamp: Stamp::unknown(), hash: Some(hash) },
            None => Seen::Gone,
        };
        Self { loader, source, path: loaded.file.clone(), boot: loaded.boot.clone(), seen }
    }

    /// Waits for the next change. Dropping the future loses nothing: what it saw and did not tell is seen
    /// again.
    pub async fn next(&mut self) -> Reload {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if self.path.is_none() {
                self.path = self.source.path(self.loader.env());
            }
            let Some(path) = self.path.clone() else { continue };
            if let Some(reload) = self.look(path).await {
                return reload;
            }
        }
    }

    async fn look(&mut self, path: PathBuf) -> Option<Reload> {
        let mut stamp = stamp_of(&path).await;
        if !self.may_have_changed(stamp.as_ref()) {
            return None;
        }
        for _ in 0..MAX_SETTLE {
            tokio::time::sleep(SETTLE).await;
            let again = stamp_of(&path).await;
            if again == stamp {
                break;
            }
            stamp = again;
        }
        let Some(stamp) = stamp else {
            let known = std::mem::replace(&mut self.seen, Seen::Gone) != Seen::Gone;
            return known.then_some(Reload::Gone(path));
        };
        let loader = self.loader.clone();
        // The very file that is watched, even if one that comes first in the search has appeared since.
        let source = Source::File(std::path::absolute(&path).unwrap_or_else(|_| path.clone()));
        let before = match &self.seen {
            Seen::There { hash, .. } => *hash,
            Seen::Gone => None,
        };
        let read = move || {
            let hash = hash_of(&path);
            (hash, (hash.is_none() || hash != before).then(|| loader.load(&source)))
        };
        // Fails only when the runtime shuts down.
        let (hash, result) = tokio::task::spawn_blocking(read).await.ok()?;
        let known_unreadable = hash.is_none() && matches!(self.seen, Seen::There { hash: None, .. });
        self.seen = Seen::There { stamp, hash };
        let result = result.filter(|_| !known_unreadable)?;
        Some(Reload::Changed(result.map(|loaded| Box::new(self.with_restart_warnings(loaded)))))
    }

    fn may_have_changed(&self, now: Option<&Stamp>) -> bool {
        match (&self.seen, now) {
            (Seen::Gone, None) => false,
            (Seen::There { stamp, .. }, Some(now)) => stamp != now || now.is_young(),
            _ => true,
        }
    }

    /// What is fixed at the start stays as it is; whoever changed it should know.
    fn with_restart_warnings(&self, mut loaded: Loaded) -> Loaded {
        for path in self.boot.changes(&loaded.boot) {
            let origin = loaded.effective.iter().find(|one| one.path == path).map(|one| one.origin.clone());
            loaded.warnings.push(Problem {
                severity: Severity::Warning,
                path: path.to_owned(),
                origin: origin.unwrap_or(Origin::Default),
                message: format!("`{path}` changed and needs a restart"),
                remedy: "restart the hub; until then the earlier value holds".to_owned(),
                excerpt: None,
            });
        }
        loaded
    }
}

impl Stamp {
    /// Equal to no file's, so that the first look reads.
    const fn unknown() -> Self {
        Self { modified: None, length: u64::MAX, inode: 0 }
    }

    fn is_young(&self) -> bool {
        self.modified.is_some_and(|time| time.elapsed().map_or(true, |age| age < YOUNG))
    }
}

/// `None` if there is no such file. Follows symbolic links, which is how config maps are switched.
async fn stamp_of(path: &Path) -> Option<Stamp> {
    let meta = tokio::fs::metadata(path).await.ok()?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    Some(Stamp { modified: meta.modified().ok(), length: meta.len(), inode })
}

/// `None` if the file cannot be read.
fn hash_of(path: &Path) -> Option<[u8; 32]> {
    read_bounded(path).ok().map(|bytes| hash(&bytes))
}

/// The hash by which two contents of the file are told apart.
pub(super) fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
