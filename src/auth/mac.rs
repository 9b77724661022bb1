//! Tags by which who knows a key sees that a text is its own. Not for encryption, which is the store's and `envelope`'s.

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// HMAC-SHA256 (RFC 2104).
#[must_use]
pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    /// What SHA-256 takes at a time.
    const BLOCK: usize = 64;
    let mut block = Zeroizing::new([0_u8; BLOCK]);
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK {
        hashed = Sha256::digest(key).into();
        &hashed[..]
    } else {
        key
    };
    block.iter_mut().zip(key).for_each(|(byte, key)| *byte = *key);
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

/// Whether a tag is the right one. How long that takes tells nothing of where the two differ.
pub(super) fn is_right(key: &[u8], message: &[u8], tag: &[u8]) -> bool {
    hmac(key, &hmac(key, message)) == hmac(key, tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Case 6 of RFC 4231: a key longer than a block.
    #[test]
    fn long_keys_are_hashed() {
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let tag = hmac(&[0xaa; 131], message);
        assert_eq!(tag[..4], [0x60, 0xe4, 0x31, 0x59]);
        assert!(is_right(&[0xaa; 131], message, &tag) && !is_right(&[0xaa; 131], message, &tag[..31]));
    }
}
