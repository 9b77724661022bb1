//! Encryption of what the database keeps of people's words: AES-256-GCM with a key in a file of its own, so that
//! the database alone (a backup, a copy for a bug report) shows nothing. What is sealed is not decided here.
//!
//! While a key takes another's place the file has both, the new one first: that one seals, and either opens. So whatever
//! stops the change in the middle, everything can be read.

mod file;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use zeroize::Zeroizing;

use super::{StoreError, events};

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
        "it has {0} bytes instead of 32, or 64 while it is changed. Restore it from a backup, or move it away: the hub then makes a new \
         one and cannot read the responses that it kept until now"
    )]
    Size(u64),
    /// Others could have read it.
    #[error(
        "others can read it (mode {0:o}). Make it private with `chmod 600`; if someone may have read it, move \
         it away instead: the hub then makes a new one and cannot read the responses that it kept until now"
    )]
    Open(u32),
    /// It is needed, and not there.
    #[error("it is not there. Restore it from a backup: what is encrypted cannot be read without it")]
    Missing,
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
    /// One, or the new one and the old one.
    keys: Mutex<Option<Arc<[Key]>>>,
    random: SystemRandom,
}

impl Sealer {
    pub(super) fn new(data_dir: &Path) -> Self {
        Self { path: data_dir.join(FILE), keys: Mutex::default(), random: SystemRandom::new() }
    }

    /// Reads the key, or makes one. Blocks on the disk the first time.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        self.keys_or_new().map(drop)
    }

    /// Whether there is a key, which can be used. Makes none.
    pub(super) fn is_there(&self) -> Result<bool, StoreError> {
        Ok(self.known_keys()?.is_some())
    }

    /// Puts a new key before the one that there is, in the file and here. A change that was begun before is gone on with;
    /// says whether that is so.
    pub(super) fn begin_change(&self) -> Result<bool, StoreError> {
        let known = self.known_keys()?.ok_or_else(|| self.problem(KeyProblem::Missing))?;
        if known.len() > 1 {
            return Ok(true);
        }
        let new = Key::random(&self.random).map_err(|problem| self.problem(problem))?;
        self.replace(std::iter::once(new).chain(known.iter().cloned()).collect())?;
        Ok(false)
    }

    /// Forgets the old key. For when nothing is sealed with it any more.
    pub(super) fn end_change(&self) -> Result<(), StoreError> {
        let known = self.known_keys()?.ok_or_else(|| self.problem(KeyProblem::Missing))?;
        self.replace(known.iter().take(1).cloned().collect())
    }

    fn replace(&self, keys: Arc<[Key]>) -> Result<(), StoreError> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        file::write(&self.path, &keys).map_err(|problem| self.problem(problem))?;
        *known = Some(keys);
        Ok(())
    }

    /// Encrypts. Only who names the same places again, in the same order, can open it.
    pub(super) fn seal(&self, places: &[&str], mut plain: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let keys = self.keys_or_new()?;
        let key = keys.first().ok_or_else(|| self.problem(KeyProblem::Missing))?;
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
        let Some(keys) = self.known_keys()? else { return Ok(None) };
        let Some((last, others)) = keys.split_last() else { return Ok(None) };
        // A try with the wrong key leaves nothing to try again with.
        for key in others {
            let mut copy = sealed.clone();
            if let Some(length) = open(key, places, &mut copy) {
                copy.truncate(length);
                return Ok(Some(copy));
            }
        }
        Ok(open(last, places, &mut sealed).map(|length| {
            sealed.truncate(length);
            sealed
        }))
    }

    fn keys_or_new(&self) -> Result<Arc<[Key]>, StoreError> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(keys) = &*known {
            return Ok(Arc::clone(keys));
        }
        let keys = match file::read(&self.path) {
            Ok(Some(keys)) => Ok(keys),
            Ok(None) => self.make(),
            Err(problem) => Err(problem),
        };
        Ok(Arc::clone(known.insert(keys.map_err(|problem| self.problem(problem))?)))
    }

    fn make(&self) -> Result<Arc<[Key]>, KeyProblem> {
        let keys: Arc<[Key]> = Arc::from([Key::random(&self.random)?]);
        file::write(&self.path, &keys)?;
        events::secret_made(&self.path);
        Ok(keys)
    }

    fn known_keys(&self) -> Result<Option<Arc<[Key]>>, StoreError> {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none() {
            *known = file::read(&self.path).map_err(|problem| self.problem(problem))?;
        }
        Ok(known.clone())
    }

    fn problem(&self, problem: KeyProblem) -> StoreError {
        StoreError::SecretKey { path: self.path.clone(), problem }
    }
}

impl Key {
    fn random(random: &SystemRandom) -> Result<Self, KeyProblem> {
        let mut bytes = Zeroizing::new(vec![0; KEY_BYTES]);
        random.fill(&mut bytes).map_err(|_| KeyProblem::NoEntropy)?;
        Ok(Self(Arc::new(bytes)))
    }

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

#[cfg(test)]
mod tests;
