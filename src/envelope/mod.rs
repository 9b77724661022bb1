//! What leaves the hub and others are to open or to check. `signing` signs; all else is encryption to somebody else's key, in the format of age (version 1, X25519 recipients: <https://age-encryption.org/v1>), so
//! that what leaves this hub can be opened with common tools. Written on ring's primitives: the format's own crate brings a
//! hundred others for translations of its messages. Only whole texts of a few megabytes, in memory.

mod armor;
mod bech32;
mod header;
mod payload;
mod signing;
#[cfg(test)]
mod tests;

pub use signing::{KeyError, PublicKey as VerifyingKey, SigningKey};

use ring::rand::{SecureRandom, SystemRandom};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

/// What recipients and identities begin with.
const RECIPIENT: &str = "age";
const IDENTITY: &str = "age-secret-key-";
/// A key for one file, in bytes.
const FILE_KEY: usize = 16;

/// To whom something is encrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(PublicKey);

/// Who can open what is encrypted to its recipient. Wiped from memory when it goes.
pub struct Identity(StaticSecret);

/// Why something could not be encrypted or opened. Says nothing of what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The text is no recipient.
    #[error("this is no recipient such as `age1…`")]
    Recipient,
    /// The text is no identity.
    #[error("this is no identity such as `AGE-SECRET-KEY-1…`")]
    Identity,
    /// It is nothing that was encrypted in this format.
    #[error("this is not encrypted in the format of age, or was cut off")]
    Format,
    /// It is encrypted to somebody else.
    #[error("this is encrypted to another recipient")]
    Other,
    /// Somebody changed it.
    #[error("this was changed since it was encrypted")]
    Changed,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoEntropy,
}

impl Recipient {
    /// Reads `age1…`.
    ///
    /// # Errors
    /// [`EnvelopeError::Recipient`].
    pub fn parse(text: &str) -> Result<Self, EnvelopeError> {
        let bytes = bech32::decode(RECIPIENT, text).ok_or(EnvelopeError::Recipient)?;
        Ok(Self(PublicKey::from(bytes)))
    }

    /// Encrypts to this recipient; answers text.
    ///
    /// # Errors
    /// [`EnvelopeError::NoEntropy`], and [`EnvelopeError::Recipient`] for one that everybody could open.
    pub fn seal(&self, plain: &[u8]) -> Result<String, EnvelopeError> {
        let key = random::<FILE_KEY>()?;
        let mut file = header::write(&key, &self.0)?;
        payload::seal(&key, plain, &mut file)?;
        Ok(armor::wrapped(&file))
    }
}

impl std::fmt::Display for Recipient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&bech32::encode(RECIPIENT, self.0.as_bytes()))
    }
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// [`EnvelopeError::NoEntropy`].
    pub fn generate() -> Result<Self, EnvelopeError> {
        Ok(Self(StaticSecret::from(*random::<32>()?)))
    }

    /// Reads a file of identities: the first line that is one, comments and empty lines aside.
    ///
    /// # Errors
    /// [`EnvelopeError::Identity`].
    pub fn parse(file: &str) -> Result<Self, EnvelopeError> {
        let mut lines = file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let bytes = lines.next().and_then(|line| bech32::decode(IDENTITY, &line.to_ascii_lowercase()));
        let bytes = Zeroizing::new(bytes.ok_or(EnvelopeError::Identity)?);
        Ok(Self(StaticSecret::from(*bytes)))
    }

    /// What others encrypt to.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(PublicKey::from(&self.0))
    }

    /// The text of its file.
    #[must_use]
    pub fn file(&self) -> Zeroizing<String> {
        let text = Zeroizing::new(bech32::encode(IDENTITY, self.0.as_bytes()).to_ascii_uppercase());
        Zeroizing::new(format!("# public key: {}\n{}\n", self.recipient(), *text))
    }

    /// Opens what was encrypted to this identity's recipient.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn open(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let file = armor::unwrapped(text).ok_or(EnvelopeError::Format)?;
        let (key, rest) = header::read(&file, &self.0)?;
        payload::open(&key, rest)
    }
}

fn random<const COUNT: usize>() -> Result<Zeroizing<[u8; COUNT]>, EnvelopeError> {
    let mut bytes = Zeroizing::new([0; COUNT]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| EnvelopeError::NoEntropy)?;
    Ok(bytes)
}

/// A key of 256 bits that follows from another (HKDF with SHA-256).
fn derived(from: &[u8], salt: &[u8], purpose: &[u8]) -> Result<Zeroizing<[u8; 32]>, EnvelopeError> {
    use ring::hkdf;

    let mut key = Zeroizing::new([0; 32]);
    let purpose = [purpose];
    let expanded = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(from);
    let expanded = expanded.expand(&purpose, hkdf::HKDF_SHA256).and_then(|made| made.fill(&mut *key));
    expanded.map_err(|_| EnvelopeError::Format)?;
    Ok(key)
}
