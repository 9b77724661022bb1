//! The head of a file: its key, wrapped for one recipient, under a seal that only who knows the key can make.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{EnvelopeError, FILE_KEY, derived, random};

const VERSION: &str = "age-encryption.org/v1";
const STANZA: &str = "-> X25519 ";
const SEAL: &str = "---";
const PURPOSE: &[u8] = b"age-encryption.org/v1/X25519";
/// Heads of more bytes are none that anybody makes for a few recipients.
const LONGEST: usize = 64 * 1024;

/// The head of a file with this key.
pub(super) fn write(key: &[u8; FILE_KEY], recipient: &PublicKey) -> Result<Vec<u8>, EnvelopeError> {
    let once = StaticSecret::from(*random::<32>()?);
    let share = PublicKey::from(&once);
    let cipher = wrapping(&once.diffie_hellman(recipient), &share, recipient, EnvelopeError::Recipient)?;
    let mut wrapped = key.to_vec();
    let sealed = cipher.seal_in_place_append_tag(zero_nonce(), Aad::empty(), &mut wrapped);
    sealed.map_err(|_| EnvelopeError::Format)?;
    let (share, wrapped) = (STANDARD_NO_PAD.encode(share.as_bytes()), STANDARD_NO_PAD.encode(wrapped));
    let mut head = format!("{VERSION}\n{STANZA}{share}\n{wrapped}\n{SEAL}");
    let seal = hmac::sign(&sealing(key)?, head.as_bytes());
    head.push_str(&format!(" {}\n", STANDARD_NO_PAD.encode(seal)));
    Ok(head.into_bytes())
}

/// The key of a file, and what follows on its head. Stanzas for others are passed over.
pub(super) fn read<'f>(
    file: &'f [u8],
    identity: &StaticSecret,
) -> Result<(Zeroizing<[u8; FILE_KEY]>, &'f [u8]), EnvelopeError> {
    let mark = format!("\n{SEAL} ");
    let window = file.get(..LONGEST).unwrap_or(file);
    let at = window.windows(mark.len()).position(|part| part == mark.as_bytes());
    let at = at.ok_or(EnvelopeError::Format)?;
    let sealed = file.get(..at + 1 + SEAL.len()).ok_or(EnvelopeError::Format)?;
    let rest = file.get(at + mark.len()..).ok_or(EnvelopeError::Format)?;
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or(EnvelopeError::Format)?;
    let (seal, body) = rest.split_at_checked(end).ok_or(EnvelopeError::Format)?;
    let seal = STANDARD_NO_PAD.decode(seal).map_err(|_| EnvelopeError::Format)?;
    let head = std::str::from_utf8(sealed).map_err(|_| EnvelopeError::Format)?;
    let mut lines = head.lines();
    if lines.next() != Some(VERSION) {
        return Err(EnvelopeError::Format);
    }
    let mut key = None;
    while let Some(line) = lines.next() {
        let Some(share) = line.strip_prefix(STANZA) else { continue };
        let body = lines.next().ok_or(EnvelopeError::Format)?;
        if key.is_none() {
            key = unwrapped(share, body, identity)?;
        }
    }
    let key = key.ok_or(EnvelopeError::Other)?;
    hmac::verify(&sealing(&key)?, sealed, &seal).map_err(|_| EnvelopeError::Changed)?;
    Ok((key, body.get(1..).unwrap_or_default()))
}

/// The key in one stanza; `None` when that is for somebody else.
fn unwrapped(
    share: &str,
    body: &str,
    identity: &StaticSecret,
) -> Result<Option<Zeroizing<[u8; FILE_KEY]>>, EnvelopeError> {
    let share: [u8; 32] = STANDARD_NO_PAD
        .decode(share)
        .ok()
        .and_then(|share| share.try_into().ok())
        .ok_or(EnvelopeError::Format)?;
    let share = PublicKey::from(share);
    let mut body = Zeroizing::new(STANDARD_NO_PAD.decode(body).map_err(|_| EnvelopeError::Format)?);
    let own = PublicKey::from(identity);
    let cipher = wrapping(&identity.diffie_hellman(&share), &share, &own, EnvelopeError::Format)?;
    let Ok(plain) = cipher.open_in_place(zero_nonce(), Aad::empty(), &mut body) else { return Ok(None) };
    let key = <[u8; FILE_KEY]>::try_from(&*plain).map_err(|_| EnvelopeError::Format)?;
    Ok(Some(Zeroizing::new(key)))
}

/// The cipher of the file's key. A share that makes the same secret with everybody is refused.
fn wrapping(
    shared: &x25519_dalek::SharedSecret,
    share: &PublicKey,
    recipient: &PublicKey,
    weak: EnvelopeError,
) -> Result<LessSafeKey, EnvelopeError> {
    if !shared.was_contributory() {
        return Err(weak);
    }
    let salt = [*share.as_bytes(), *recipient.as_bytes()].concat();
    cipher(&*derived(shared.as_bytes(), &salt, PURPOSE)?)
}

pub(super) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, EnvelopeError> {
    UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| EnvelopeError::Format)
}

fn sealing(key: &[u8; FILE_KEY]) -> Result<hmac::Key, EnvelopeError> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*derived(key, &[], b"header")?))
}

/// The key that it is used with is used once.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}
