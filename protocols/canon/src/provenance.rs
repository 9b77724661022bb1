//! Who made a signature. A signature means something only to its maker: another vendor, another model family, and
//! sometimes another account, refuses the whole request that holds it.
//!
//! A client sends signatures back without saying whose they are. So one that crosses into another dialect travels
//! with its maker's name in front; one without a name was made by a provider of the client's own dialect.

use crate::{Answer, Block, Delta, Event, Kind, Opening};

/// What stands before the maker's name in a signature that crossed dialects.
const TAG: &str = "trivium.";

/// A signature, or thoughts that only their maker can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The text as the maker wrote it.
    pub data: String,
    /// Who made it; `None` where nobody said.
    pub maker: Option<String>,
}

impl Signature {
    /// Reads what a client sent.
    #[must_use]
    pub fn read(wire: &str) -> Self {
        let named = wire.strip_prefix(TAG).and_then(|rest| rest.split_once('.'));
        match named.and_then(|(maker, data)| Some((unescape(maker)?, data))) {
            Some((maker, data)) => Self { data: data.to_owned(), maker: Some(maker) },
            None => Self { data: wire.to_owned(), maker: None },
        }
    }

    /// The text for a client of another dialect: the maker's name and the data.
    #[must_use]
    pub fn written(&self) -> String {
        match &self.maker {
            Some(maker) => format!("{TAG}{}.{}", escape(maker), self.data),
            None => self.data.clone(),
        }
    }

    /// Whether `maker` made it, and can check it: an empty one only says whose unsigned thoughts these are. `native` says whether the request came in the dialect that the maker speaks: only
    /// then can a signature without a name be its own.
    #[must_use]
    pub fn is_of(&self, maker: &str, native: bool) -> bool {
        self.maker.as_deref().map_or(native, |made_by| made_by == maker && !self.data.is_empty())
    }

    /// Whether a body may hold signatures with a name: a cheap look before a careful one.
    #[must_use]
    pub fn may_be_in(body: &[u8]) -> bool {
        memchr::memmem::find(body, TAG.as_bytes()).is_some()
    }
}

impl Event {
    /// Names the maker of the signatures in this event.
    pub fn sign(&mut self, maker: &str) {
        match self {
            Self::Delta { delta: Delta::Signature(signature), .. } => {
                signature.maker = Some(maker.to_owned());
            }
            Self::Open { block: Opening::Whole(block), .. } => block.sign(maker),
            _ => {}
        }
    }
}

impl Answer {
    /// Names the maker of the signatures in this answer.
    pub fn sign(&mut self, maker: &str) {
        self.blocks.iter_mut().for_each(|block| block.sign(maker));
    }
}

impl Block {
    fn sign(&mut self, maker: &str) {
        let signature = match &mut self.kind {
            Kind::Thinking(thinking) => &mut thinking.signature,
            Kind::ToolCall(call) => &mut call.signature,
            _ => return,
        };
        if let Some(signature) = signature {
            signature.maker = Some(maker.to_owned());
        }
    }
}

/// The name without dots, which end it, in characters that are allowed everywhere that a signature is.
fn escape(maker: &str) -> String {
    let mut escaped = String::with_capacity(maker.len());
    for byte in maker.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("_{other:02x}")),
        }
    }
    escaped
}

fn unescape(escaped: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some(first) = rest.bytes().next() {
        if first == b'_' {
            bytes.push(u8::from_str_radix(rest.get(1..3)?, 16).ok()?);
            rest = &rest[3..];
        } else {
            bytes.push(first);
            rest = rest.get(1..)?;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_signature_without_a_name_belongs_to_the_dialect() {
        let plain = Signature::read("EqQBCgIYAhIM");
        assert!(plain.is_of("anthropic", true) && !plain.is_of("anthropic", false));
        assert_eq!(plain.written(), "EqQBCgIYAhIM");
        let crossed = Signature { data: "x.y=".into(), maker: Some("google:gemini".into()) };
        assert_eq!(crossed.written(), "trivium.google_3agemini.x.y=");
        assert!(crossed.is_of("google:gemini", false) && !crossed.is_of("anthropic", true));
        let unsigned = Signature { data: String::new(), maker: Some("a".into()) };
        assert!(!unsigned.is_of("a", true) && Signature::read(&unsigned.written()) == unsigned);
        assert!(Signature::may_be_in(b"{\"signature\":\"trivium.a.b\"}"));
    }

    proptest! {
        #[test]
        fn reading_undoes_writing(data in "[ -~]{0,40}", maker in "\\PC{1,12}") {
            let signature = Signature { data, maker: Some(maker) };
            prop_assert_eq!(Signature::read(&signature.written()), signature);
        }

        #[test]
        fn anything_can_be_read(wire in "\\PC{0,40}") {
            let _ = Signature::read(&wire);
            let _ = Signature::read(&format!("{TAG}{wire}"));
        }
    }
}
