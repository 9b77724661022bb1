//! A number that tells one account from another without telling the account.

use std::collections::BTreeMap;

use canon::Dialect;
use sha2::{Digest, Sha256};

use crate::engine::settings::Secret;

/// The first eight bytes of SHA-256 over the provider, the credential and the endpoints. Every part is
/// preceded by its length, so that no two lists of parts run together.
pub(super) fn fingerprint(
    provider: &str,
    credential: Option<&Secret>,
    endpoints: &BTreeMap<Dialect, String>,
) -> u64 {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    part(provider);
    part(if credential.is_some() { "key" } else { "none" });
    part(credential.map_or("", Secret::expose));
    for (dialect, url) in endpoints {
        part(dialect.as_str());
        part(url);
    }
    first_eight(&hash.finalize())
}

/// The same over any texts.
pub(super) fn digest(parts: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    first_eight(&hash.finalize())
}

fn first_eight(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_apart_whatever_matters() {
        let one = BTreeMap::from([(Dialect::Chat, "https://a/v1".to_owned())]);
        let two = BTreeMap::from([(Dialect::Chat, "https://b/v1".to_owned())]);
        let (key, other) = (Secret::new("k"), Secret::new("l"));
        let all = [
            fingerprint("groq", Some(&key), &one),
            fingerprint("groq", Some(&other), &one),
            fingerprint("groq", None, &one),
            fingerprint("groq", Some(&key), &two),
            fingerprint("openai", Some(&key), &one),
            fingerprint("groqk", None, &one),
        ];
        for (index, print) in all.iter().enumerate() {
            assert!(!all[index + 1..].contains(print));
        }
        assert_eq!(all[0], fingerprint("groq", Some(&Secret::new("k")), &one));
    }
}
