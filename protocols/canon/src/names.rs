//! Names and ids under the rules of each vendor: shortened and cleaned in a way that gives the same result each time,
//! so that a call and its result still belong together, and prompt caches still match.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Kind, Message};

/// The field of the object into which the free text of a custom tool is wrapped for dialects without such tools.
pub const CUSTOM_INPUT: &str = "input";

/// The longest name of a function that all vendors take.
pub const NAME_LIMIT: usize = 64;

/// A tool's name for dialects without namespaces: `namespace__name`, in letters, digits, `_` and `-`, at most
/// [`NAME_LIMIT`] long. A name that fits is itself.
#[must_use]
pub fn flat<'a>(namespace: Option<&str>, name: &'a str) -> Cow<'a, str> {
    match namespace {
        None => fitted(name, NAME_LIMIT),
        Some(namespace) => Cow::Owned(fitted(&format!("{namespace}__{name}"), NAME_LIMIT).into_owned()),
    }
}

/// An id in letters, digits, `_` and `-`, at most `limit` long (at least 17). One that fits is itself; of another the
/// beginning is kept, with a hash of the whole behind it.
#[must_use]
pub fn fitted(id: &str, limit: usize) -> Cow<'_, str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if id.len() <= limit && !id.is_empty() && id.bytes().all(fits) {
        return Cow::Borrowed(id);
    }
    let hash = format!("{:016x}", hash(id));
    let kept = limit.saturating_sub(hash.len() + 1);
    let begin: String =
        id.bytes().take(kept).map(|byte| if fits(byte) { char::from(byte) } else { '_' }).collect();
    Cow::Owned(if begin.is_empty() { hash } else { format!("{begin}_{hash}") })
}

/// An id of exactly `length` letters and digits, as Mistral wants nine. One that has this form is itself.
#[must_use]
pub fn exactly(id: &str, length: usize) -> Cow<'_, str> {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if id.len() == length && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let mut state = hash(id);
    let letters = (0..length).map(|_| {
        let letter = LETTERS[(state % 62) as usize];
        state = (state / 62) ^ state.rotate_left(23).wrapping_mul(PRIME);
        char::from(letter)
    });
    Cow::Owned(letters.collect())
}

/// The id for the `index`th call of an answer whose dialect gives calls no ids. `answer` tells answers apart.
#[must_use]
pub fn made(answer: &str, index: u32) -> String {
    format!("call_{:016x}{index:04x}", hash(answer))
}

/// The name of the tool that was called under `id` in the messages before, for dialects whose results name it.
#[must_use]
pub fn called<'a>(messages: &'a [Message], id: &str) -> Option<&'a str> {
    messages.iter().rev().flat_map(|message| message.blocks.iter().rev()).find_map(|block| {
        match &block.kind {
            Kind::ToolCall(call) if call.id == id => Some(call.name.as_str()),
            _ => None,
        }
    })
}

/// What an object of one dialect is, for the report of its loss: its type, or, where objects have one field that says
/// what they are (Gemini's parts and tools), the name of that.
#[must_use]
pub fn kind_of(value: &Value) -> &str {
    let typed = value.get("type").and_then(Value::as_str);
    let keyed = || value.as_object()?.keys().next().map(String::as_str);
    typed.or_else(keyed).unwrap_or("unknown")
}

const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a, 64 bits: small, and the same in every build.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_fits_stays() {
        assert_eq!(fitted("toolu_01A-b", 64), "toolu_01A-b");
        assert_eq!(flat(None, "get_weather"), "get_weather");
        assert_eq!(flat(Some("github"), "search"), "github__search");
        assert_eq!(exactly("aB3aB3aB3", 9), "aB3aB3aB3");
    }

    proptest! {
        #[test]
        fn what_does_not_fit_is_made_to(id in "\\PC{0,90}", limit in 17_usize..70) {
            let short = fitted(&id, limit).into_owned();
            prop_assert!(!short.is_empty() && short.len() <= limit);
            prop_assert!(short.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'));
            prop_assert_eq!(fitted(&short, limit), short.as_str());
            let nine = exactly(&id, 9).into_owned();
            prop_assert_eq!(nine.len(), 9);
            prop_assert_eq!(exactly(&nine, 9), nine.as_str());
        }
    }
}
