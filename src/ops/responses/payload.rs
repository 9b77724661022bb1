//! What the store is given of a response: one JSON object with the input, the output and the rest of the response, in
//! which the output is left out. So a conversation is read without what each response repeats of its request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use super::Kept;

#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    input: Vec<Value>,
    /// `None`: the response has no list of output, and was left as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output: Option<Vec<Value>>,
    response: Value,
}

/// The parts of [`Written`] that make a conversation. The others are skipped and not taken apart.
#[derive(Deserialize)]
struct Items<'a> {
    #[serde(default)]
    previous: Option<String>,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow, default)]
    output: Option<&'a RawValue>,
}

/// One response's part of a conversation.
pub(super) struct Turn {
    pub(super) previous: Option<String>,
    /// The JSON of its items, in bytes.
    pub(super) bytes: usize,
    input: Vec<Value>,
    output: Vec<Value>,
}

impl Turn {
    pub(super) fn items(self) -> impl Iterator<Item = Value> {
        self.input.into_iter().chain(self.output)
    }
}

pub(super) fn write(kept: Kept) -> serde_json::Result<Vec<u8>> {
    let Kept { id: _, previous, input, mut response } = kept;
    let output = response.get_mut("output").and_then(|output| match output.take() {
        Value::Array(items) => Some(items),
        other => {
            *output = other;
            None
        }
    });
    serde_json::to_vec(&Written { previous, input, output, response })
}

pub(super) fn read(id: &str, payload: &[u8]) -> serde_json::Result<Kept> {
    let Written { previous, input, output, mut response } = serde_json::from_slice(payload)?;
    // `null` has kept its place among the fields.
    if let (Some(items), Some(place)) = (output, response.get_mut("output")) {
        *place = Value::Array(items);
    }
    Ok(Kept { id: id.to_owned(), previous, input, response })
}

pub(super) fn read_turn(payload: &[u8]) -> serde_json::Result<Turn> {
    let Items { previous, input, output } = serde_json::from_slice(payload)?;
    let bytes = input.get().len() + output.map_or(0, |output| output.get().len());
    let output = output.map_or(Ok(Vec::new()), |output| serde_json::from_str(output.get()))?;
    Ok(Turn { previous, bytes, input: serde_json::from_str(input.get())?, output })
}
