//! The dialect in which the hub itself asks models, for operations that do: they know conversations, and no wire format.

use bytes::Bytes;
use canon::Facts;
use serde_json::{Map, Value};

use crate::engine::{pipeline::Snapshot, refusal::Refusal, shaping::Shaped};

/// Somebody who writes requests in the chat dialect and reads its answers.
pub trait Speech: Send + Sync {
    /// Makes a body ready for the engine, as the model API does: finds its facts, and sends it to another name where the
    /// operator of a combo wishes so.
    ///
    /// # Errors
    /// When it is no request.
    fn utter(&self, snapshot: &Snapshot, body: Map<String, Value>) -> Result<Uttered, Refusal>;
    /// Reads a whole answer, or one piece of a stream.
    fn read(&self, data: &[u8]) -> Said;
}

/// A request that is ready for the engine.
pub struct Uttered {
    /// The body.
    pub body: Bytes,
    /// What was found in it.
    pub facts: Facts,
    /// What was done to it.
    pub shaped: Shaped,
}

/// What an answer, or a piece of one, says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// The text of the first choice.
    pub text: String,
    /// The model, as it calls itself.
    pub model: Option<String>,
    /// Why the answer ended.
    pub finish: Option<String>,
    /// Pages that the text refers to.
    pub cited: Vec<Cited>,
}

/// A page that an answer refers to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cited {
    /// Its address.
    pub url: String,
    /// What it is called.
    pub title: Option<String>,
}
