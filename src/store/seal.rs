//! Encryption of what the database keeps of people's words: AES-256-GCM with a key in a file of its own, so that
//! the database alone (a backup, a copy for a bug report) shows nothing. What is sealed is not decided here.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use super::{StoreError, data_dir::private_file, events};

/// The name of the key's file in the data directory.
pub(super) const FILE: &str = "secret.key";
/// AES-256.
const KEY_BYTES: usize = 32;
/// The layout of what is sealed: ciphertext, tag, nonce, this number.
const LAYOUT: u8 = 1;
/// Layout and nonce. Behind the ciphertext, so that large payloads are sealed and opened where they are.
const TRAILER: usize = NONCE_LEN + 1;
/// What sealing adds, in bytes: the tag and the trailer.
pub(super) const OVERHEAD: usize = 16 + TRAILER;

/// Why the file of the key cannot be used, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyProblem {
    /// The system refuses.
    #[error("{0}. Give this user the right to read and write it")]
    File(#[from] io::Error),
    /// It is something else.
    #[error(
        "it has {0} bytes instead of 32. Restore it from a backup, or move it away: the hub then makes a new \
         one and cannot read the responses that it kept until now"
    )]
    Size(u64),
    /// Others could have read it.
    #[error(
        "others can read it (mode {0:o}). Make it private with `chmod 600`; if someone may have read it, move \
         it away instead: the hub then makes a new one and cannot read the responses that it kept until now"
    )]
    Open(u32),
    /// The operating system gave no random bytes.
    #[error("the system gives no random bytes for it")]
    NoEntropy,
    /// The cipher takes neither this key nor this payload.
    #[error("the cipher refuses to work with it")]
    Cipher,
}

/// The key. Wiped from memory with its last clone. On the heap from the start: an array would leave copies behind
/// where it was moved from.
#[derive(Clone)]
struct Key(Arc<Zeroizing<Vec<u8>>>);

/// Seals and opens with the key of one data directory. The file is made when something is to be sealed for the
/// first time, and read once.
pub(super) struct Sealer {
    path: PathBuf,
    key: Mutex<Option<Key>>,
    random: SystemRandom,
}

impl Sealer {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE), key: Mutex::default(), random: SystemRandom::new() }
    }

    /// Reads the key, or makes one. Blocks on the disk the first time.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        self.key_or_new().map(drop)
    }

    /// Whether there is a key, which can be used. Makes none.
    pub(super) fn is_there(&self) -> Result<bool, StoreError> {
        Ok(self.known_key()?.is_some())
    }

    /// Encrypts. Only who names the same places again, in the same order, can open it.
    pub(super) fn seal(&self, places: &[&str], mut plain: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let key = self.key_or_new()?;
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| self.problem(KeyProblem::NoEntropy))?;
        plain.reserve_exact(OVERHEAD);
        let sealed = key.cipher().and_then(|cipher| {
            let once = Nonce::assume_unique_for_key(nonce);
            cipher.seal_in_place_append_tag(once, bound_to(places), &mut plain)
        });
        sealed.map_err(|_| self.problem(KeyProblem::Cipher))?;
        plain.extend_from_slice(&nonce);
        plain.push(LAYOUT);
        Ok(plain)
    }

    /// Decrypts; `None` when this is not what was sealed for these places with this key.
    pub(super) fn open(&self, places: &[&str], mut sealed: Vec<u8>) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(key) = self.known_key()? else { return Ok(None) };
        Ok(open(&key, places, &mut sealed).map(|length| {
            sealed.truncate(length);
            sealed
        }))
    }

    fn key_or_new(&self) -> Result<Key, StoreError> {
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*known {
            return Ok(key.clone());
        }
        let key = match read(&self.path) {
            Ok(Some(key)) => Ok(key),
            Ok(None) => make(&self.path, &self.random).inspect(|_| events::secret_made(&self.path)),
            Err(problem) => Err(problem),
        };
        Ok(known.insert(key.map_err(|problem| self.problem(problem))?).clone())
    }

    fn known_key(&self) -> Result<Option<Key>, StoreError> {
        let mut known = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = read(&self.path).map_err(|problem| self.problem(problem))?;
        }
        Ok(known.clone())
    }

    fn problem(&self, problem: KeyProblem) -> StoreError {
        StoreError::SecretKey { path: self.path.clone(), problem }
    }
}

impl Key {
    /// Made for each use: the library's own form of the key is not wiped when it is dropped, so it should not
    /// stay. It costs less than a microsecond.
    fn cipher(&self) -> Result<LessSafeKey, ring::error::Unspecified> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new)
    }
}

/// The length of what was sealed, which is then at the start.
fn open(key: &Key, places: &[&str], sealed: &mut Vec<u8>) -> Option<usize> {
    if sealed.pop()? != LAYOUT {
        return None;
    }
    let at = sealed.len().checked_sub(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(sealed.get(at..)?).ok()?;
    sealed.truncate(at);
    Some(key.cipher().ok()?.open_in_place(nonce, bound_to(places), sealed).ok()?.len())
}

/// Every part is preceded by its length, so that no two lists of parts run together.
fn bound_to(places: &[&str]) -> Aad<Vec<u8>> {
    let mut bytes = Vec::new();
    for place in places {
        bytes.extend_from_slice(&(place.len() as u64).to_be_bytes());
        bytes.extend_from_slice(place.as_bytes());
    }
    Aad::from(bytes)
}

fn read(path: &Path) -> Result<Option<Key>, KeyProblem> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let meta = file.metadata()?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyProblem::Open(mode));
        }
    }
    if meta.len() != KEY_BYTES as u64 {
        return Err(KeyProblem::Size(meta.len()));
    }
    let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
    file.read_exact(&mut bytes)?;
    Ok(Some(Key(Arc::new(bytes))))
}

/// Whoever finds the file finds all of it, also after a power cut: what is sealed with it would be lost otherwise.
/// Nobody else writes here, since the directory is locked.
fn make(path: &Path, random: &SystemRandom) -> Result<Key, KeyProblem> {
    let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
    random.fill(&mut bytes).map_err(|_| KeyProblem::NoEntropy)?;
    let draft = path.with_extension("key.new");
    let mut file = private_file(&draft)?;
    file.set_len(0)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&draft, path)?;
    #[cfg(unix)]
    if let Some(dir) = path.parent() {
        File::open(dir)?.sync_all()?;
    }
    Ok(Key(Arc::new(bytes)))
}

#[cfg(test)]
mod tests;
