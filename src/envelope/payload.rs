//! What is in a file: pieces of 64 KiB, each sealed with its number and whether it is the last, so that none can be moved,
//! changed or cut off.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use super::{EnvelopeError, FILE_KEY, derived, header::cipher, random};

const PIECE: usize = 64 * 1024;
const TAG: usize = 16;
const SALT: usize = 16;

pub(super) fn seal(key: &[u8; FILE_KEY], plain: &[u8], out: &mut Vec<u8>) -> Result<(), EnvelopeError> {
    let salt = random::<SALT>()?;
    let cipher = of_file(key, &*salt)?;
    out.extend_from_slice(&*salt);
    let count = plain.len().div_ceil(PIECE).max(1);
    for at in 0..count {
        let piece = plain.get(at * PIECE..plain.len().min((at + 1) * PIECE)).unwrap_or_default();
        let mut sealed = Zeroizing::new(Vec::with_capacity(piece.len() + TAG));
        sealed.extend_from_slice(piece);
        let tag = cipher.seal_in_place_separate_tag(nonce(at, at + 1 == count), Aad::empty(), &mut sealed);
        let tag = tag.map_err(|_| EnvelopeError::Format)?;
        out.extend_from_slice(&sealed);
        out.extend_from_slice(tag.as_ref());
    }
    Ok(())
}

pub(super) fn open(key: &[u8; FILE_KEY], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (salt, body) = sealed.split_at_checked(SALT).ok_or(EnvelopeError::Format)?;
    let cipher = of_file(key, salt)?;
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    let count = body.len().div_ceil(PIECE + TAG).max(1);
    for (at, piece) in body.chunks(PIECE + TAG).enumerate() {
        let last = at + 1 == count;
        let mut piece = Zeroizing::new(piece.to_vec());
        let opened = cipher.open_in_place(nonce(at, last), Aad::empty(), &mut piece);
        let opened = opened.map_err(|_| EnvelopeError::Changed)?;
        // The last one is empty only where everything is.
        if last && at > 0 && opened.is_empty() {
            return Err(EnvelopeError::Format);
        }
        plain.extend_from_slice(opened);
    }
    // Every file has a piece, however empty.
    if body.len() < TAG { Err(EnvelopeError::Format) } else { Ok(plain) }
}

fn of_file(key: &[u8; FILE_KEY], salt: &[u8]) -> Result<LessSafeKey, EnvelopeError> {
    debug_assert_eq!(CHACHA20_POLY1305.tag_len(), TAG, "the layout is that of the format");
    cipher(&*derived(key, salt, b"payload")?)
}

/// Eleven bytes of the piece's number, and one that is 1 for the last.
fn nonce(at: usize, last: bool) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    if let Some(number) = bytes.get_mut(3..11) {
        number.copy_from_slice(&(at as u64).to_be_bytes());
    }
    if let Some(end) = bytes.last_mut() {
        *end = u8::from(last);
    }
    Nonce::assume_unique_for_key(bytes)
}
