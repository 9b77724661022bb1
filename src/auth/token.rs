//! The text of keys: how it is made, and what of it may be shown or kept.

use operations::keys::KEY_TEXT_PREFIX;
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};

use super::ports::TokenHash;
use crate::engine::settings::Secret;

/// Characters of a token that may be shown: its prefix and six more, which leaves 220 bits unknown.
const SHOWN_CHARS: usize = KEY_TEXT_PREFIX.len() + 6;

/// Digits that 256 bits take in base 62. Only letters and digits: a double click selects the whole
/// token, and no shell, URL or header needs it quoted.
const DIGITS: usize = 43;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A freshly made token.
pub struct Token {
    /// The whole text.
    pub secret: Secret,
    /// The part that may be shown.
    pub prefix: String,
    /// The part that is kept.
    pub hash: TokenHash,
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes")]
pub struct NoEntropy(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Token {
    /// A token of 256 random bits from the operating system.
    ///
    /// # Errors
    /// [`NoEntropy`] when the operating system has none to give.
    pub fn generate() -> Result<Self, NoEntropy> {
        let bytes = random::<32>()?;
        let text = format!("{KEY_TEXT_PREFIX}{}", base62(bytes));
        let prefix = text.chars().take(SHOWN_CHARS).collect();
        Ok(Self { prefix, hash: hash(&text), secret: Secret::new(text) })
    }
}

/// Random bytes from the operating system.
pub(super) fn random<const COUNT: usize>() -> Result<[u8; COUNT], NoEntropy> {
    let mut bytes = [0; COUNT];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| NoEntropy(Box::new(error)))?;
    Ok(bytes)
}

/// What is kept and looked up of a token.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// The bytes as one number in base 62, padded to [`DIGITS`].
fn base62(mut number: [u8; 32]) -> String {
    let mut digits = [0_u8; DIGITS];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0_usize;
        for byte in &mut number {
            let value = rest * 256 + usize::from(*byte);
            // The quotient is below 256, because the rest is below 62.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *digit = ALPHABET.get(rest).copied().unwrap_or(b'0');
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    #[test]
    fn tokens_have_their_form_and_differ() {
        let one = Token::generate().unwrap();
        let two = Token::generate().unwrap();
        let text = one.secret.expose();
        assert_eq!(text.len(), 4 + 43);
        assert!(text.starts_with("tvm_") && text.bytes().skip(4).all(|byte| byte.is_ascii_alphanumeric()));
        assert!(text.starts_with(&one.prefix) && one.prefix.len() == 10);
        assert_ne!(text, two.secret.expose());
        assert_eq!(one.hash, hash(text));
    }

    #[test]
    fn base62_keeps_every_bit() {
        let mut one = [0; 32];
        one[31] = 61;
        assert_eq!(base62(one), format!("{}z", "0".repeat(42)));
        // 2^256 - 1 in base 62, from an independent calculation.
        assert_eq!(base62([0xff; 32]), "yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp1");
    }
}
