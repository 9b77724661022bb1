//! The Gemini wire: `generateContent`, token counts, models and errors. Pure: bytes in, bytes and facts out.

pub mod count_tokens;
pub mod fault;
pub mod generate;
pub mod models;
mod path;
pub mod schema;
mod usage;
