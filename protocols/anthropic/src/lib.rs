//! The Anthropic wire: Messages, token counts, models and errors. Pure: bytes in, bytes and facts out.

pub mod count_tokens;
pub mod fault;
pub mod messages;
pub mod models;
mod usage;
