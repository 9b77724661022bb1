//! Signatures that anybody can check who has the public half: ES256, as JSON Web Signature has it (RFC 7518, section 3.4).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde::Serialize;

/// Bytes of a coordinate of the curve P-256.
const COORDINATE: usize = 32;

/// The system gives no random bytes, or the key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key to sign with could not be made or used")]
pub struct KeyError;

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

impl SigningKey {
    /// A new one, as it is kept: PKCS #8.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Vec<u8>, KeyError> {
        let fresh = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        Ok(fresh.map_err(|_| KeyError)?.as_ref().to_vec())
    }

    /// One that was kept.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(pkcs8: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random)
            .map_err(|_| KeyError)?;
        let public = PublicKey::of(pair.public_key().as_ref()).ok_or(KeyError)?;
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
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&self.random, message).map_err(|_| KeyError)?;
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
        let fresh = SigningKey::generate().unwrap();
        let key = SigningKey::read(&fresh).unwrap();
        let signature = key.sign(b"said").unwrap();
        let mut point = vec![4];
        point.extend(URL_SAFE_NO_PAD.decode(&key.public().x).unwrap());
        point.extend(URL_SAFE_NO_PAD.decode(&key.public().y).unwrap());
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        assert_eq!(signature.len(), 64);
        assert!(public.verify(b"said", &signature).is_ok());
        assert!(public.verify(b"said otherwise", &signature).is_err());
        assert_eq!(SigningKey::read(&fresh).unwrap().public(), key.public());
    }
}
