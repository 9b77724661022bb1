//! The key with which the hub signs what it says of itself. Made once and kept by the store, sealed; the public half is for
//! everybody. What is signed, and in which form, is the surface's.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Serialize;
use tokio::sync::OnceCell;

use super::ports::{SigningKeyStore, SigningKeyStoreError};
use crate::engine::ports::Clock;

/// What the key is called in the store: for agent cards.
const NAME: &str = "agent-card";

/// Bytes of a coordinate of the curve P-256.
const COORDINATE: usize = 32;

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The key could not be read or written.
    #[error(transparent)]
    Store(#[from] SigningKeyStoreError),
    /// The system gives no random bytes, or the key is none.
    #[error("the key to sign with could not be made or used")]
    Key,
}

/// Who has the key. It is made or read when something is to be signed for the first time.
pub struct Signer {
    store: Arc<dyn SigningKeyStore>,
    clock: Arc<dyn Clock>,
    key: OnceCell<Arc<SigningKey>>,
}

/// A key on the curve P-256, for ES256.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
    random: SystemRandom,
}

/// The public half, as RFC 7517 writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicKey {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: String,
    #[serde(rename = "use")]
    purpose: &'static str,
    alg: &'static str,
    kid: String,
}

impl Signer {
    /// Nothing was signed yet.
    #[must_use]
    pub fn new(store: Arc<dyn SigningKeyStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, key: OnceCell::new() }
    }

    /// The key.
    ///
    /// # Errors
    /// When the store fails, or the system gives no random bytes.
    pub async fn key(&self) -> Result<Arc<SigningKey>, SigningError> {
        self.key.get_or_try_init(|| self.load()).await.cloned()
    }

    async fn load(&self) -> Result<Arc<SigningKey>, SigningError> {
        let fresh = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let fresh = fresh.map_err(|_| SigningError::Key)?.as_ref().to_vec();
        let kept = self.store.keep(NAME.to_owned(), fresh, self.clock.now()).await?;
        SigningKey::read(&kept).map(Arc::new)
    }
}

impl SigningKey {
    fn read(pkcs8: &[u8]) -> Result<Self, SigningError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)
            .map_err(|_| SigningError::Key)?;
        let public = PublicKey::of(pair.public_key().as_ref()).ok_or(SigningError::Key)?;
        Ok(Self { pair, public, random })
    }

    /// Its name: the thumbprint of the public half (RFC 7638).
    #[must_use]
    pub fn id(&self) -> &str {
        &self.public.kid
    }

    /// The public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature, as JWS wants it: the two numbers one behind the other.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.pair.sign(&self.random, message).map_err(|_| SigningError::Key)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl PublicKey {
    /// From an uncompressed point: a 4, and the two coordinates.
    fn of(point: &[u8]) -> Option<Self> {
        let (x, y) = point.strip_prefix(&[4])?.split_at_checked(COORDINATE)?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, members.as_bytes()));
        Some(Self { kty: "EC", crv: "P-256", x, y, purpose: "sig", alg: "ES256", kid })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    #[test]
    fn what_is_signed_can_be_checked_with_the_public_half() {
        let fresh =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let key = SigningKey::read(fresh.as_ref()).unwrap();
        let signature = key.sign(b"said").unwrap();
        let mut point = vec![4];
        point.extend(URL_SAFE_NO_PAD.decode(&key.public().x).unwrap());
        point.extend(URL_SAFE_NO_PAD.decode(&key.public().y).unwrap());
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        assert_eq!(signature.len(), 64);
        assert!(public.verify(b"said", &signature).is_ok());
        assert!(public.verify(b"said otherwise", &signature).is_err());
        assert_eq!(SigningKey::read(fresh.as_ref()).unwrap().public(), key.public());
    }
}
