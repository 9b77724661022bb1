//! Seals on what a vendor gives out and wants back unchanged: signatures of thinking, encrypted reasoning.
//!
//! A seal is a keyed hash, so that one that was altered, invented or made by another vendor is told from one's own.

use sha2::{Digest as _, Sha256};

/// What every seal is made with besides the maker's name. It guards nothing worth guarding.
const KEY: &[u8] = b"simulated provider";

/// Begins every seal, so that its length is that of whole Base64 groups.
const MARK: &str = "SimS";

/// Hex digits of the part of a token that only makes it differ from others.
const NONCE: usize = 16;

/// The seal of `maker` on `text`: Base64 to look at.
pub(super) fn seal(maker: &str, purpose: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    for part in [KEY, maker.as_bytes(), purpose.as_bytes(), text.as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut made = MARK.to_owned();
    for byte in hash.finalize() {
        made.push_str(&format!("{byte:02x}"));
    }
    made
}

/// Something opaque that carries its own seal; `nonce` only makes it differ from others.
pub(super) fn token(maker: &str, purpose: &str, nonce: u64) -> String {
    let nonce = format!("{nonce:0NONCE$x}");
    format!("{nonce}{}", seal(maker, purpose, &nonce))
}

/// Whether an opaque text was made by [`token`] for the same maker and purpose.
pub(super) fn is_own(token: &str, maker: &str, purpose: &str) -> bool {
    token.split_at_checked(NONCE).is_some_and(|(nonce, rest)| rest == seal(maker, purpose, nonce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ones_own_seal_fits() {
        let made = token("one", "thinking", 7);
        assert_eq!(made.len() % 4, 0);
        assert!(is_own(&made, "one", "thinking"));
        assert!(!is_own(&made, "two", "thinking"));
        assert!(!is_own(&made, "one", "other"));
        assert!(!is_own(&made.replace('0', "1"), "one", "thinking"));
        assert!(!is_own("é", "one", "thinking"));
        assert_ne!(seal("a", "bc", ""), seal("ab", "c", ""));
    }
}
