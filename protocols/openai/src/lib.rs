//! The OpenAI wire: chat completions, legacy completions, embeddings, the model list, and errors. Pure: bytes in, bytes
//! and facts out.

pub mod chat;
pub mod completions;
pub mod embeddings;
pub mod fault;
pub mod models;
pub mod responses;
mod usage;
