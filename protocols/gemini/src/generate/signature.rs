//! Thought signatures on this wire. The field is of type bytes: clients decode it as base64 and refuse an answer
//! whose signature is none, so a signature that carries its maker's name is put into base64 as a whole.
//!
//! Clients may forget thoughts and still send their signatures back: Gemini CLI does. A signature of another maker means
//! nothing without the thoughts that it was made for, so these travel within it, behind a line feed, which no signature
//! has.

use canon::Signature;
use serde_json::{Map, Value};

use super::base64;

/// The signature that Google documents for calls in a history that its models did not make: it is not validated.
pub const SKIP: &str = "skip_thought_signature_validator";

/// How base64 of a signature with a maker's name begins.
const MARK: &[u8] = b"dHJpdml1bS";

/// What stands between a signature and its thoughts.
const THOUGHTS: char = '\n';

/// Reads what a client sent.
pub(super) fn read(wire: &str) -> Signature {
    let named = || {
        let text = unpacked(wire)?;
        let signature = Signature::read(text.split_once(THOUGHTS).map_or(&*text, |(signature, _)| signature));
        signature.maker.is_some().then_some(signature)
    };
    named().unwrap_or_else(|| Signature::read(wire))
}

/// The thoughts that travel within what a client sent.
pub(super) fn thoughts(wire: &str) -> Option<String> {
    Some(unpacked(wire)?.split_once(THOUGHTS)?.1.to_owned())
}

fn unpacked(wire: &str) -> Option<String> {
    let bytes = wire.as_bytes().starts_with(MARK).then(|| base64::decode(wire))??;
    String::from_utf8(bytes).ok()
}

/// Takes what a provider sent.
pub(super) fn plain(wire: &str) -> Signature {
    Signature { data: wire.to_owned(), maker: None }
}

/// The text for a client.
pub(super) fn written(signature: &Signature) -> String {
    match signature.maker {
        None => signature.data.clone(),
        Some(_) => base64::encode(signature.written().as_bytes()),
    }
}

/// The text for a client, with the thoughts that the signature was made for.
pub(super) fn with_thoughts(signature: &Signature, thoughts: &str) -> String {
    match signature.maker {
        Some(_) if !thoughts.is_empty() => {
            base64::encode(format!("{}{THOUGHTS}{thoughts}", signature.written()).as_bytes())
        }
        _ => written(signature),
    }
}

/// Whether a body may hold signatures with a maker's name: a cheap look before a careful one.
#[must_use]
pub fn may_be_named(body: &[u8]) -> bool {
    Signature::may_be_in(body) || memchr::memmem::find(body, MARK).is_some()
}

/// Takes thoughts that another maker signed out of a native request: `is_own` says whether a signature is the target's.
/// A function call keeps its place under the signature that is not validated; signed thoughts go. `None` when there is
/// nothing to do.
#[must_use]
pub fn without_foreign_thoughts(body: &[u8], is_own: impl Fn(&Signature) -> bool) -> Option<Vec<u8>> {
    let mut request: Value = serde_json::from_slice(body).ok()?;
    let mut changed = false;
    for content in request.get_mut("contents")?.as_array_mut()? {
        let Some(parts) = content.get_mut("parts").and_then(Value::as_array_mut) else { continue };
        let before = std::mem::take(parts);
        for mut part in before {
            match part.as_object_mut().map_or(Fate::Stays, |part| fate(part, &is_own)) {
                Fate::Stays => parts.push(part),
                Fate::Changed => {
                    changed = true;
                    parts.push(part);
                }
                Fate::Goes => {
                    changed = true;
                    // The signature of the thoughts before it.
                    while parts.last().is_some_and(is_unsigned_thought) {
                        parts.pop();
                    }
                }
            }
        }
    }
    if let Some(contents) = request.get_mut("contents").and_then(Value::as_array_mut) {
        let empty =
            |content: &Value| content.get("parts").and_then(Value::as_array).is_some_and(Vec::is_empty);
        contents.retain(|content| !changed || !empty(content));
    }
    changed.then(|| serde_json::to_vec(&request).ok())?
}

/// What becomes of a part.
enum Fate {
    Stays,
    Changed,
    Goes,
}

/// Puts the signature of a part right.
fn fate(part: &mut Map<String, Value>, is_own: &impl Fn(&Signature) -> bool) -> Fate {
    let Some(name) = KEYS.into_iter().find(|name| part.contains_key(*name)) else { return Fate::Stays };
    let signature = read(part.get(name).and_then(Value::as_str).unwrap_or_default());
    if is_own(&signature) {
        if signature.maker.is_none() {
            return Fate::Stays;
        }
        part.insert(name.to_owned(), signature.data.into());
        return Fate::Changed;
    }
    if part.contains_key("functionCall") || part.contains_key("function_call") {
        part.insert(name.to_owned(), SKIP.into());
        return Fate::Changed;
    }
    part.shift_remove(name);
    let says_nothing = part.get("text").and_then(Value::as_str).is_some_and(str::is_empty);
    if is_thought(part) || says_nothing { Fate::Goes } else { Fate::Changed }
}

/// The names under which a signature may stand.
const KEYS: [&str; 2] = ["thoughtSignature", "thought_signature"];

fn is_thought(part: &Map<String, Value>) -> bool {
    part.get("thought").and_then(Value::as_bool).unwrap_or(false)
}

fn is_unsigned_thought(part: &Value) -> bool {
    part.as_object().is_some_and(|part| is_thought(part) && KEYS.iter().all(|key| !part.contains_key(*key)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use serde_json::json;

    use super::*;

    fn of(maker: &str) -> Signature {
        Signature { data: "c2ln".into(), maker: Some(maker.into()) }
    }

    #[test]
    fn a_named_signature_is_base64_in_both_alphabets() {
        let wire = written(&of("anthropic>?"));
        assert!(base64::decode(&wire).is_some());
        assert_eq!(read(&wire), of("anthropic>?"));
        assert_eq!(read(&base64::spelled(&wire, "url")), of("anthropic>?"));
        assert_eq!(read("AVSoXO4="), plain("AVSoXO4="));
        assert_eq!(read("dHJpdml1bS"), plain("dHJpdml1bS"));
        assert_eq!(base64::decode(SKIP).unwrap().len(), 24);
    }

    #[test]
    fn thoughts_travel_within_their_signature() {
        let wire = with_thoughts(&of("anthropic"), "first\nthen");
        assert_eq!((read(&wire), thoughts(&wire).as_deref()), (of("anthropic"), Some("first\nthen")));
        assert_eq!(with_thoughts(&of("anthropic"), ""), written(&of("anthropic")));
        assert_eq!(with_thoughts(&plain("c2ln"), "hm"), "c2ln");
        assert_eq!((thoughts(&written(&of("anthropic"))), thoughts("c2ln")), (None, None));
    }

    #[test]
    fn foreign_thoughts_leave_a_native_request() {
        let (foreign, own) = (written(&of("anthropic")), written(&of("google")));
        let request = json!({"contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true, "thoughtSignature": foreign},
                {"text": "h", "thought": true}, {"text": "m", "thought": true}, {"text": "", "thoughtSignature": foreign},
                {"text": "said", "thoughtSignature": foreign},
                {"text": "", "thoughtSignature": foreign},
                {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": foreign},
                {"functionCall": {"name": "g", "args": {}}, "thoughtSignature": own},
                {"text": "end", "thoughtSignature": "cGxhaW4="}]},
            {"role": "model", "parts": [{"text": "", "thought_signature": foreign}]}]});
        let body = serde_json::to_vec(&request).unwrap();
        let cleaned = without_foreign_thoughts(&body, |signature| signature.is_of("google", true)).unwrap();
        let expected = json!({"contents": [
            {"role": "user", "parts": [{"text": "go"}]},
            {"role": "model", "parts": [
                {"text": "said"},
                {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": SKIP},
                {"functionCall": {"name": "g", "args": {}}, "thoughtSignature": "c2ln"},
                {"text": "end", "thoughtSignature": "cGxhaW4="}]}]});
        assert_eq!(serde_json::from_slice::<Value>(&cleaned).unwrap(), expected);
        assert!(may_be_named(&body) && !may_be_named(&cleaned));
        assert_eq!(without_foreign_thoughts(&cleaned, |signature| signature.is_of("other", true)), None);
    }
}
