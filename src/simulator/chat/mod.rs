//! The chat dialect: what may be asked, and how what is said looks on the wire. Also the older completions and the
//! embeddings, which share its spelling.
//!
//! Nothing here waits, and nothing here knows of faults.

mod completions;
pub(super) mod embeddings;
mod history;
pub(super) mod request;
mod speech;
pub(super) mod tools;
mod wire;

pub(super) use completions::CompletionRequest;
pub(super) use embeddings::EmbeddingRequest;
pub(super) use request::ChatRequest;
