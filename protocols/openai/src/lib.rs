//! The OpenAI wire: chat completions, the model list, and errors. Pure: bytes in, bytes and facts out.

pub mod chat;
pub mod fault;
pub mod models;
pub mod responses;
mod usage;
