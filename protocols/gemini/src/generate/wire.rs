//! As much of an answer's shape as metering and ending it take, without decoding the rest.

use std::fmt;

use canon::Usage;
use serde::{
    Deserialize,
    de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// An answer, or a piece of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Response<'a> {
    #[serde(default)]
    candidates: Option<Vec<Candidate>>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(borrow, default)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Option<Vec<Part>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<String>,
}

impl Response<'_> {
    /// The message of the error that it is, if it is one.
    pub(super) fn error(&self) -> Option<String> {
        let error = self.error.filter(|raw| raw.get() != "null")?;
        Some(crate::fault::message_of(error.get().as_bytes()))
    }

    /// Tokens, when it reports them.
    pub(super) fn usage(&self) -> Option<Usage> {
        crate::usage::read(self.usage_metadata)
    }

    /// Whether there are candidates.
    pub(super) fn has_candidates(&self) -> bool {
        self.candidates.as_ref().is_some_and(|candidates| !candidates.is_empty())
    }

    /// Whether the prompt was refused, so that there is no candidate.
    pub(super) fn blocked(&self) -> bool {
        let reason = self.prompt_feedback.as_ref().and_then(|feedback| feedback.block_reason.as_deref());
        !self.has_candidates() && reason.is_some_and(is_reason)
    }

    /// Whether it says why the answer ended.
    pub(super) fn finished(&self) -> bool {
        let finished = |candidate: &Candidate| candidate.finish_reason.as_deref().is_some_and(is_reason);
        self.blocked() || self.candidates.iter().flatten().any(finished)
    }

    /// Whether a part says anything.
    pub(super) fn has_content(&self) -> bool {
        let contents = self.candidates.iter().flatten().filter_map(|candidate| candidate.content.as_ref());
        contents.flat_map(|content| content.parts.iter().flatten()).any(|part| part.0)
    }
}

/// Whether a word is a reason, and not a placeholder for one.
pub(super) fn is_reason(word: &str) -> bool {
    !matches!(
        word,
        "" | "FINISH_REASON_UNSPECIFIED" | "BLOCK_REASON_UNSPECIFIED" | "BLOCKED_REASON_UNSPECIFIED"
    )
}

/// Whether a part says anything: text that is not empty, or something other than text.
struct Part(bool);

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PartVisitor)
    }
}

struct PartVisitor;

impl<'de> Visitor<'de> for PartVisitor {
    type Value = Part;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part")
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part(false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Part, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Part(true))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Part, A::Error> {
        let mut says = false;
        while let Some(name) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            match name.as_ref() {
                // A string of any length costs its slice only; an escaped one cannot be borrowed and is not empty.
                "text" => says |= fields.next_value::<&RawValue>()?.get() != "\"\"",
                "thought" | "thoughtSignature" => drop(fields.next_value::<IgnoredAny>()?),
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                    says = true;
                }
            }
        }
        Ok(Part(says))
    }
}
