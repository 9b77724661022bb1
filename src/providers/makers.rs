//! Remembers who made the signatures that passed through, for as long as a process lives. A client sends them back
//! without saying whose they are, and another vendor of the same dialect refuses the whole request that holds one.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::{Mutex, PoisonError},
};

use canon::{Dialect, Signature};
use memchr::memmem::Finder;

/// Signatures in each of the two halves of the memory: 16 bytes each.
const HALF: usize = 32_768;

/// Who made which signature: hashes of both. When the newer half is full, the older one is forgotten.
#[derive(Default)]
pub(super) struct Makers {
    hasher: RandomState,
    halves: Mutex<[HashMap<u64, u64>; 2]>,
}

impl Makers {
    /// Notes the signatures in a piece of an answer of `maker`.
    pub(super) fn note(&self, dialect: Dialect, answer: &[u8], maker: &str) {
        let mut found = signatures(dialect, answer).peekable();
        if found.peek().is_none() {
            return;
        }
        let maker = self.hasher.hash_one(maker);
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        for signature in found {
            if halves[0].len() >= HALF {
                let full = std::mem::take(&mut halves[0]);
                halves[1] = full;
            }
            halves[0].insert(self.hasher.hash_one(signature), maker);
        }
    }

    /// Whether a request holds a signature that somebody else than `maker` is known to have made.
    pub(super) fn any_foreign(&self, dialect: Dialect, request: &[u8], maker: &str) -> bool {
        let mut found = signatures(dialect, request).peekable();
        if found.peek().is_none() {
            return false;
        }
        let maker = self.hasher.hash_one(maker);
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        found.any(|signature| {
            let known = self.hasher.hash_one(signature);
            halves.iter().find_map(|half| half.get(&known)).is_some_and(|made_by| *made_by != maker)
        })
    }

    /// Whether a signature is `maker`'s. One without a name of which nothing is known is taken for its own.
    pub(super) fn is_own(&self, signature: &Signature, maker: &str) -> bool {
        if signature.maker.is_some() {
            return signature.is_of(maker, true);
        }
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.hasher.hash_one(signature.data.as_bytes());
        let made_by = halves.iter().find_map(|half| half.get(&known));
        made_by.is_none_or(|made_by| *made_by == self.hasher.hash_one(maker))
    }
}

/// The texts of the fields in which a dialect carries signatures, as they stand in JSON: none of them has escapes.
fn signatures(dialect: Dialect, json: &[u8]) -> impl Iterator<Item = &[u8]> {
    let names: &[&str] = match dialect {
        Dialect::Chat => &[],
        Dialect::Messages => &["\"signature\"", "\"data\""],
        Dialect::Responses => &["\"encrypted_content\""],
        Dialect::Gemini => &["\"thoughtSignature\"", "\"thought_signature\""],
    };
    // Pictures are in `data` too: without such a block there is nothing to look for.
    let skips = |name: &str| name == "\"data\"" && Finder::new("redacted_thinking").find(json).is_none();
    names.iter().filter(move |name| !skips(name)).flat_map(move |name| {
        let places: Vec<usize> = Finder::new(*name).find_iter(json).map(|at| at + name.len()).collect();
        places.into_iter().filter_map(|at| text_at(json, at))
    })
}

/// The JSON string behind a field's name; `None` for an empty one, and for what is none.
fn text_at(json: &[u8], at: usize) -> Option<&[u8]> {
    let value = json.get(at..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    let text = value.strip_prefix(b"\"")?;
    let end = memchr::memchr(b'"', text)?;
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] =
        br#"data: {"type":"content_block_delta","delta":{"type":"signature_delta","signature": "c2lnA=="}}"#;

    #[test]
    fn what_passed_through_is_known_again() {
        let makers = Makers::default();
        makers.note(Dialect::Messages, ANSWER, "a:claude");
        let request =
            br#"{"messages":[{"content":[{"type":"thinking","thinking":"x","signature":"c2lnA=="}]}]}"#;
        assert!(!makers.any_foreign(Dialect::Messages, request, "a:claude"));
        assert!(makers.any_foreign(Dialect::Messages, request, "b:glm"));
        assert!(!makers.any_foreign(Dialect::Chat, request, "b:glm"));
        let unknown = br#"{"signature":"other"}"#;
        assert!(!makers.any_foreign(Dialect::Messages, unknown, "b:glm"));
        let signature = Signature::read("c2lnA==");
        assert!(makers.is_own(&signature, "a:claude") && !makers.is_own(&signature, "b:glm"));
        assert!(makers.is_own(&Signature::read("other"), "b:glm"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let makers = Makers::default();
        makers.note(Dialect::Messages, ANSWER, "a:claude");
        for number in 0..2 * HALF {
            let answer = format!(r#"{{"encrypted_content":"{number}"}}"#);
            makers.note(Dialect::Responses, answer.as_bytes(), "o");
        }
        assert!(makers.is_own(&Signature::read("c2lnA=="), "b:glm"), "nothing is known of it any more");
        assert!(!makers.is_own(&Signature::read(&(2 * HALF - 1).to_string()), "x"));
    }
}
