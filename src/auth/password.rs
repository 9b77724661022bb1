//! The operator's password: how it is hashed, and what one must be like. Argon2id with the parameters that OWASP names
//! first (19 MiB, two passes, one lane), which are the library's own.

use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};

use super::token::{NoEntropy, Token, random};
use crate::engine::settings::Secret;

/// The fewest characters of a password. Length is what counts; no rules about kinds of characters.
const SHORTEST: usize = 12;
/// The most bytes: more is not hashed, so that nobody keeps the processor busy with megabytes.
const LONGEST: usize = 1024;

/// Why a password cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// It is too short or too long.
    #[error("a password has at least {SHORTEST} characters and at most {LONGEST} bytes")]
    Length,
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// It could not be hashed.
    #[error("the password could not be hashed: {0}")]
    Hash(String),
}

/// A password of 256 random bits, for somebody who will change it.
///
/// # Errors
/// [`NoEntropy`].
pub fn generated() -> Result<Secret, NoEntropy> {
    // A key's text without what tells it from other texts: it is no key.
    let token = Token::generate()?;
    let text = token.secret.expose();
    Ok(Secret::new(text.strip_prefix(operations::keys::KEY_TEXT_PREFIX).unwrap_or(text)))
}

/// What is kept of a password. Takes tens of milliseconds and 19 MiB: not to be run where other tasks wait.
///
/// # Errors
/// [`PasswordError`].
pub fn hashed(password: &Secret) -> Result<String, PasswordError> {
    let text = password.expose();
    if text.chars().count() < SHORTEST || text.len() > LONGEST {
        return Err(PasswordError::Length);
    }
    let salt = random::<16>()?;
    let failed = |error: argon2::password_hash::Error| PasswordError::Hash(error.to_string());
    let salt = SaltString::encode_b64(&salt).map_err(failed)?;
    let hash = Argon2::default().hash_password(text.as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// Whether `password` is the one that `kept` was made of. Takes as long as [`hashed`].
#[must_use]
pub fn is_right(password: &Secret, kept: &str) -> bool {
    let text = password.expose();
    text.len() <= LONGEST
        && PasswordHash::new(kept)
            .is_ok_and(|kept| Argon2::default().verify_password(text.as_bytes(), &kept).is_ok())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn only_the_right_one_is_right_and_each_hash_has_its_own_salt() {
        let password = Secret::new("correct horse battery");
        let kept = hashed(&password).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(!kept.contains("horse"));
        assert!(is_right(&password, &kept));
        assert!(!is_right(&Secret::new("correct horse batterz"), &kept));
        assert!(!is_right(&password, "nonsense"));
        assert_ne!(hashed(&password).unwrap(), kept);
    }

    #[test]
    fn passwords_have_a_length() {
        assert!(matches!(hashed(&Secret::new("short")), Err(PasswordError::Length)));
        assert!(matches!(hashed(&Secret::new("x".repeat(LONGEST + 1))), Err(PasswordError::Length)));
        assert!(generated().unwrap().expose().len() >= SHORTEST);
    }
}
