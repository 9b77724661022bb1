//! Parts of a content, and the blocks that they are.

mod decode;
mod encode;
mod media;
mod result;

pub(super) use decode::{CARRIED, Calls, Reader};
pub(super) use encode::{Writer, put_back};
