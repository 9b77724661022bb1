//! A piece of an answer on its way to the client, with the little that the engine must know of it.

use bytes::Bytes;

use crate::{Losses, Usage};

/// What a frame means for holding back, metering and ending an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Carries nothing that a person would see yet: a role, an id, or nothing at all.
    Empty,
    /// Carries content or its regular finish: from here on the target can no longer be changed.
    Content,
    /// The dialect's own end: the answer is complete.
    End,
}

/// One piece of an answer: the bytes for the client, and what they mean.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Bytes for the client, unchanged where the dialects are the same. Empty when the frame
    /// matters to the hub only (a usage chunk that nobody asked for).
    pub bytes: Bytes,
    /// What the bytes mean.
    pub mark: Mark,
    /// Tokens, where this frame reported them.
    pub usage: Option<Usage>,
    /// What the client's dialect could not say of the answer. Only the last frame of a translated stream has any.
    pub losses: Option<Box<Losses>>,
}

impl Frame {
    /// A frame that lost nothing.
    #[must_use]
    pub const fn new(bytes: Bytes, mark: Mark, usage: Option<Usage>) -> Self {
        Self { bytes, mark, usage, losses: None }
    }
}
