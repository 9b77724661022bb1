//! Finds the media of a turn, wherever they stand, and says where that is.

use std::fmt;

use canon::{Block, Kind, Media, Turn};

use super::{MediaError, format::Family};

/// The place of a block; written out only where an error needs it.
pub(super) struct At<'a> {
    outer: Option<&'a At<'a>>,
    field: &'static str,
    index: usize,
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        write!(f, "{}[{}]", self.field, self.index)
    }
}

/// What the block of a medium is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockKind {
    Image,
    Audio,
    Video,
    File,
}

impl BlockKind {
    /// Any known medium is a file.
    pub(super) fn takes(self, family: Family) -> bool {
        match self {
            Self::Image => family == Family::Image,
            Self::Audio => family == Family::Audio,
            Self::Video => family == Family::Video,
            Self::File => true,
        }
    }

    pub(super) const fn wanted(self) -> &'static str {
        match self {
            Self::Image => "a picture",
            Self::Audio => "sound",
            Self::Video => "a video",
            Self::File => "a file",
        }
    }
}

type Each<'a> = dyn FnMut(&At<'_>, BlockKind, &mut Media) -> Result<(), MediaError> + 'a;

/// Calls `each` for every medium, in the order of the request.
pub(super) fn media(turn: &mut Turn, each: &mut Each<'_>) -> Result<(), MediaError> {
    blocks(None, "instructions", &mut turn.instructions, each)?;
    for (index, message) in turn.messages.iter_mut().enumerate() {
        let at = At { outer: None, field: "messages", index };
        blocks(Some(&at), "content", &mut message.blocks, each)?;
    }
    Ok(())
}

fn blocks(
    outer: Option<&At<'_>>,
    field: &'static str,
    blocks: &mut [Block],
    each: &mut Each<'_>,
) -> Result<(), MediaError> {
    for (index, block) in blocks.iter_mut().enumerate() {
        let at = At { outer, field, index };
        match &mut block.kind {
            Kind::Image(media) => each(&at, BlockKind::Image, media)?,
            Kind::Audio(media) => each(&at, BlockKind::Audio, media)?,
            Kind::Video(media) => each(&at, BlockKind::Video, media)?,
            Kind::File(media) => each(&at, BlockKind::File, media)?,
            Kind::ToolResult(result) => self::blocks(Some(&at), "content", &mut result.content, each)?,
            Kind::Text { .. }
            | Kind::ToolCall(_)
            | Kind::Thinking(_)
            | Kind::Refusal(_)
            | Kind::Opaque { .. } => {}
        }
    }
    Ok(())
}
