//! The reasoning item that is being written: thoughts are its summary.

use canon::{Delta, Losses};
use serde_json::{Value, json};

use super::wire::{Place, Wire};

/// Thoughts that are not complete.
#[derive(Debug)]
pub(super) struct Reasoning {
    place: Place,
    text: String,
    signature: Option<String>,
}

impl Reasoning {
    /// Thoughts without words.
    pub(super) fn begin(place: Place, wire: &mut Wire, out: &mut Vec<u8>) -> Self {
        let reasoning = Self { place, text: String::new(), signature: None };
        reasoning.place.added(reasoning.item(), wire, out);
        reasoning
    }

    fn item(&self) -> Value {
        let summary = if self.text.is_empty() { json!([]) } else { json!([self.part()]) };
        let mut item = json!({ "id": self.place.id, "type": "reasoning", "summary": summary });
        if let Some(signature) = &self.signature {
            item["encrypted_content"] = signature.as_str().into();
        }
        item
    }

    fn part(&self) -> Value {
        json!({ "type": "summary_text", "text": self.text })
    }

    /// Adds to the thoughts.
    pub(super) fn add(&mut self, delta: Delta, losses: &mut Losses, wire: &mut Wire, out: &mut Vec<u8>) {
        match delta {
            Delta::Text(more) => {
                if self.text.is_empty() {
                    let fields = self.place.fields([("summary_index", 0.into()), ("part", self.part())]);
                    wire.emit("response.reasoning_summary_part.added", fields, out);
                }
                let fields =
                    self.place.fields([("summary_index", 0.into()), ("delta", more.as_str().into())]);
                wire.emit("response.reasoning_summary_text.delta", fields, out);
                self.text.push_str(&more);
            }
            Delta::Signature(signature) => self.signature = Some(signature.written()),
            Delta::Citation(_) => losses.dropped("citations"),
            Delta::Logprobs(_) => {}
        }
    }

    /// Completes the thoughts.
    pub(super) fn end(self, wire: &mut Wire, out: &mut Vec<u8>) -> Value {
        if !self.text.is_empty() {
            let index = ("summary_index", 0.into());
            let fields = self.place.fields([index.clone(), ("text", self.text.as_str().into())]);
            wire.emit("response.reasoning_summary_text.done", fields, out);
            let fields = self.place.fields([index, ("part", self.part())]);
            wire.emit("response.reasoning_summary_part.done", fields, out);
        }
        let item = self.item();
        self.place.done(item.clone(), wire, out);
        item
    }
}
